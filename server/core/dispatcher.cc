#include "server/core/dispatcher.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/base/optimization.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "server/core/arguments.h"
#include "server/core/command_name.h"
#include "server/core/errors.h"
#include "storage/same_bytes.h"

namespace lapse {
namespace {

constexpr size_t kShownArgument = 128;  // of an unknown command's error text

// Whether a script is over its time, and others are told so.
bool IsScriptBusy(const Instance& instance) { return (instance.modes.load() & kBusyScript) != 0; }

// Inside the gate, which its maker has entered, for its scope, but for the stretches that a command
// wants something else.
class GatePass {
 public:
  explicit GatePass(Instance& instance) : instance_(instance), gate_(instance.keyspace.gate()) {}
  ~GatePass() { gate_.Leave(); }
  GatePass(const GatePass&) = delete;
  GatePass& operator=(const GatePass&) = delete;

  // Does the command's work in the form of the gate that its row asks for, or, if that has to wait
  // for a script which is over its time, refuses it.
  template <typename Work, typename Refuse>
  void Run(const Session& session, const CommandRow* row, Work work, Refuse refuse) {
    if (ABSL_PREDICT_TRUE(row == nullptr || (row->flags & (kExclusive | kComposite)) == 0)) {
      return work();
    }
    if (ABSL_PREDICT_FALSE(IsScriptBusy(instance_))) return refuse();
    const RunForm form = FormOf(session, *row);
    if (form == RunForm::kTogether) return work();
    gate_.Leave();
    if (form == RunForm::kComposite) {
      const SpinGuard composite(instance_.composite_mu);
      const Gate::Shared inside(gate_);
      work();
    } else {
      const Gate::Exclusive exclusive(gate_);
      work();
    }
    gate_.Enter();
  }

 private:
  RunForm FormOf(const Session& session, const CommandRow& row) const {
    if (instance_.hooks != nullptr) return instance_.hooks->FormOf(session, row);
    return (row.flags & kExclusive) != 0 ? RunForm::kAlone : RunForm::kComposite;
  }

