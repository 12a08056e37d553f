#include "server/services/blocking.h"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/buffer.h"
#include "server/core/dispatcher.h"
#include "server/services/session_state.h"

namespace lapse {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr int64_t kNsPerUs = 1000;
constexpr int64_t kNsPerMs = 1'000'000;
// After so long an overdue waiter that is claimed just now is looked at again.
constexpr int64_t kClaimedNs = kNsPerMs;
constexpr std::string_view kUnblocked = "UNBLOCKED client unblocked via CLIENT UNBLOCK";

int64_t DeadlineAfter(int64_t now_ns, int64_t timeout_ms) {
  if (timeout_ms <= 0 || timeout_ms > (kNever - now_ns) / kNsPerMs) return kNever;
  return now_ns + timeout_ms * kNsPerMs;
}

}  // namespace

// The waiters of one key. Kept while it has any, or is being served.
struct Blocking::Queue {
  uint16_t db;
  std::string name;
  WaiterList waiters;
  std::array<uint32_t, kValueTypes> of_type{};  // how many of them wait for each type
  uint32_t heeding_removal = 0;
  bool listed = false;   // in ready_
  bool serving = false;  // by `server`
  bool again = false;    // became ready while it was served
  bool removed = false;  // the last that was heard of the key
  std::thread::id server;
};

struct Blocking::Waiter {
  struct Place {
    Queue* queue;
    WaiterList::iterator at;
    std::vector<std::string> retry;
  };

  uint64_t session_id = 0;
  uint16_t db = 0;
  int resp = 2;
  bool no_touch = false;
  std::string user;
  ValueType type;
  bool heeds_removal = false;
  int64_t deadline_ns = kNever;
  std::optional<int64_t> timeout_answer;
  std::vector<Place> places;
  DeferredReply reply;

  bool claimed = false;
  // While claimed: another key's turn came, the session ended, CLIENT UNBLOCK was said.
  bool passed_over = false;
  bool gone = false;
  std::optional<bool> unblock_with_error;

  void AnswerTimeout() {
    reply.Complete([answer = timeout_answer](ReplyWriter& out) {
      answer ? out.Integer(*answer) : out.NullArray();
    });
  }
  void AnswerUnblocked(bool with_error) {
    if (!with_error) return AnswerTimeout();
    reply.Complete([](ReplyWriter& out) { out.Error(kUnblocked); });
  }
};

// Runs retries, and gives answers away when the lock is not held.
class Blocking::Retrier {
 public:
  explicit Retrier(Instance& instance) : dispatcher_(instance), now_ms_(instance.clock.NowMs()) {
    StateOf(session_).retry_in_vain = &in_vain_;
  }
  ~Retrier() { GiveAnswers(); }
  Retrier(const Retrier&) = delete;
  Retrier& operator=(const Retrier&) = delete;

  // Returns whether the retry got something, and keeps that. Requires: mu_ is not held.
  bool Run(const Waiter& waiter, const std::vector<std::string>& request) {
    GiveAnswers();
    session_.id = waiter.session_id;
    session_.db = waiter.db;
    session_.resp = waiter.resp;
    session_.no_touch = waiter.no_touch;
    session_.user = waiter.user;
    out_.Clear();
    in_vain_ = false;
    words_.assign(request.begin(), request.end());
    ReplyWriter reply(out_, waiter.resp);
    dispatcher_.RunNested(session_, words_, now_ms_, nullptr, reply);
    return !in_vain_;
  }

  // Takes over a waiter that is to be answered with what the last Run got, or as CLIENT UNBLOCK
  // asked for.
  void AnswerServed(std::unique_ptr<Waiter> waiter) {
    answers_.push_back({std::move(waiter), std::string(out_.view())});
  }
  void AnswerUnblocked(std::unique_ptr<Waiter> waiter) {
    answers_.push_back({std::move(waiter), std::nullopt});
  }

 private:
  struct Answer {
    std::unique_ptr<Waiter> waiter;
    std::optional<std::string> bytes;
  };

