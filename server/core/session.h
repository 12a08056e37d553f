// A session: what the server knows of one client, whichever way it came (a socket, the embedding
// library, a test).
//
// Thread: a session belongs to the thread that executes its requests, and is changed only inside
// the gate. Commands that look at other sessions (CLIENT LIST, CLIENT KILL) run in the gate's
// exclusive form, so that no lock is needed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace lapse {

class ReplyWriter;
struct CommandRow;

// What services keep about a session; each has its own (services/session_state.h).
class SessionState {
 public:
  virtual ~SessionState() = default;
};

// Resumes a session that waits for an answer. Implemented by whatever owns the session: the socket
// shell posts to the connection's thread, an in-process caller is woken.
//
// Thread: any; the callback runs on the session's own thread, inside the gate, at most once, and
// not at all when the session has gone meanwhile. Before it runs, the owner clears Session::blocked
// and takes one off Clients::blocked().
class Resumer {
 public:
  virtual ~Resumer() = default;
  virtual void Resume(std::function<void(ReplyWriter&)> write_reply) = 0;
  // Has something written to the client between two replies (a published message, an invalidation,
  // MONITOR's feed), in the order of the calls. The callback gets the session's RESP version with
  // the writer, and runs on the session's thread, inside the gate. Thread: any.
  virtual void Push(std::function<void(ReplyWriter&)> write_push) = 0;
  // Closes the session's connection soon (CLIENT KILL). A session without one ignores it.
  virtual void Close() = 0;
};

enum class ReplyMode : uint8_t { kOn, kOff, kSkipNext };

struct Session {
  uint64_t id = 0;
  int db = 0;
  int resp = 2;
  uint32_t modes = 0;  // of hooks.h: what makes the dispatcher ask CommandHooks
  bool authenticated = true;
  bool in_process = false;  // a host program's or a test's: no socket behind it
  bool trusted = false;     // a host program's: the ACL does not concern it
  bool no_evict = false;
  bool no_touch = false;
  bool unix_socket = false;
  ReplyMode reply_mode = ReplyMode::kOn;
  bool skips_reply = false;  // of the command that runs, or of the one that blocks the session
  bool close_after_reply = false;  // QUIT
  bool killed = false;             // CLIENT KILL from elsewhere; closes at the next chance
  bool blocked = false;            // waits for a Resumer call; further requests wait, too
  bool postponed = false;  // blocked before its request ran, which is to be run when it is resumed

  std::string user = "default";
  std::string name;
  std::string lib_name;
  std::string lib_version;
  std::string address;        // "127.0.0.1:50012", a unix socket's path with ":0", or "" in process
  std::string local_address;  // the server's end
  int fd = -1;

  int64_t created_ms = 0;
  int64_t last_active_ms = 0;
  const CommandRow* last_command = nullptr;
  std::string_view last_subcommand;  // points into a row

  // Kept by the connection for CLIENT LIST, between batches too and hence outside of the gate;
  // bytes.
  std::atomic<size_t> query_buffer_bytes{0};
  std::atomic<size_t> query_buffer_free_bytes{0};
  std::atomic<size_t> output_bytes{0};

  std::shared_ptr<Resumer> resumer;
  std::unique_ptr<SessionState> state;  // made when first needed
};

}  // namespace lapse
