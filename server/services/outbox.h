// What waits to be written to one client beside its replies: published messages, invalidations,
// MONITOR's feed.
//
//   any thread: Add --> [ queue ] --Resumer::Push, once for all that gather--> the client's thread:
//                                                                              Drain
//
// One queue for all kinds keeps the order in which they were added; posting to the client's thread
// once for many keeps a burst of messages from costing a wake-up each. A notice is shared by all
// its receivers and written out on each receiver's own thread.
//
// What nobody fetches is bounded: from kMaxWaitingBytes on the client is closed. (Its thread moves
// the queue into the connection's output, where client-output-buffer-limit rules.)
//
// Lock order: mu_ is a leaf.
//
// Thread: Add and Close from any, a shard's lock held or not; Drain by the session's.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "protocol/reply_writer.h"
#include "server/core/session.h"
#include "storage/lock.h"

namespace lapse {

// Something to be written to one client or many.
class Notice {
 public:
  virtual ~Notice() = default;
  // Writes it as this session is to see it; nothing, if it is not to.
  virtual void Write(ReplyWriter& out, const Session& to) const = 0;
  virtual size_t bytes() const = 0;
};

class Outbox : public std::enable_shared_from_this<Outbox> {
 public:
  static constexpr size_t kMaxWaitingBytes = size_t{64} << 20;

  explicit Outbox(const Session& session) : session_(session), resumer_(session.resumer) {}
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // False when the session has gone, or is about to.
  bool Add(std::shared_ptr<const Notice> notice);
  // Writes what waits.
  void Drain(ReplyWriter& out);
  // Nothing is taken any more: the session goes.
  void Close();

 private:
  // Constant after construction. The session is looked at by its own thread alone.
  const Session& session_;
  const std::weak_ptr<Resumer> resumer_;

  Mutex mu_;
  std::vector<std::shared_ptr<const Notice>> waiting_ ABSL_GUARDED_BY(mu_);
  size_t waiting_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool posted_ ABSL_GUARDED_BY(mu_) = false;  // a Drain is on its way
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace lapse
