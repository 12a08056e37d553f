// SORT and SORT_RO: the elements of a list, set or sorted set in order, by themselves or by the
// values of other keys.
//
// The keys that BY and GET name are known only once the elements are. So the command locks what it
// knows of, looks, and where that was not enough begins anew with more, in the end with every shard
// of the database: one look with everything needed locked decides, and nobody waits for a shard
// while holding another.
//
// The locks are given back as soon as nothing more is looked up: most of the time goes into the
// ordering and the reply, which need none unless GET or STORE come after.

#include <algorithm>
#include <array>
#include <cctype>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "protocol/number.h"
#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "server/core/instance.h"
#include "server/services/services.h"
#include "storage/locked_shard.h"
#include "storage/shard.h"
#include "storage/values/hash.h"
#include "storage/values/list.h"
#include "storage/values/set.h"
#include "storage/values/sorted_set.h"

namespace lapse {
namespace {

constexpr Event kSortStoreEvent{"sortstore", 'l'};
constexpr std::string_view kNotScores = "ERR One or more scores can't be converted into double";
// Keys to look up for which it is worth while to find out their shards.
constexpr size_t kFewLookups = 256;
// Keys that are looked up together.
constexpr size_t kGroup = 16;
// Looks with some shards locked, before all are.
constexpr int kLooks = 3;

// "prefix*suffix", and for a hash's field "->field".
struct Pattern {
  std::string_view prefix;
  std::string_view suffix;
  std::string_view field;
  bool is_element = false;  // "#"
  bool has_star = false;    // without, it names nothing

  explicit Pattern(std::string_view text) : is_element(text == "#") {
    const size_t star = text.find('*');
    if (star == std::string_view::npos) return;
    has_star = true;
    prefix = text.substr(0, star);
    suffix = text.substr(star + 1);
    const size_t arrow = suffix.find("->");
    if (arrow == std::string_view::npos || arrow + 2 == suffix.size()) return;
    field = suffix.substr(arrow + 2);
    suffix = suffix.substr(0, arrow);
  }

  std::string KeyFor(std::string_view element) const {
    std::string key(prefix);
    key.append(element).append(suffix);
    return key;
  }
};

struct SortRequest {
  std::optional<Pattern> by;
  std::vector<Pattern> gets;
  int64_t offset = 0;
  int64_t count = -1;
  bool sorts = true;  // false: BY names no key
  bool descending = false;
  bool alpha = false;
  bool stores = false;

  // Whether the data is needed once the elements are in order.
  bool looks_after_ordering() const {
    return stores || std::any_of(gets.begin(), gets.end(),
                                 [](const Pattern& pattern) { return pattern.has_star; });
  }

