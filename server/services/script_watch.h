// Looks after the script that runs: who it is, for how long, and whether somebody wants it ended.
//
// There is one script at a time in an instance. Its own thread begins and ends the watch, and asks
// every so many instructions whether to go on; other threads ask for its end, or describe it.
//
// Once it has run for longer than busy-reply-threshold, the instance's kBusyScript mode is set and
// everybody else is answered BUSY: by their own threads, or, where these run the script or wait for
// what it holds, from within that (LongWait).
//
// Thread: as each member says.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/reply_writer.h"
#include "server/core/instance.h"
#include "storage/lock.h"

namespace lapse {

enum class ScriptKind : uint8_t { kScript, kFunction };

class ScriptWatch {
 public:
  explicit ScriptWatch(Instance& instance) : instance_(instance) {}

  // --- The script's thread. ---

  // `name` and `args` outlive the watch of it.
  void Begin(ScriptKind kind, std::string_view name, std::span<const std::string_view> args);
  void End();
  void NoteWrite() { wrote_.store(true, std::memory_order_relaxed); }
  bool wrote() const { return wrote_.load(std::memory_order_relaxed); }
  // Whether it is to end. Called every so many instructions.
  bool MustEnd();
  // Whether others are being answered BUSY.
  bool busy() const { return busy_; }

  // --- Any thread. ---

  // While set, a script that is over its time ends, whatever it has written: the server stops.
  void set_ending(bool ending) { ending_.store(ending, std::memory_order_relaxed); }

  // SCRIPT KILL and FUNCTION KILL.
  void Kill(ScriptKind kind, ReplyWriter& reply);
  // What others are answered while busy.
  std::string_view BusyText() const;
  // FUNCTION STATS's running_script.
  void Describe(ReplyWriter& reply);

 private:
  Instance& instance_;
  std::atomic<bool> wrote_{false};
  std::atomic<bool> killed_{false};
  std::atomic<bool> ending_{false};
  std::atomic<ScriptKind> kind_{ScriptKind::kScript};
  bool busy_ = false;  // the script's thread's

  Mutex mu_;
  bool running_ ABSL_GUARDED_BY(mu_) = false;
  int64_t start_ns_ ABSL_GUARDED_BY(mu_) = 0;
  std::string_view name_ ABSL_GUARDED_BY(mu_);
  std::span<const std::string_view> args_ ABSL_GUARDED_BY(mu_);
};

}  // namespace lapse
