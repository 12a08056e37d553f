#include "server/operations_thread.h"

#include "server/services/services.h"

namespace lapse {

void OperationsThread::Start() {
  {
    const Gate::Exclusive alone(instance_.keyspace.gate());
    Services::Of(instance_).SetOperationsWaker([this] { thread_.Wake(); });
  }
  thread_.Start();
}

void OperationsThread::Stop() {
  if (!thread_.running()) return;
  thread_.Stop();
  const Gate::Exclusive alone(instance_.keyspace.gate());
  Services::Of(instance_).SetOperationsWaker({});
}

std::chrono::microseconds OperationsThread::Step() {
  return std::chrono::milliseconds(Services::Of(instance_).Operate());
}

}  // namespace lapse