  void GiveAnswers() {
    for (Answer& answer : answers_) {
      if (!answer.bytes) {
        answer.waiter->AnswerUnblocked(*answer.waiter->unblock_with_error);
        continue;
      }
      answer.waiter->reply.Complete(
          [bytes = std::move(*answer.bytes)](ReplyWriter& out) { out.Raw(bytes); });
    }
    answers_.clear();
  }

  Dispatcher dispatcher_;
  const int64_t now_ms_;
  Session session_;
  Buffer out_;
  std::vector<std::string_view> words_;
  bool in_vain_ = false;
  std::vector<Answer> answers_;
};

Blocking::Blocking(Instance& instance)
    : instance_(instance), queues_(instance.keyspace.database_count()) {
  instance.keyspace.effects().AddIdle(this);
}

Blocking::~Blocking() = default;

// --- waiting ---

bool Blocking::IsRetry(const CommandContext& ctx) {
  const ClientState* const state = FindState(ctx.session);
  return state != nullptr && state->retry_in_vain != nullptr;
}

bool Blocking::Block(CommandContext& ctx, Wait wait) {
  if (IsRetry(ctx)) {
    *StateOf(ctx.session).retry_in_vain = true;
    return true;
  }
  if (ctx.nested()) return false;
  StateOf(ctx.session);  // so that the services hear of the session's end
  auto waiter = std::make_unique<Waiter>();
  waiter->session_id = ctx.session.id;
  waiter->db = ctx.view().db;
  waiter->resp = ctx.session.resp;
  waiter->no_touch = ctx.session.no_touch;
  waiter->user = ctx.session.user;
  waiter->type = wait.type;
  waiter->heeds_removal = wait.heeds_removal;
  waiter->timeout_answer = wait.timeout_answer;
  waiter->deadline_ns = DeadlineAfter(NowNs(instance_), wait.timeout_ms);
  waiter->reply = ctx.Defer();
  const int64_t deadline_ns = waiter->deadline_ns;

  // Before the shards are unlocked: whoever changes the keys next sees that somebody listens.
  instance_.keyspace.effects().Listen();
  waiting_.fetch_add(1, std::memory_order_relaxed);
  MutexGuard guard(mu_);
  for (WaitedKey& key : wait.keys) {
    Queue& queue = QueueOf(waiter->db, key.name);
    const bool twice =
        std::any_of(waiter->places.begin(), waiter->places.end(),
                    [&](const Waiter::Place& place) { return place.queue == &queue; });
    if (!twice) waiter->places.push_back({&queue, {}, std::move(key.retry)});
  }
  Enqueue(std::move(waiter));
  if (deadline_ns < driver_wakes_ns_) {
    driver_wakes_ns_ = deadline_ns;
    wake_wanted_.store(true, std::memory_order_relaxed);
    // Has Serve called, which wakes the driver when no shard is locked.
    instance_.modes.fetch_or(kReadyKeys, std::memory_order_relaxed);
  }
  return true;
}

Blocking::Queue& Blocking::QueueOf(uint16_t db, const std::string& name) {
  std::unique_ptr<Queue>& queue = queues_[db][name];
  if (queue == nullptr) {
    queue = std::make_unique<Queue>();
    queue->db = db;
    queue->name = name;
  }
  return *queue;
}

void Blocking::Enqueue(std::unique_ptr<Waiter> waiter) {
  for (Waiter::Place& place : waiter->places) {
    Queue& queue = *place.queue;
    place.at = queue.waiters.insert(queue.waiters.end(), waiter.get());
    ++queue.of_type[static_cast<size_t>(waiter->type)];
    if (waiter->heeds_removal) ++queue.heeding_removal;
  }
  if (waiter->deadline_ns != kNever) {
    deadlines_.emplace(waiter->deadline_ns, waiter->session_id);
  }
  const uint64_t id = waiter->session_id;
  waiters_[id] = std::move(waiter);
}