  // How many other keys each element leads to.
  size_t lookups() const {
    const auto star = [](const Pattern& pattern) { return pattern.has_star; };
    return static_cast<size_t>(std::count_if(gets.begin(), gets.end(), star)) +
           (by && by->has_star ? 1 : 0);
  }
};

// Patterns may lead to any key: they are for users who may read them all.
constexpr std::string_view kByDenied =
    "ERR BY option of SORT denied due to insufficient ACL permissions.";
constexpr std::string_view kGetDenied =
    "ERR GET option of SORT denied due to insufficient ACL permissions.";

// False: an error has been replied.
bool ParseSort(CommandContext& ctx, bool read_only, SortRequest& request) {
  const auto may_look_anywhere = [&] {
    return Services::Of(ctx.instance)
        .acl()
        .MayReadAllKeys(ctx.session, {ctx.args, nullptr, &ctx.row, ctx.now_ms});
  };
  ArgumentReader in(ctx.args, 2);
  while (in.More()) {
    const size_t operands = in.left() - 1;
    if (in.Match("ASC")) {
      request.descending = false;
    } else if (in.Match("DESC")) {
      request.descending = true;
    } else if (in.Match("ALPHA")) {
      request.alpha = true;
    } else if (operands >= 2 && in.Match("LIMIT")) {
      request.offset = in.Integer();
      request.count = in.Integer();
    } else if (!read_only && operands >= 1 && in.Match("STORE")) {
      in.Next();
      request.stores = true;
    } else if (operands >= 1 && in.Match("BY")) {
      request.by = Pattern(in.Next());
      if (!request.by->has_star) request.sorts = false;
      if (request.by->has_star && !may_look_anywhere()) in.Fail(kByDenied);
    } else if (operands >= 1 && in.Match("GET")) {
      request.gets.emplace_back(in.Next());
      if (!may_look_anywhere()) in.Fail(kGetDenied);
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  if (!in.ok()) ctx.reply.Error(in.error());
  return in.ok();
}

struct Element {
  std::string_view text;
  std::optional<std::string_view> weight;  // what BY led to
  double score = 0;
};

// The part of the elements, in order, that is wanted: from `first` and before `end`.
struct Window {
  size_t first = 0;
  size_t end = 0;
};

Window WindowOf(const SortRequest& request, size_t size) {
  const auto most = static_cast<int64_t>(size);
  const int64_t first = std::clamp<int64_t>(request.offset, 0, most);
  const int64_t count = request.count < 0 ? most : std::min(request.count, most);
  return {static_cast<size_t>(first), static_cast<size_t>(std::min(first + count, most))};
}

// As strtod reads it: up to a zero byte, with blanks before it, and nothing for zero.
bool ParseScore(std::string_view text, double& score) {
  text = text.substr(0, text.find('\0'));
  score = 0;
  if (text.empty()) return true;
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  return ParseDouble(text, score);
}

// One look at the data, with some shards locked.
class Sorter {
 public:
  // The locks are needed until Weigh, and to the end where the request looks after ordering.
  Sorter(CommandContext& ctx, const SortRequest& request, KeyLocks& locks)
      : ctx_(ctx),
        request_(request),
        locks_(locks),
        sorts_(request.sorts),
        alpha_(request.alpha),
        by_(request.by && request.sorts ? &*request.by : nullptr) {}

  // False: the key has another type.
  bool Load() {
    const Item item = ShardOf(ctx_.key(0)).Read(ctx_.key(0));
    if (!item) return true;
    switch (item.entry()->type()) {
      case ValueType::kList:
        LoadList(static_cast<const List&>(*item.entry()->collection()));
        return true;
      case ValueType::kSet:
        LoadSet(static_cast<const Set&>(*item.entry()->collection()));
        return true;
      case ValueType::kSortedSet:
        LoadSortedSet(static_cast<const SortedSet&>(*item.entry()->collection()));
        return true;
      default:
        return false;
    }
  }

  size_t size() const { return elements_.size(); }

  // The places of all keys that the elements lead to.
  void CollectPlaces(std::vector<KeyLocks::Want>& wanted) const {
    const auto collect = [&](const Pattern& pattern) {
      if (!pattern.has_star) return;
      for (const Element& element : elements_) {
        wanted.push_back({db(), ctx_.keyspace().Hashed(pattern.KeyFor(element.text)).place});
      }
    };
    if (request_.by) collect(*request_.by);
    for (const Pattern& pattern : request_.gets) collect(pattern);
  }

  // Looks up what BY leads to.
  void Weigh() {
    if (by_ == nullptr) return;
    std::array<std::string, kGroup> names;
    std::array<Key, kGroup> keys;
    for (size_t first = 0; first < elements_.size(); first += kGroup) {
      const auto group =
          std::span(elements_).subspan(first).first(std::min(kGroup, elements_.size() - first));
      for (size_t i = 0; i < group.size(); ++i) {
        names[i] = by_->KeyFor(group[i].text);
        keys[i] = ctx_.keyspace().Hashed(names[i]);
      }
      Prefetch(std::span(keys).first(group.size()));
      for (size_t i = 0; i < group.size(); ++i) {
        if (auto found = Fetch(*by_, keys[i])) group[i].weight = Keep(*std::move(found));
      }
    }
  }

  // Puts the elements in order. False: an error has been replied.
  bool Order() {
    if (!sorts_) return true;
    if (!alpha_ && !ScoreAll()) return ctx_.reply.Error(kNotScores), false;
    std::stable_sort(elements_.begin(), elements_.end(), [&](const Element& a, const Element& b) {
      return request_.descending ? Compare(b, a) < 0 : Compare(a, b) < 0;
    });
    return true;
  }

  // Calls give(text) for each part of the result; nullopt stands for what is not there.
  template <typename Give>
  void ForEachResult(Give give) {
    const Window window = WindowOf(request_, elements_.size());
    for (size_t i = window.first; i < window.end; ++i) {
      const std::string_view element = elements_[i].text;
      if (request_.gets.empty()) give(std::optional<std::string_view>(element));
      for (const Pattern& pattern : request_.gets) {
        if (pattern.is_element) {
          give(std::optional<std::string_view>(element));
          continue;
        }
        const auto found = LookUp(pattern, element);
        give(found ? std::optional<std::string_view>(*found) : std::nullopt);
      }
    }
  }

  size_t result_size() const {
    const Window window = WindowOf(request_, elements_.size());
    return (window.end - window.first) * std::max<size_t>(request_.gets.size(), 1);
  }

  void Store() {
    auto list = std::make_unique<List>(ctx_.instance.config.list_max_listpack_size);
    ForEachResult([&](std::optional<std::string_view> text) {
      list->Push(List::End::kTail, text.value_or(std::string_view()));
    });
    const auto size = static_cast<int64_t>(list->size());
    const Key& key = ctx_.key(1);
    LockedShard& shard = ShardOf(key);
    const Item existing = shard.Find(key);
    if (size > 0) {
      shard.StoreCollection(key, existing, std::move(list), kNoDeadline, kSortStoreEvent);
    } else if (existing) {
      shard.Remove(existing, kDelEvent);
    }
    ctx_.reply.Integer(size);
  }

 private:
  uint16_t db() const { return ctx_.view().db; }
  LockedShard& ShardOf(const Key& key) { return locks_.For(db(), key.place); }

  std::string_view Keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  void Add(std::string_view text) { elements_.push_back({.text = Keep(std::string(text))}); }

  void LoadList(const List& list) {
    char digits[24];
    list.ForEach(0, list.size(), [&](const auto& element) { Add(element.Text(digits)); });
  }

  // A set has no order of its own: what is kept gets one, so that it is the same on every server.
  void LoadSet(const Set& set) {
    set.ForEach([&](std::string_view member) { Add(member); });
    if (!sorts_ && (request_.stores || ctx_.nested())) sorts_ = alpha_ = true;
  }

  void LoadSortedSet(const SortedSet& set) {
    const bool backward = !sorts_ && request_.descending;
    set.Walk({0, set.size()}, backward, [&](std::string_view member, double) { Add(member); });
  }

  // As the dispatcher does for a pipeline's keys: their cache misses overlap.
  void Prefetch(std::span<const Key> keys) {
    for (const Key& key : keys) ShardOf(key).shard().PrefetchDirectory(key.place);
    for (const Key& key : keys) ShardOf(key).shard().PrefetchBucket(key.place);
    for (const Key& key : keys) {
      Shard& shard = ShardOf(key).shard();
      shard.lock().AssertHeld();
      shard.PrefetchEntry(key.place);
    }
  }

  // What the pattern leads to from the element; nullopt where there is no such string or field.
  std::optional<std::string> LookUp(const Pattern& pattern, std::string_view element) {
    if (!pattern.has_star) return std::nullopt;
    const std::string name = pattern.KeyFor(element);
    return Fetch(pattern, ctx_.keyspace().Hashed(name));
  }

  std::optional<std::string> Fetch(const Pattern& pattern, const Key& key) {
    const Item item = ShardOf(key).Read(key);
    if (!item) return std::nullopt;
    if (pattern.field.empty()) {
      return item.is_string() ? std::optional<std::string>(item.value()) : std::nullopt;
    }
    if (item.entry()->type() != ValueType::kHash) return std::nullopt;
    const auto found = static_cast<const Hash&>(*item.entry()->collection()).Find(pattern.field);
    if (!found) return std::nullopt;
    char digits[24];
    return std::string(found->value.Text(digits));
  }

  bool ScoreAll() {
    bool sound = true;
    for (Element& element : elements_) {
      if (by_ != nullptr && !element.weight) continue;
      sound &= ParseScore(by_ != nullptr ? *element.weight : element.text, element.score);
    }
    return sound;
  }

  int Compare(const Element& a, const Element& b) const {
    if (!alpha_) {
      if (a.score != b.score) return a.score < b.score ? -1 : 1;
      return a.text.compare(b.text);
    }
    if (by_ == nullptr) return a.text.compare(b.text);
    if (!a.weight || !b.weight)
      return static_cast<int>(a.weight.has_value()) - static_cast<int>(b.weight.has_value());
    return a.weight->compare(*b.weight);
  }

  CommandContext& ctx_;
  const SortRequest& request_;
  KeyLocks& locks_;
  bool sorts_;
  bool alpha_;
  const Pattern* by_;  // nullptr: by themselves
  std::deque<std::string> texts_;
  std::vector<Element> elements_;
};

// Whether all these shards are among those that were locked.
bool AreLocked(const Keyspace& keyspace, const std::vector<KeyLocks::Want>& locked,
               const std::vector<KeyLocks::Want>& needed) {
  std::vector<bool> held(keyspace.shard_count());
  for (const KeyLocks::Want& want : locked) held[keyspace.ShardOf(want.place)] = true;
  return std::all_of(needed.begin(), needed.end(), [&](const KeyLocks::Want& want) {
    return held[keyspace.ShardOf(want.place)];
  });
}

std::vector<KeyLocks::Want> EveryShard(const CommandContext& ctx) {
  std::vector<KeyLocks::Want> all;
  const Keyspace& keyspace = ctx.keyspace();
  for (size_t i = 0; i < keyspace.shard_count(); ++i) {
    const int bits = keyspace.shard_bits();
    all.push_back({ctx.view().db, bits == 0 ? 0 : uint64_t{i} << (64 - bits)});
  }
  return all;
}

void Finish(CommandContext& ctx, const SortRequest& request, Sorter& sorter,
            std::optional<KeyLocks>& locks) {
  sorter.Weigh();
  if (!request.looks_after_ordering()) locks.reset();
  if (!sorter.Order()) return;
  if (request.stores) return sorter.Store();
  ctx.reply.Array(sorter.result_size());
  sorter.ForEachResult([&](std::optional<std::string_view> text) {
    text ? ctx.reply.Bulk(*text) : ctx.reply.Null();
  });
}

void RunSort(CommandContext& ctx, bool read_only) {
  SortRequest request;
  if (!ParseSort(ctx, read_only, request)) return;
  std::vector<KeyLocks::Want> wanted;
  for (const Key& key : ctx.keys) wanted.push_back({ctx.view().db, key.place});
  bool everything = false;
  for (int look = 1;; ++look) {
    std::optional<KeyLocks> locks(std::in_place, ctx.keyspace(), ctx.view(), wanted);
    Sorter sorter(ctx, request, *locks);
    if (!sorter.Load()) return ctx.reply.Error(errors::kWrongType);
    if (everything || request.lookups() == 0) return Finish(ctx, request, sorter, locks);
    std::vector<KeyLocks::Want> needed;
    const bool few = sorter.size() * request.lookups() <= kFewLookups;
    if (few) {
      sorter.CollectPlaces(needed);
      if (AreLocked(ctx.keyspace(), wanted, needed)) return Finish(ctx, request, sorter, locks);
    }
    if (few && look < kLooks) {
      wanted.insert(wanted.end(), needed.begin(), needed.end());
    } else {
      wanted = EveryShard(ctx);
      everything = true;
    }
  }
}

void SortCommand(CommandContext& ctx) { RunSort(ctx, false); }

void SortRo(CommandContext& ctx) { RunSort(ctx, true); }

// The key that is sorted, and the last that STORE names.
void FindSortKeys(std::span<const std::string_view> args, KeyRefs& keys) {
  if (args.size() < 2) return;
  keys.push_back({1, KeyAccess::kReadOnly});
  uint32_t stored = 0;
  for (size_t i = 2; i < args.size(); ++i) {
    if (EqualsIgnoreCase(args[i], "limit")) {
      i += 2;
    } else if (EqualsIgnoreCase(args[i], "by") || EqualsIgnoreCase(args[i], "get")) {
      i += 1;
    } else if (EqualsIgnoreCase(args[i], "store") && i + 1 < args.size()) {
      stored = static_cast<uint32_t>(++i);
    }
  }
  if (stored > 0) keys.push_back({stored, KeyAccess::kOverwrite});
}

void FindSortedKey(std::span<const std::string_view> args, KeyRefs& keys) {
  if (args.size() > 1) keys.push_back({1, KeyAccess::kReadOnly});
}

constexpr std::string_view kCost = "O(N log N), N elements sorted; O(N) where BY says not to sort";
constexpr std::string_view kCategories = "set sortedset list dangerous";

constexpr CommandRow kRows[] = {
    WithSpecs(
        WithKeys(
            {"sort", -2, kWrite | kDenyOom | kLocksItself, kOneKey, KeyAccess::kReadOnly,
             kCategories, "generic", "1.0.0", kCost,
             "Put the elements of a list or set in order, and maybe store them",
             "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] "
             "[ALPHA] [STORE destination]",
             SortCommand},
            FindSortKeys),
        kSortSpecs),
    WithSpecs(
        WithKeys(
            {"sort_ro", -2, kReadOnly | kLocksItself, kOneKey, KeyAccess::kReadOnly, kCategories,
             "generic", "7.0.0", kCost, "Put the elements of a list or set in order",
             "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] "
             "[ALPHA]",
             SortRo},
            FindSortedKey),
        kReadSortSpecs),
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> SortCommands() { return kRows; }

}  // namespace lapse
