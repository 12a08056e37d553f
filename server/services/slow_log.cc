#include "server/services/slow_log.h"

#include <algorithm>

#include "fmt/format.h"

namespace lapse {
namespace {

std::string Shortened(std::string_view text, size_t most) {
  if (text.size() <= most) return std::string(text);
  return fmt::format("{}... ({} more bytes)", text.substr(0, most), text.size() - most);
}

}  // namespace

void SlowLog::Note(const Session& session, const Request& request, int64_t duration_us) {
  const int64_t threshold = instance_.config.slowlog_slower_than_us;
  if (threshold < 0 || duration_us < threshold || (request.row->flags & kSkipSlowlog) != 0) return;
  Entry entry;
  entry.unix_seconds = request.now_ms / 1000;
  entry.duration_us = duration_us;
  const size_t count = request.args.size();
  const size_t shown = count <= kMostArguments ? count : kMostArguments - 1;
  for (size_t i = 0; i < shown; ++i) {
    entry.args.push_back(Shortened(request.args[i], kMostArgumentBytes));
  }
  if (shown < count) entry.args.push_back(fmt::format("... ({} more arguments)", count - shown));
  entry.client_address = session.address;
  entry.client_name = session.name;
  const auto most = static_cast<size_t>(instance_.config.slowlog_max_len);
  MutexGuard guard(mu_);
  entry.id = next_id_++;
  entries_.push_front(std::move(entry));
  while (entries_.size() > most) entries_.pop_back();
}

std::vector<SlowLog::Entry> SlowLog::Latest(size_t count) {
  MutexGuard guard(mu_);
  const auto end = static_cast<int64_t>(std::min(count, entries_.size()));
  return {entries_.begin(), entries_.begin() + end};
}

size_t SlowLog::size() {
  MutexGuard guard(mu_);
  return entries_.size();
}

void SlowLog::Clear() {
  MutexGuard guard(mu_);
  entries_.clear();
}

}  // namespace lapse