std::unique_ptr<Blocking::Waiter> Blocking::Detach(Waiter& waiter) {
  for (Waiter::Place& place : waiter.places) {
    Queue& queue = *place.queue;
    queue.waiters.erase(place.at);
    --queue.of_type[static_cast<size_t>(waiter.type)];
    if (waiter.heeds_removal) --queue.heeding_removal;
    DropIfUnused(queue);
  }
  deadlines_.erase({waiter.deadline_ns, waiter.session_id});
  const auto found = waiters_.find(waiter.session_id);
  std::unique_ptr<Waiter> detached = std::move(found->second);
  waiters_.erase(found);
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  instance_.keyspace.effects().StopListening();
  return detached;
}

void Blocking::DropIfUnused(Queue& queue) {
  if (!queue.waiters.empty() || queue.serving || queue.listed) return;
  const std::string name = std::move(queue.name);
  queues_[queue.db].erase(name);
}

// --- becoming ready ---

void Blocking::OnEffect(const Effect& effect) {
  if (waiting_.load(std::memory_order_relaxed) == 0) return;
  if (effect.kind == EffectKind::kDeadline) return;
  MutexGuard guard(mu_);
  const auto found =
      queues_[effect.db].find(absl::string_view(effect.key.data(), effect.key.size()));
  if (found == queues_[effect.db].end()) return;
  Queue& queue = *found->second;
  queue.removed = effect.kind != EffectKind::kWritten;
  if (queue.removed && queue.heeding_removal == 0) return;
  // What a retry does itself, its server goes on after anyway.
  if (queue.serving && queue.server == std::this_thread::get_id()) return;
  MarkReady(queue);
}

void Blocking::MarkReady(Queue& queue) {
  if (queue.serving) {
    queue.again = true;
    return;
  }
  if (queue.listed) return;
  queue.listed = true;
  ready_.push_back(&queue);
  instance_.modes.fetch_or(kReadyKeys, std::memory_order_relaxed);
}

void Blocking::MarkAllReady(const Waiter& waiter) {
  for (const Waiter::Place& place : waiter.places) MarkReady(*place.queue);
}

void Blocking::NoteDatabase(size_t db) {
  if (waiting_.load(std::memory_order_relaxed) == 0) return;
  MutexGuard guard(mu_);
  for (const auto& [name, queue] : queues_[db]) MarkReady(*queue);
}

// --- serving ---

void Blocking::Serve() {
  if (wake_wanted_.exchange(false, std::memory_order_relaxed) && wake_) wake_();
  {
    MutexGuard guard(mu_);
    if (ready_.empty()) return EndReady();
  }
  Retrier retrier(instance_);
  bool unfinished = false;
  {
    MutexGuard guard(mu_);
    int retries = 0;
    while (!ready_.empty() && retries < kMostRetries) {
      Queue& queue = *ready_.front();
      ready_.pop_front();
      queue.listed = false;
      queue.serving = true;
      queue.server = std::this_thread::get_id();
      ServeQueue(queue, retrier, retries);
      queue.serving = false;
      if (std::exchange(queue.again, false)) MarkReady(queue);
      DropIfUnused(queue);
    }
    unfinished = !ready_.empty();
    if (!unfinished) EndReady();
  }
  if (unfinished && wake_) wake_();
}

void Blocking::EndReady() {
  if (wake_wanted_.load(std::memory_order_relaxed)) return;
  instance_.modes.fetch_and(~uint32_t{kReadyKeys}, std::memory_order_relaxed);
}

// Goes through the waiters in their order, for as long as one may find something.
void Blocking::ServeQueue(Queue& queue, Retrier& retrier, int& retries) {
  std::array<bool, kValueTypes> exhausted{};
  queue.removed = false;
  const auto worth_looking = [&] {
    for (size_t type = 0; type < exhausted.size(); ++type) {
      if (queue.of_type[type] > 0 && !exhausted[type]) return true;
    }
    return false;
  };
  for (auto at = queue.waiters.begin(); at != queue.waiters.end() && worth_looking();) {
    Waiter& waiter = **at;
    const auto type = static_cast<size_t>(waiter.type);
    if (exhausted[type]) {
      ++at;
      continue;
    }
    if (waiter.claimed) {
      // Whoever runs its retry for another key has this one looked at afterwards.
      waiter.passed_over = true;
      return;
    }
    if (retries >= kMostRetries) {
      queue.again = true;
      return;
    }
    ++retries;
    waiter.claimed = true;
    const auto place = std::find_if(waiter.places.begin(), waiter.places.end(),
                                    [&](const auto& candidate) { return candidate.at == at; });
    mu_.Unlock();
    const bool served = retrier.Run(waiter, place->retry);
    mu_.Lock();
    waiter.claimed = false;
    ++at;  // while the waiter is in the list still
    if (!served && waiter.type != ValueType::kStream) exhausted[type] = true;
    Settle(waiter, served, retrier);
    if (served && queue.removed && queue.heeding_removal == 0) return;
  }
}

