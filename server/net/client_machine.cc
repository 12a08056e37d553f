#include "server/net/client_machine.h"

#include <algorithm>
#include <utility>

#include "protocol/reply_writer.h"

namespace lapse {
namespace {

using Result = RequestParser::Result;

// A large buffer is kept while it is used: what was in it when it ran empty is a quarter or more.
void ShrinkEmptied(Buffer& buffer, size_t used) {
  if (buffer.capacity() > ClientMachine::kKeepBytes && used < buffer.capacity() / 4) {
    buffer.Release();
  }
}

}  // namespace

ClientMachine::ClientMachine(Workbench& bench, std::shared_ptr<Resumer> resumer)
    : bench_(bench), parser_(bench.limits().protocol), limits_version_(bench.limits_version()) {
  session_.resumer = std::move(resumer);
}

ClientMachine::~ClientMachine() { Unlist(); }

void ClientMachine::List() {
  Instance& instance = bench_.instance();
  {
    const Gate::Shared inside(instance.keyspace.gate());
    instance.hooks->OnSessionStart(session_);
    session_.created_ms = session_.last_active_ms = instance.clock.NowMs();
  }
  instance.clients.Add(&session_);
  listed_ = true;
}

void ClientMachine::Unlist() {
  closing_ = true;
  if (std::exchange(listed_, false)) {
    bench_.instance().ForgetState(session_);
    bench_.instance().clients.Remove(&session_);
    bench_.instance().stats.connection_bytes.fetch_sub(reported_bytes_, std::memory_order_relaxed);
  }
  session_.resumer.reset();
}

bool ClientMachine::wants_read() const {
  return !closing_ && held_ == nullptr && !session_.blocked &&
         unsent_bytes() < Dispatcher::kOutputPauseBytes;
}

bool ClientMachine::wants_watch() const {
  const size_t room_ends = held_ != nullptr ? input_.capacity() : kReadBytes;
  return !closing_ && session_.blocked && input_.size() < room_ends;
}

std::span<char> ClientMachine::PrepareRead() {
  if (held_ != nullptr) {
    // Within the capacity the buffer stays where it is, and so do the requests in it.
    return {input_.data() + input_.size(), input_.capacity() - input_.size()};
  }
  // A large argument is given room as it arrives, at most as much again as is there already: what
  // a client announces is not believed.
  size_t want = input_.capacity() == 0 ? kReadBytes : kMinReadBytes;
  want = std::clamp(parser_.missing_bytes(), want, std::max(kReadBytes, input_.size()));
  if (session_.blocked) want = std::min(want, kReadBytes - std::min(kReadBytes, input_.size()));
  char* const begin = input_.Prepare(want);
  return {begin, input_.capacity() - input_.size()};
}

void ClientMachine::OnBytes(size_t n) {
  input_.Commit(n);
  bench_.CountRead(n);
  active_ = true;
  Advance();
}

std::string_view ClientMachine::output() {
  if (sending_.empty()) std::swap(sending_, gathering_);
  return sending_.view().substr(sent_);
}

void ClientMachine::OnWritten(size_t n) {
  bench_.CountWrite(n);
  active_ = true;
  sent_ += n;
  if (sent_ == sending_.size()) {
    sending_.Clear();
    ShrinkEmptied(sending_, sent_);
    // The two take turns; without this a large one would be found only when its own comes.
    if (gathering_.empty()) ShrinkEmptied(gathering_, sent_);
    sent_ = 0;
  }
  // Requests wait in a batch that stopped, or in the buffer behind one that ended as the output was
  // full.
  if (held_ != nullptr || parsed_ == Result::kBatchFull) {
    Advance();
  } else {
    Report();
  }
}

void ClientMachine::OnResume(const std::function<void(ReplyWriter&)>& write_reply) {
  if (!session_.blocked || closing_) return;
  Instance& instance = bench_.instance();
  {
    const Gate::Shared inside(instance.keyspace.gate());
    session_.blocked = false;
    instance.clients.CountBlocked(-1);
    const size_t before = gathering_.size();
    ReplyWriter reply(gathering_, session_.resp);
    write_reply(reply);
    const bool skipped = std::exchange(session_.skips_reply, false);
    if (skipped || session_.reply_mode == ReplyMode::kOff) gathering_.Truncate(before);
    closing_ = session_.close_after_reply;
  }
  Advance();
}

void ClientMachine::OnPush(const std::function<void(ReplyWriter&)>& write_push) {
  if (closing_) return;
  {
    const Gate::Shared inside(bench_.instance().keyspace.gate());
    ReplyWriter push(gathering_, session_.resp);
    write_push(push);
  }
  CheckOutput();
  Report();
}

bool ClientMachine::can_run() const {
  return !closing_ && !session_.blocked && unsent_bytes() < Dispatcher::kOutputPauseBytes;
}

void ClientMachine::Advance() {
  while (can_run()) {
    if (held_ == nullptr && !ParseNext()) break;
    if (!RunBatch()) break;
    EndBatch();
    if (parsed_ != Result::kBatchFull) break;
  }
  if (held_ == nullptr) DropParsed();
  CheckOutput();
  Report();
}

// Parses what the buffer holds into the thread's batch. Returns false when there is nothing left.
bool ClientMachine::ParseNext() {
  if (taken_ == input_.size()) return false;
  const ClientLimits& limits = bench_.limits();
  if (limits_version_ != bench_.limits_version()) [[unlikely]] {
    limits_version_ = bench_.limits_version();
    parser_.set_limits(limits.protocol);
  }
  parser_.set_authenticated(session_.authenticated);
  // A request before authentication may lift the limits of those behind it.
  const size_t most = session_.authenticated ? kMaxBatch : 1;
  parsed_ = parser_.Parse(input_.view().substr(taken_), most, bench_.batch(), batch_bytes_);
  next_ = 0;
  return true;
}

// Runs the current batch from where it stands. Returns false when it did not come to its end, and
// then holds what is left of it.
bool ClientMachine::RunBatch() {
  RequestBatch& batch = held_ != nullptr ? *held_ : bench_.batch();
  if (next_ < batch.size()) {
    ReplyWriter reply(gathering_, session_.resp);
    next_ = bench_.Run(session_, batch, next_, reply);
    closing_ = session_.close_after_reply;
  }
  if (closing_) {
    held_.reset();
    return false;
  }
  if (next_ == batch.size()) return true;
  if (held_ == nullptr) {
    held_ = std::make_unique<RequestBatch>(std::move(bench_.batch()));
    bench_.batch() = RequestBatch();
  }
  return false;
}

void ClientMachine::EndBatch() {
  held_.reset();
  taken_ += std::exchange(batch_bytes_, 0);
  if (parsed_ == Result::kError) {
    ReplyWriter(gathering_, session_.resp).Error(parser_.error());
    closing_ = true;
  }
}

// Drops the bytes of requests that have run, all batches' at once.
void ClientMachine::DropParsed() {
  const size_t used = input_.size();
  input_.Consume(std::exchange(taken_, 0));
  if (input_.empty()) {
    ShrinkEmptied(input_, used);
  } else if (input_.size() > kReadBytes && input_.size() > bench_.limits().query_buffer_bytes) {
    Fail(Fault::kQueryBuffer);
  }
}

// Of the client's class.
const OutputLimit& ClientMachine::output_limit() {
  const ClientLimits& limits = bench_.limits();
  return (session_.modes & kSubscribed) != 0 ? limits.pubsub_output : limits.output;
}

void ClientMachine::CheckOutput() {
  if (unsent_bytes() < kKeepBytes) return;  // no limit is taken that literally
  const int64_t hard = output_limit().hard_bytes;
  if (hard > 0 && static_cast<int64_t>(unsent_bytes()) > hard) Fail(Fault::kOutputBuffer);
}

void ClientMachine::Fail(Fault fault) {
  if (fault_ != Fault::kNone) return;
  fault_ = fault;
  closing_ = true;
  ServerStats& stats = bench_.instance().stats;
  if (fault == Fault::kQueryBuffer) {
    stats.query_limit_disconnections.fetch_add(1, std::memory_order_relaxed);
  } else if (fault == Fault::kOutputBuffer) {
    stats.output_limit_disconnections.fetch_add(1, std::memory_order_relaxed);
  }
}

void ClientMachine::OnSecond() {
  const ClientLimits& limits = bench_.limits();
  idle_seconds_ = std::exchange(active_, false) ? 0 : idle_seconds_ + 1;
  if (limits.idle_seconds > 0 && idle_seconds_ > limits.idle_seconds && !session_.blocked &&
      (session_.modes & (kSubscribed | kMonitoring)) == 0) {
    Fail(Fault::kIdle);
  }
  if (closing_ && ++closing_seconds_ > kMaxClosingSeconds) Fail(Fault::kIdle);

  const OutputLimit& output = output_limit();
  const int64_t soft = output.soft_bytes;
  const bool above = soft > 0 && static_cast<int64_t>(unsent_bytes()) > soft;
  soft_seconds_ = above ? soft_seconds_ + 1 : 0;
  if (soft_seconds_ > output.soft_seconds) Fail(Fault::kOutputBuffer);
}

bool ClientMachine::can_release() const {
  return held_ == nullptr && input_.empty() && unsent_bytes() == 0 &&
         input_.capacity() + gathering_.capacity() + sending_.capacity() > 0;
}

void ClientMachine::ReleaseBuffers() {
  input_.Release();
  gathering_.Release();
  sending_.Release();
  Report();
}

// Tells the session and the instance what the buffers hold. Costs three plain stores as long as no
// buffer has grown or shrunk.
void ClientMachine::Report() {
  session_.query_buffer_bytes.store(input_.size(), std::memory_order_relaxed);
  session_.query_buffer_free_bytes.store(input_.capacity() - input_.size(),
                                         std::memory_order_relaxed);
  session_.output_bytes.store(unsent_bytes(), std::memory_order_relaxed);
  const auto bytes =
      static_cast<int64_t>(input_.capacity() + gathering_.capacity() + sending_.capacity());
  if (bytes != reported_bytes_ && listed_) [[unlikely]] {
    bench_.instance().stats.connection_bytes.fetch_add(bytes - reported_bytes_,
                                                       std::memory_order_relaxed);
    reported_bytes_ = bytes;
  }
}

}  // namespace lapse
