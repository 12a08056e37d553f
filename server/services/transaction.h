// What is kept of one session's transaction: the keys that it watches, and the commands that wait
// for EXEC.
//
// A queue is three growing arrays that the next transaction uses again, for a client that says
// MULTI once says it often: the words' bytes one after the other, where each word ends, and where
// each command's words end.
//
//   text      S E T k v G E T k
//   words           3 4 5     8 9
//   commands            3       5
//
// Thread: the session's; Watch says more.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/locked_shard.h"

namespace lapse {

// The keys that a session watches. Changed by WatchedKeys alone.
struct Watch {
  struct WatchedKey {
    uint16_t db = 0;
    uint64_t place = 0;
    std::string name;
  };

  std::vector<WatchedKey> keys;
  // One of them has changed. Thread: any sets it; who holds the shards of all keys reads the truth.
  std::atomic<bool> dirty{false};
};

class CommandQueue {
 public:
  // What a queue that has run keeps of its arrays.
  static constexpr size_t kKeepBytes = size_t{16} << 10;

  void Add(std::span<const std::string_view> args);
  size_t size() const { return command_ends_.size(); }
  size_t bytes() const {
    return text_.capacity() + (word_ends_.capacity() + command_ends_.capacity()) * sizeof(size_t);
  }
  void Clear();

  // Visits each command's words, in order. The queue must not change meanwhile.
  template <typename Visit>
  void ForEach(Visit visit) const {
    std::vector<std::string_view> args;
    size_t word = 0;
    size_t begin = 0;
    for (const size_t end : command_ends_) {
      args.clear();
      for (; word < end; ++word) {
        args.push_back(std::string_view(text_).substr(begin, word_ends_[word] - begin));
        begin = word_ends_[word];
      }
      visit(std::span<const std::string_view>(args));
    }
  }

 private:
  std::string text_;
  std::vector<size_t> word_ends_;
  std::vector<size_t> command_ends_;
};

struct Transaction {
  CommandQueue queue;
  uint32_t flags = 0;       // all that any queued command's row has
  bool changes_db = false;  // SELECT is among them, so that later keys may be another database's
  bool failed = false;      // a command was refused instead of queued
  std::vector<KeyLocks::Want> wanted;  // the queued commands' keys
  Watch watch;
};

}  // namespace lapse
