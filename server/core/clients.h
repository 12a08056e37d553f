// The sessions there are, for CLIENT LIST, CLIENT KILL, INFO clients and maxclients.
//
// Thread: Add and Remove from any thread outside of the gate (they lock); ForEach inside the gate's
// exclusive form.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>

#include "absl/base/thread_annotations.h"
#include "server/core/session.h"
#include "storage/lock.h"

namespace lapse {

class Clients {
 public:
  // Gives the session its id and lists it. The session outlives its Remove.
  void Add(Session* session);
  // Unlists it; a blocked session no longer counts as such.
  void Remove(Session* session);
  // In ascending order of id.
  void ForEach(const std::function<void(Session&)>& visit);

  // Connected sockets (in-process sessions are listed, but not counted).
  int64_t connected() const { return connected_.load(std::memory_order_relaxed); }
  int64_t blocked() const { return blocked_.load(std::memory_order_relaxed); }
  void CountBlocked(int change) { blocked_.fetch_add(change, std::memory_order_relaxed); }

 private:
  Mutex mu_;
  std::map<uint64_t, Session*> sessions_ ABSL_GUARDED_BY(mu_);
  uint64_t next_id_ ABSL_GUARDED_BY(mu_) = 1;
  std::atomic<int64_t> connected_{0};
  std::atomic<int64_t> blocked_{0};
};

}  // namespace lapse
