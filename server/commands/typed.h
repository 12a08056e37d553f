// Looking a key up as a value of one type, and changing it:
//
//   const auto set = FindAs<Set>(ctx);              the row's first key; may be missing
//   if (set.wrong()) return;                        another type: WRONGTYPE has been replied
//   Edit<Set> edit(ctx, 0, set, Set::Limits{...});  what follows the lookup makes a missing value
//   const bool added = edit->Add(member);
//   edit.Commit(added ? kSAddEvent : Event{});      reports the event unless it has no name
//
// Between an Edit's beginning and its end nothing else is done to the same shard.
//
// Thread: the session's.
#pragma once

#include <memory>
#include <utility>

#include "server/core/context.h"
#include "server/core/errors.h"
#include "storage/locked_shard.h"

namespace lapse {

// True for a string and for a key that is not there; else replies WRONGTYPE.
inline bool ExpectString(CommandContext& ctx, const Item& item) {
  if (ABSL_PREDICT_TRUE(!item || item.is_string())) return true;
  ctx.reply.Error(errors::kWrongType);
  return false;
}

// What a lookup gave. T is a collection with a constant kType.
template <typename T>
class Typed {
 public:
  Typed() = default;
  Typed(CommandContext& ctx, const Item& found) : item_(found) {
    if (!item_) return;
    if (item_.entry()->type() == T::kType) {
      value_ = static_cast<const T*>(item_.entry()->collection());
    } else {
      wrong_ = true;
      ctx.reply.Error(errors::kWrongType);
    }
  }

  explicit operator bool() const { return value_ != nullptr; }
  bool wrong() const { return wrong_; }
  const T* operator->() const { return value_; }
  const T& operator*() const { return *value_; }
  const Item& item() const { return item_; }

 private:
  Item item_;
  const T* value_ = nullptr;
  bool wrong_ = false;
};

// A client's read of the row's i-th key: counts a hit or a miss.
template <typename T>
Typed<T> ReadAs(CommandContext& ctx, size_t i = 0) {
  return Typed<T>(ctx, ctx.shard(i).Read(ctx.key(i)));
}

// The lookup that precedes a write.
template <typename T>
Typed<T> FindAs(CommandContext& ctx, size_t i = 0) {
  return Typed<T>(ctx, ctx.shard(i).Find(ctx.key(i)));
}

template <typename T>
class Edit {
 public:
  // `make` are the arguments of T's constructor, used when the key is missing: a new value is kept
  // aside and stored by Commit, unless it vanishes.
  template <typename... Args>
  Edit(CommandContext& ctx, size_t i, const Typed<T>& found, Args&&... make)
      : shard_(ctx.shard(i)), key_(ctx.key(i)), item_(found.item()) {
    if (found) {
      value_ = static_cast<T*>(&shard_.BeginEdit(item_));
    } else {
      made_ = std::make_unique<T>(std::forward<Args>(make)...);
      value_ = made_.get();
    }
  }
  ~Edit() {
    if (!done_) Commit({});
  }
  Edit(const Edit&) = delete;
  Edit& operator=(const Edit&) = delete;

  T* operator->() { return value_; }
  T& operator*() { return *value_; }
  bool is_new() const { return made_ != nullptr; }

  // Ends the change and reports the event, unless it has no name; a value that vanishes takes its
  // key with it. Returns whether the key is there afterwards.
  bool Commit(Event event) {
    done_ = true;
    if (!is_new()) return shard_.EndEdit(item_, event);
    if (made_->vanishes()) return false;
    shard_.StoreCollection(key_, {}, std::move(made_), kNoDeadline, event);
    return true;
  }

 private:
  LockedShard& shard_;
  const Key& key_;
  Item item_;
  std::unique_ptr<T> made_;
  T* value_ = nullptr;
  bool done_ = false;
};

// What SINTERSTORE, ZUNIONSTORE, GEOSEARCHSTORE, SORT ... STORE do with their result: it takes the
// place of whatever the i-th key holds, without a deadline; an empty one removes the key.
inline void StoreResult(CommandContext& ctx, size_t i, std::unique_ptr<Value> result, Event event) {
  LockedShard& shard = ctx.shard(i);
  const Item existing = shard.Find(ctx.key(i));
  if (!result->vanishes()) {
    shard.StoreCollection(ctx.key(i), existing, std::move(result), kNoDeadline, event);
  } else if (existing) {
    shard.Remove(existing, kDelEvent);
  }
}

}  // namespace lapse
