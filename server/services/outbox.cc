#include "server/services/outbox.h"

#include <utility>

namespace lapse {

bool Outbox::Add(std::shared_ptr<const Notice> notice) {
  bool too_much;
  {
    MutexGuard guard(mu_);
    if (closed_) return false;
    waiting_bytes_ += notice->bytes();
    too_much = waiting_bytes_ > kMaxWaitingBytes;
    if (too_much) {
      closed_ = true;
      waiting_.clear();
    } else {
      waiting_.push_back(std::move(notice));
      if (std::exchange(posted_, true)) return true;
    }
  }
  const std::shared_ptr<Resumer> resumer = resumer_.lock();
  if (resumer == nullptr) return false;
  if (too_much) {
    resumer->Close();
  } else {
    resumer->Push([self = shared_from_this()](ReplyWriter& out) { self->Drain(out); });
  }
  return true;
}

void Outbox::Drain(ReplyWriter& out) {
  std::vector<std::shared_ptr<const Notice>> notices;
  {
    MutexGuard guard(mu_);
    notices.swap(waiting_);
    waiting_bytes_ = 0;
    posted_ = false;
  }
  for (const auto& notice : notices) notice->Write(out, session_);
}

void Outbox::Close() {
  std::vector<std::shared_ptr<const Notice>> notices;
  MutexGuard guard(mu_);
  closed_ = true;
  notices.swap(waiting_);
}

}  // namespace lapse
