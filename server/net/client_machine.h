// One client's side of the protocol as a state machine without I/O: bytes in, bytes out, and what
// to do next. The socket shell (connection.h) moves the bytes; tests move them without any socket.
//
//      shell                         machine
//      PrepareRead()  <------------  room in the read buffer
//      OnBytes(n)     ------------>  parse the whole buffer, run the batch
//      output()       <------------  replies that are not sent yet
//      OnWritten(n)   ------------>  drop them; go on with requests that had to wait
//      OnResume(f)    ------------>  a blocked session's answer; go on
//
// A batch may stop half-way: because a command blocks the session, because it closes it, or because
// kOutputPauseBytes of replies wait to be sent. The requests that are left are views into the read
// buffer, so that until they have run nothing is read that would move it: memory follows what the
// client may send in one go, never what it sends while it waits.
//
// Invariants:
//   1. Replies leave in the order of the requests, whatever the pieces in which bytes come.
//   2. After closing() nothing is parsed or run; what output() still holds may be sent.
//   3. Unsent output stays below twice kOutputPauseBytes plus one request's reply, and what is
//   pushed
//      beside replies below the limit of the client's class.
//   4. While batch_held() the read buffer keeps its address.
//
// Thread: the io thread whose Workbench it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "protocol/buffer.h"
#include "protocol/request_parser.h"
#include "server/core/session.h"
#include "server/net/workbench.h"

namespace lapse {

class ClientMachine {
 public:
  // The read buffer's first size, and the least that a read is offered later.
  static constexpr size_t kReadBytes = size_t{16} << 10;
  static constexpr size_t kMinReadBytes = size_t{4} << 10;
  // Buffers up to this size are kept between requests, whatever is used of them.
  static constexpr size_t kKeepBytes = size_t{64} << 10;
  // The most requests of one batch: it bounds how long a client keeps its thread.
  static constexpr size_t kMaxBatch = 256;
  // How long a client may take to fetch the last reply before it is cut off.
  static constexpr int64_t kMaxClosingSeconds = 10;

  // What ended the session, when the client itself did not.
  enum class Fault : uint8_t { kNone, kQueryBuffer, kOutputBuffer, kIdle };

  // The workbench outlives the machine. Lists the session; the destructor or Unlist takes it off.
  // Requires: not inside the gate, as all methods.
  ClientMachine(Workbench& bench, std::shared_ptr<Resumer> resumer);
  ~ClientMachine();
  ClientMachine(const ClientMachine&) = delete;
  ClientMachine& operator=(const ClientMachine&) = delete;

  Session& session() { return session_; }
  // To be called when `session()` says where it comes from.
  void List();
  // Nothing more is run; the session lets go of its resumer.
  void Unlist();

  // Whether bytes should be read as they come.
  bool wants_read() const;
  // Whether to watch out for bytes, or the connection's end, though no requests can be run: the
  // session is blocked, and there is room left.
  bool wants_watch() const;
  // Where to read to; empty unless one of the above. Invalidated by every other method.
  std::span<char> PrepareRead();
  // n bytes were read to where PrepareRead said.
  void OnBytes(size_t n);

  // What is to be sent. Its bytes stay where they are until OnWritten has taken them all, whatever
  // is called meanwhile.
  std::string_view output();
  void OnWritten(size_t n);

  // Gives the blocked session its answer and goes on. Without effect when it is not blocked.
  void OnResume(const std::function<void(ReplyWriter&)>& write_reply);

  // Writes something between two replies.
  void OnPush(const std::function<void(ReplyWriter&)>& write_push);

  // Nothing more will be run: send the output, then hang up.
  bool closing() const { return closing_; }
  // The session broke a limit: hang up now.
  Fault fault() const { return fault_; }
  // Ends the session for a reason found elsewhere.
  void Fail(Fault fault);

  // To be called once a second: looks for idle and slow clients.
  void OnSecond();
  // Seconds without a byte in either direction.
  int64_t idle_seconds() const { return idle_seconds_; }
  // Whether the buffers may be given back (nothing is in them).
  bool can_release() const;
  // Gives them back. Requires: can_release(), and no read in flight.
  void ReleaseBuffers();

  bool batch_held() const { return held_ != nullptr; }
  size_t unsent_bytes() const { return gathering_.size() + sending_.size() - sent_; }

 private:
  void Advance();
  bool can_run() const;
  bool ParseNext();
  bool RunBatch();
  void EndBatch();
  void DropParsed();
  const OutputLimit& output_limit();
  void CheckOutput();
  void Report();

  Workbench& bench_;
  Session session_;
  RequestParser parser_;
  uint64_t limits_version_;

  Buffer input_;
  // A batch that stopped half-way; the thread's batch takes its place meanwhile.
  std::unique_ptr<RequestBatch> held_;
  size_t next_ = 0;         // the current batch's next request
  size_t batch_bytes_ = 0;  // bytes of input_ that the current batch takes
  size_t taken_ = 0;        // bytes of input_ before them, of batches that have run
  RequestParser::Result parsed_ = RequestParser::Result::kNeedMore;

  Buffer gathering_;  // replies are appended here
  Buffer sending_;    // and sent from here, from sent_ on
  size_t sent_ = 0;

  bool listed_ = false;
  bool closing_ = false;
  Fault fault_ = Fault::kNone;
  bool active_ = true;  // bytes moved since the last OnSecond
  int64_t idle_seconds_ = 0;
  int64_t closing_seconds_ = 0;
  int64_t soft_seconds_ = 0;    // how long the output has been above the soft limit
  int64_t reported_bytes_ = 0;  // what the instance's connection_bytes has of ours
};

}  // namespace lapse