  Instance& instance_;
  Gate& gate_;
};

std::string UnknownCommand(std::span<const std::string_view> args) {
  std::string shown;
  for (size_t i = 1; i < args.size() && shown.size() < kShownArgument; ++i) {
    fmt::format_to(std::back_inserter(shown), "'{}' ",
                   args[i].substr(0, kShownArgument - shown.size()));
  }
  return fmt::format("ERR unknown command '{}', with args beginning with: {}",
                     args[0].substr(0, kShownArgument), shown);
}

// What a browser sends that was talked into posting to this port, with commands in the body. It
// gets no answer, and no further line is read as a command.
bool IsHttp(std::string_view name) {
  return EqualsIgnoreCase(name, "post") || EqualsIgnoreCase(name, "host:");
}

std::string WrongArity(const CommandRow* parent, const CommandRow& row) {
  return fmt::format("ERR wrong number of arguments for '{}' command", FullName(parent, row));
}

// EXEC that is refused, for whatever reason, is the end of its transaction, and its error says so.
void SayIfExecWasRefused(const CommandRow* row, ReplyWriter& reply, size_t mark) {
  constexpr uint32_t kExec = kComposite | kRunsInMulti;
  if (row == nullptr || (row->flags & kExec) != kExec) return;
  if (!reply.IsError(mark)) return;
  const std::string_view refusal = reply.view(mark);
  std::string_view why = refusal.substr(1, refusal.find('\r') - 1);
  if (why.starts_with("ERR ")) why.remove_prefix(4);
  const std::string text = fmt::format("EXECABORT Transaction discarded because of: {}", why);
  reply.Truncate(mark);
  reply.Error(text);
}

// CLIENT REPLY ON answers even where it is what CLIENT REPLY SKIP was for.
bool TurnsRepliesOn(const CommandRow* parent, const CommandRow* row, const ReplyWriter& reply,
                    size_t mark) {
  return parent != nullptr && parent->name == "client" && row->name == "reply" &&
         reply.view(mark).starts_with('+');
}

// Whether a request is likely to change which keys a segment counts or when they are due. A store
// over an existing key with no word for a TTL ("SET key value", "INCR key") leaves that alone, and
// one cache line more would cost it 10 %.
bool MayTouchHeaders(const CommandRow* row, size_t words) {
  constexpr size_t kPlainStore = 3;
  if (row == nullptr || (row->flags & kWrite) == 0) return false;
  return (row->flags & kDenyOom) == 0 || words > kPlainStore;
}

}  // namespace

Dispatcher::Prepared Dispatcher::Prepare(std::span<const std::string_view> args, Keys& keys,
                                         const Prepared* before) const {
  Prepared request;
  request.args = args;
  request.first_key = static_cast<uint32_t>(keys.size());
  if (before != nullptr && before->one_key && before->args.size() == args.size() &&
      SameBytes(before->args[0], args[0])) {
    request.row = before->row;
    request.number = before->number;
    request.quick = before->quick;
    HashOneKey(request, keys);
    return request;
  }
  const CommandRegistry::Numbered* found = instance_.registry.FindNumbered(args[0]);
  if (ABSL_PREDICT_FALSE(found == nullptr)) return request;
  if (ABSL_PREDICT_FALSE(!found->row->subcommands.empty() && args.size() > 1)) {
    request.parent = found->row;
    found = instance_.registry.FindSubcommand(*found, args[1]);
    if (found == nullptr) return request;
  }
  request.row = found->row;
  request.number = found->number;
  request.quick = found->quick;
  if (found->one_key && ArityFits(*request.row, args.size())) {
    HashOneKey(request, keys);
  } else if (request.row->has_keys()) {
    HashKeys(request, keys);
  }
  return request;
}

void Dispatcher::HashOneKey(Prepared& request, Keys& keys) const {
  const auto key = static_cast<size_t>(request.row->keys.first);
  keys.push_back(instance_.keyspace.Hashed(request.args[key]));
  request.one_key = true;
  request.key_count = 1;
}

void Dispatcher::HashKeys(Prepared& request, Keys& keys) const {
  const auto add = [&](size_t i) { keys.push_back(instance_.keyspace.Hashed(request.args[i])); };
  const KeySpec& spec = request.row->keys;
  if (ABSL_PREDICT_FALSE(request.row->find_keys != nullptr)) {
    KeyRefs refs;
    FindKeys(*request.row, request.args, refs);
    for (const KeyRef& ref : refs) add(ref.index);
  } else {
    const auto count = static_cast<int64_t>(request.args.size());
    const int64_t last =
        std::min<int64_t>(spec.last >= 0 ? spec.last : count + spec.last, count - 1);
    for (int64_t i = spec.first; i <= last; i += spec.step) add(static_cast<size_t>(i));
  }
  request.key_count = static_cast<uint32_t>(keys.size()) - request.first_key;
}

// Each pass reads what the one before has asked for, over all keys, so that a group waits for three
// cache misses and not for three times as many as it has keys.
void Dispatcher::PrefetchKeys(size_t db) const {
  const Keyspace& keyspace = instance_.keyspace;
  Database* database = keyspace.FindDatabase(db);
  if (database == nullptr) return;
  const auto shard_of = [&](const Key& key) -> const Shard& {
    return database->shard(keyspace.ShardOf(key.place));
  };
  for (const Key& key : keys_) shard_of(key).PrefetchDirectory(key.place);
  for (const Key& key : keys_) shard_of(key).PrefetchBucket(key.place);
  for (const Prepared& request : prepared()) {
    if (!MayTouchHeaders(request.row, request.args.size())) continue;
    for (uint32_t i = 0; i < request.key_count; ++i) {
      const Key& key = keys_[request.first_key + i];
      shard_of(key).PrefetchHeader(key.place);
    }
  }
  for (const Key& key : keys_) shard_of(key).PrefetchEntry(key.place);
}

void Dispatcher::ReplyUnknown(const Prepared& request, ReplyWriter& reply) const {
  if (request.parent == nullptr) {
    reply.Error(UnknownCommand(request.args));
  } else {
    reply.Error(fmt::format("ERR unknown subcommand '{}'. Try {} HELP.",
                            request.args[1].substr(0, kShownArgument),
                            absl::AsciiStrToUpper(std::string(request.parent->name))));
  }
}

bool Dispatcher::Refuse(Session& session, const Prepared& request, ReplyWriter& reply) const {
  const CommandRow* const row = request.row;
  if (ABSL_PREDICT_TRUE(row != nullptr && ArityFits(*row, request.args.size()) &&
                        (session.authenticated || (row->flags & kNoAuth) != 0))) {
    return false;
  }
  if (row == nullptr) {
    if (IsHttp(request.args[0])) {
      session.close_after_reply = true;
    } else {
      ReplyUnknown(request, reply);
    }
  } else if (!ArityFits(*row, request.args.size())) {
    reply.Error(WrongArity(request.parent, *row));
  } else {
    reply.Error(errors::kNoAuth);
  }
  return true;
}

const CommandRow* Dispatcher::Lookup(std::span<const std::string_view> args,
                                     const CommandRow** parent, ReplyWriter* reply) const {
  Keys keys;
  const Prepared request = Prepare(args, keys);
  *parent = request.parent;
  if (request.row == nullptr) {
    if (reply != nullptr) ReplyUnknown(request, *reply);
    return nullptr;
  }
  if (!ArityFits(*request.row, args.size())) {
    if (reply != nullptr) reply->Error(WrongArity(request.parent, *request.row));
    return nullptr;
  }
  return request.row;
}

inline bool Dispatcher::Asked(const Session& session) const {
  return (session.modes | instance_.modes.load(std::memory_order_relaxed)) != 0;
}

// Runs the handler, whose keys are locked.
inline void Dispatcher::RunLocked(CommandContext& context) {
  const CommandRow& row = context.row;
  if (ABSL_PREDICT_FALSE((context.session.modes & kTracking) != 0)) {
    instance_.hooks->OnKeysLocked(context.session, {context.args, nullptr, &row, context.now_ms});
  }
  row.handler(context);
}

// Runs the handler with the shard of its first key locked.
inline void Dispatcher::RunOnOneShard(CommandContext& context) {
  LockedShard shard(instance_.keyspace, context.view(), context.keys[0].place);
  context.single = &shard;
  RunLocked(context);
}

// Runs the handler with its shards locked.
void Dispatcher::RunHandler(CommandContext& context) {
  if (context.keys.empty() || (context.row.flags & (kLocksItself | kComposite)) != 0) {
    return RunLocked(context);
  }
  const Keyspace& keyspace = instance_.keyspace;
  const size_t first = keyspace.ShardOf(context.keys[0].place);
  const bool one_shard =
      std::all_of(context.keys.begin() + 1, context.keys.end(),
                  [&](const Key& key) { return keyspace.ShardOf(key.place) == first; });
  if (ABSL_PREDICT_TRUE(one_shard)) return RunOnOneShard(context);
  absl::InlinedVector<KeyLocks::Want, 16> wanted;
  for (const Key& key : context.keys) {
    wanted.push_back({static_cast<uint16_t>(context.session.db), key.place});
  }
  KeyLocks locks(instance_.keyspace, context.view(), wanted);
  context.several = &locks;
  RunLocked(context);
}

inline bool Dispatcher::IsPlain(const Session& session, const Prepared& request) const {
  return request.one_key && session.authenticated && session.reply_mode == ReplyMode::kOn &&
         !Asked(session);
}

inline Dispatcher::Outcome Dispatcher::RunPlain(Session& session, const Prepared& request,
                                                int64_t now_ms, ReplyWriter& reply) {
  session.last_command = request.row;
  session.last_subcommand = {};
  const size_t mark = reply.size();
  CommandContext context{instance_, session, *request.row, request.args, reply, now_ms, *this};
  context.keys = {keys_.data() + request.first_key, 1};
  RunOnOneShard(context);
  const auto seen = [&] { return Request{request.args, nullptr, request.row, now_ms}; };
  // It may itself have given the services something to do.
  if (ABSL_PREDICT_FALSE(Asked(session))) instance_.hooks->After(session, seen(), reply);
  if (ABSL_PREDICT_TRUE(!reply.IsError(mark))) return Outcome::kDone;
  NoteError(session, seen(), reply, mark);
  return Outcome::kFailed;
}

Dispatcher::Outcome Dispatcher::RunPrepared(Session& session, const Prepared& request,
                                            int64_t now_ms, ReplyWriter& reply) {
  const size_t mark = reply.size();
  const ReplyMode mode = session.reply_mode;
  // What is skipped may itself ask for the next one to be skipped.
  if (ABSL_PREDICT_FALSE(mode == ReplyMode::kSkipNext)) {
    session.reply_mode = ReplyMode::kOn;
    session.skips_reply = true;
  }
  const bool ran = !Refuse(session, request, reply) && RunChecked(session, request, now_ms, reply);
  if (ABSL_PREDICT_FALSE(!ran)) SayIfExecWasRefused(request.row, reply, mark);
  const bool failed = ABSL_PREDICT_FALSE(reply.IsError(mark));
  if (failed) NoteError(session, {request.args, request.parent, request.row, now_ms}, reply, mark);
  const Outcome outcome = !ran ? Outcome::kRefused : failed ? Outcome::kFailed : Outcome::kDone;
  if (ABSL_PREDICT_TRUE(mode == ReplyMode::kOn)) return outcome;
  if (!session.blocked) session.skips_reply = false;
  if (session.postponed) {
    session.reply_mode = mode;
    return outcome;
  }
  const bool silent = mode == ReplyMode::kOff
                          ? session.reply_mode == ReplyMode::kOff
                          : !TurnsRepliesOn(request.parent, request.row, reply, mark);
  if (silent) reply.Truncate(mark);
  return outcome;
}

// Runs a request while a script is over its time and this thread cannot wait for its end: what may
// run then does, if it touches no key, and everything else is told that the script runs.
Dispatcher::Outcome Dispatcher::RunBesideScript(Session& session, const Prepared& request,
                                                int64_t now_ms, ReplyWriter& reply) {
  const size_t mark = reply.size();
  constexpr uint32_t kWaits = kExclusive | kComposite | kLocksItself;
  const Request seen{request.args, request.parent, request.row, now_ms};
  if (Refuse(session, request, reply)) {
    if (reply.IsError(mark)) NoteError(session, seen, reply, mark);
    return Outcome::kRefused;
  }
  const bool may_run = (request.row->flags & kAllowBusy) != 0 && request.key_count == 0 &&
                       (request.row->flags & kWaits) == 0;
  const bool answered = instance_.hooks->BesideScript(session, seen, may_run, reply);
  if (!answered) {
    CommandContext context{instance_, session, *request.row, request.args, reply, now_ms, *this};
    request.row->handler(context);
  }
  if (!reply.IsError(mark)) return Outcome::kDone;
  if (answered) SayIfExecWasRefused(request.row, reply, mark);
  NoteError(session, seen, reply, mark);
  return answered ? Outcome::kRefused : Outcome::kFailed;
}

size_t Dispatcher::RunBesideScript(Session& session, const RequestBatch& batch, size_t from,
                                   ReplyWriter& reply) {
  const int64_t now_ms = instance_.clock.NowMs();
  session.last_active_ms = now_ms;
  size_t next = from;
  bool stop = false;
  while (next < batch.size() && !stop) {
    keys_.clear();
    const Prepared request = Prepare(batch[next++], keys_);
    const size_t mark = reply.size();
    const ReplyMode mode = session.reply_mode;
    if (mode == ReplyMode::kSkipNext) session.reply_mode = ReplyMode::kOn;
    const uint64_t before = CycleCount();
    const Outcome outcome = RunBesideScript(session, request, now_ms, reply);
    if (mode != ReplyMode::kOn) reply.Truncate(mark);
    CountTimed(session, request, outcome, CycleCount() - before, now_ms);
    stop = MustStop(session, reply);
  }
  instance_.stats.commands_processed.fetch_add(static_cast<int64_t>(next - from),
                                               std::memory_order_relaxed);
  return next;
}

bool Dispatcher::MustStop(const Session& session, const ReplyWriter& reply) {
  return session.blocked || session.close_after_reply || session.killed ||
         reply.size() >= kOutputPauseBytes;
}

bool Dispatcher::AreTimedTogether() const {
  // A threshold so low that single quick commands may pass it asks for each one's time.
  constexpr uint64_t kLowThreshold = 1'000'000;  // cycles
  if (instance_.slow_cycles.load(std::memory_order_relaxed) < kLowThreshold) return false;
  return std::ranges::all_of(prepared(), [&](const Prepared& request) {
    return request.quick && request.row == prepared_.front().row;
  });
}

void Dispatcher::CountTimed(Session& session, const Prepared& request, Outcome outcome,
                            uint64_t cycles, int64_t now_ms) {
  if (request.row == nullptr) return;
  if (outcome == Outcome::kRefused) return stats_->CountRejected(request.number);
  if (outcome == Outcome::kFailed) stats_->CountFailed(request.number);
  stats_->Count(request.number, cycles, 1);
  if (ABSL_PREDICT_TRUE(cycles < instance_.slow_cycles.load(std::memory_order_relaxed))) return;
  const double us =
      static_cast<double>(cycles) * instance_.command_stats.scale().NsPerCycle() / 1000;
  instance_.hooks->OnSlow(session, {request.args, request.parent, request.row, now_ms},
                          static_cast<int64_t>(us));
}

// Counts the error that was written since the mark.
void Dispatcher::NoteError(Session& session, const Request& request, const ReplyWriter& reply,
                           size_t mark) {
  instance_.stats.error_replies.fetch_add(1, std::memory_order_relaxed);
  if (instance_.hooks == nullptr) return;
  const std::string_view text = reply.view(mark).substr(1);
  instance_.hooks->OnError(session, request, text.substr(0, text.find('\r')));
}

// Runs a request that nothing in itself forbids, with the services' say before and after.
bool Dispatcher::RunChecked(Session& session, const Prepared& prepared, int64_t now_ms,
                            ReplyWriter& reply) {
  const CommandRow& row = *prepared.row;
  session.last_command = prepared.parent != nullptr ? prepared.parent : &row;
  session.last_subcommand = prepared.parent != nullptr ? row.name : std::string_view();
  const auto request = [&] { return Request{prepared.args, prepared.parent, &row, now_ms}; };
  if (ABSL_PREDICT_FALSE(Asked(session)) && instance_.hooks->Before(session, request(), reply)) {
    return false;
  }
  CommandContext context{instance_, session, row, prepared.args, reply, now_ms, *this};
  context.keys = {keys_.data() + prepared.first_key, prepared.key_count};
  RunHandler(context);
  if (ABSL_PREDICT_FALSE(Asked(session))) instance_.hooks->After(session, request(), reply);
  return true;
}

void Dispatcher::RunNested(Session& session, std::span<const std::string_view> args, int64_t now_ms,
                           HeldShards* held, ReplyWriter& reply) {
  Keys keys;
  const Prepared request = Prepare(args, keys);
  const Request seen{args, request.parent, request.row, now_ms};
  const size_t mark = reply.size();
  const auto allowed = [&] {
    return ABSL_PREDICT_TRUE((session.modes & kRestricted) == 0) ||
           instance_.hooks->MayRunNested(session, seen, reply);
  };
  if (!Refuse(session, request, reply) && allowed()) {
    if (ABSL_PREDICT_FALSE(Asked(session)) && held != nullptr) {
      instance_.hooks->OnNested(session, seen);
    }
    CommandContext context{instance_, session, *request.row, args, reply, now_ms, *this, held};
    context.keys = {keys.data(), keys.size()};
    const uint64_t before = CycleCount();
    RunHandler(context);
    stats_->Count(request.number, CycleCount() - before, 1);
  }
  if (!reply.IsError(mark)) return;
  NoteError(session, seen, reply, mark);
  if (request.row != nullptr) stats_->CountFailed(request.number);
}

// Runs the prepared requests until one is the last for now (`stop`), and counts them. Returns how
// many ran.
template <typename Pass>
size_t Dispatcher::RunGroup(Pass& pass, Session& session, int64_t now_ms, ReplyWriter& reply,
                            bool& stop) {
  const bool together = AreTimedTogether();
  uint64_t before = CycleCount();
  int64_t timed = 0;
  size_t done = 0;
  while (done < prepared_count_ && !stop) {
    const Prepared& request = prepared_[done];
    Outcome outcome = Outcome::kDone;
    if (ABSL_PREDICT_TRUE(IsPlain(session, request))) {
      outcome = RunPlain(session, request, now_ms, reply);
    } else {
      pass.Run(
          session, request.row, [&] { outcome = RunPrepared(session, request, now_ms, reply); },
          [&] { outcome = RunBesideScript(session, request, now_ms, reply); });
    }
    stop = MustStop(session, reply);
    if (ABSL_PREDICT_FALSE(session.postponed)) break;
    ++done;
    if (ABSL_PREDICT_TRUE(together && outcome == Outcome::kDone)) {
      ++timed;
      continue;
    }
    const uint64_t after = CycleCount();
    CountTimed(session, request, outcome, after - before, now_ms);
    if (!together) before = after;
  }
  if (timed > 0) stats_->Count(prepared_.front().number, CycleCount() - before, timed);
  return done;
}

size_t Dispatcher::Run(Session& session, const RequestBatch& batch, size_t from,
                       ReplyWriter& reply) {
  Gate& gate = instance_.keyspace.gate();
  while (ABSL_PREDICT_FALSE(IsScriptBusy(instance_) || !gate.TryEnter())) {
    if (!IsScriptBusy(instance_)) {
      gate.AwaitOpen();
      continue;
    }
    const Gate::Bypass inside(gate);
    if (IsScriptBusy(instance_)) return RunBesideScript(session, batch, from, reply);
  }
  GatePass pass(instance_);
  size_t next = from;
  bool stop = false;
  while (next < batch.size() && !stop) {
    const size_t group = std::min(kGroup, batch.size() - next);
    keys_.clear();
    for (size_t i = 0; i < group; ++i) {
      prepared_[i] = Prepare(batch[next + i], keys_, i == 0 ? nullptr : &prepared_[i - 1]);
    }
    prepared_count_ = group;
    if (keys_.size() > 1) PrefetchKeys(static_cast<size_t>(session.db));
    // Time stands still for a command, and for the few that were prepared with it.
    const int64_t now_ms = instance_.clock.NowMs();
    session.last_active_ms = now_ms;
    next += RunGroup(pass, session, now_ms, reply, stop);
    // Whoever runs a batch holds what is left of it, and runs that again.
    session.postponed = false;
  }
  instance_.stats.commands_processed.fetch_add(static_cast<int64_t>(next - from),
                                               std::memory_order_relaxed);
  return next;
}

void Dispatcher::RunOne(Session& session, std::span<const std::string_view> args,
                        ReplyWriter& reply) {
  instance_.keyspace.gate().Enter();
  GatePass pass(instance_);
  keys_.clear();
  prepared_[0] = Prepare(args, keys_);
  prepared_count_ = 1;
  const int64_t now_ms = instance_.clock.NowMs();
  session.last_active_ms = now_ms;
  bool stop = false;
  RunGroup(pass, session, now_ms, reply, stop);
  instance_.stats.commands_processed.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace lapse