void Blocking::Settle(Waiter& waiter, bool served, Retrier& retrier) {
  if (std::exchange(waiter.passed_over, false)) MarkAllReady(waiter);
  if (served) {
    retrier.AnswerServed(Detach(waiter));
  } else if (waiter.gone) {
    Detach(waiter);
  } else if (waiter.unblock_with_error) {
    retrier.AnswerUnblocked(Detach(waiter));
  }
}

// --- ending otherwise ---

bool Blocking::Unblock(uint64_t session_id, bool with_error) {
  std::unique_ptr<Waiter> detached;
  {
    MutexGuard guard(mu_);
    const auto found = waiters_.find(session_id);
    if (found == waiters_.end()) return false;
    Waiter& waiter = *found->second;
    if (waiter.claimed) {
      waiter.unblock_with_error = with_error;
      return true;
    }
    detached = Detach(waiter);
  }
  detached->AnswerUnblocked(with_error);
  return true;
}

void Blocking::Forget(const Session& session) {
  std::unique_ptr<Waiter> detached;  // destroyed after the lock is gone
  MutexGuard guard(mu_);
  const auto found = waiters_.find(session.id);
  if (found == waiters_.end()) return;
  if (found->second->claimed) {
    found->second->gone = true;
  } else {
    detached = Detach(*found->second);
  }
}

std::vector<std::unique_ptr<Blocking::Waiter>> Blocking::TakeOverdue(int64_t now_ns) {
  std::vector<std::unique_ptr<Waiter>> overdue;
  auto at = deadlines_.begin();
  while (at != deadlines_.end() && at->first <= now_ns) {
    Waiter& waiter = *waiters_.find(at->second)->second;
    if (waiter.claimed) {
      ++at;
      continue;
    }
    const auto key = *at;
    overdue.push_back(Detach(waiter));
    at = deadlines_.upper_bound(key);
  }
  return overdue;
}

int64_t Blocking::Drive(int64_t rest_us) {
  if ((instance_.modes.load(std::memory_order_relaxed) & kReadyKeys) != 0) {
    const Gate::Shared inside(instance_.keyspace.gate());
    Serve();
  }
  std::vector<std::unique_ptr<Waiter>> overdue;
  int64_t wakes_ns = 0;
  const int64_t now_ns = NowNs(instance_);
  {
    MutexGuard guard(mu_);
    overdue = TakeOverdue(now_ns);
    wakes_ns = now_ns + std::max<int64_t>(rest_us, 0) * kNsPerUs;
    if (!deadlines_.empty()) {
      const int64_t next_ns = deadlines_.begin()->first;
      wakes_ns = std::min(wakes_ns, next_ns <= now_ns ? now_ns + kClaimedNs : next_ns);
    }
    driver_wakes_ns_ = wakes_ns;
  }
  for (const auto& waiter : overdue) waiter->AnswerTimeout();
  // Rounded up: a look just before the deadline would be in vain.
  return (wakes_ns - now_ns + kNsPerUs - 1) / kNsPerUs;
}

size_t Blocking::timeouts() const {
  MutexGuard guard(mu_);
  return deadlines_.size();
}

size_t Blocking::key_count() const {
  MutexGuard guard(mu_);
  size_t count = 0;
  for (const auto& of_database : queues_) count += of_database.size();
  return count;
}

}  // namespace lapse
