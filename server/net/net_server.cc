#include "server/net/net_server.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "boost/asio/post.hpp"
#include "server/services/services.h"

namespace lapse {
namespace {

size_t ThreadCount(const Config& config) {
  const size_t wanted = config.threads > 0 ? static_cast<size_t>(config.threads)
                                           : std::thread::hardware_concurrency();
  return std::clamp(wanted, size_t{1}, NetServer::kMaxThreads);
}

}  // namespace

NetServer::NetServer(Instance& instance) : instance_(instance) {
  const size_t count = ThreadCount(instance.config);
  for (size_t i = 0; i < count; ++i) {
    threads_.push_back(std::make_shared<IoThread>(instance, i, count));
  }
  listener_ = std::make_unique<Listener>(instance, threads_);
}

absl::StatusOr<std::unique_ptr<NetServer>> NetServer::Start(Instance& instance, Options options) {
  std::unique_ptr<NetServer> server(new NetServer(instance));
  if (const absl::Status status = server->listener_->Open(options.any_port); !status.ok()) {
    return status;
  }
  server->port_ = server->listener_->port();
  server->addresses_ = server->listener_->addresses();
  server->DriveExpiry();
  server->listener_->Start();
  for (const auto& thread : server->threads_) thread->Start();
  return server;
}

NetServer::~NetServer() { Stop(); }

// The wakers may be asked for inside the gate, hence the exclusive form.
void NetServer::DriveExpiry() {
  const Gate::Exclusive alone(instance_.keyspace.gate());
  instance_.expiry.SetWaker([threads = threads_](size_t worker) {
    if (worker < threads.size()) threads[worker]->Wake();
  });
  Services::Of(instance_).blocking().SetWaker([thread = threads_.front()] { thread->Wake(); });
}

void NetServer::Stop() {
  if (listener_ == nullptr) return;
  // On thread 0, and before the order to stop, so that its handlers have run by then.
  boost::asio::post(threads_.front()->io(), [this] { listener_->Close(); });
  ScriptWatch& scripts = Services::Of(instance_).script_watch();
  scripts.set_ending(true);
  for (const auto& thread : threads_) thread->Stop();
  scripts.set_ending(false);
  listener_.reset();
  const Gate::Exclusive alone(instance_.keyspace.gate());
  instance_.expiry.SetWaker({});
  Services::Of(instance_).blocking().SetWaker({});
}

}  // namespace lapse
