#include "expiry/audit.h"

#include "storage/lock.h"

namespace lapse {

int64_t AuditKeyspace(Keyspace& keyspace) {
  int64_t violations = 0;
  for (size_t db = 0; db < keyspace.database_count(); ++db) {
    Database* const database = keyspace.FindDatabase(db);
    if (database == nullptr) continue;
    for (size_t i = 0; i < database->shard_count(); ++i) {
      Shard& shard = database->shard(i);
      SpinGuard guard(shard.lock());
      violations += shard.Audit();
    }
  }
  return violations;
}

}  // namespace lapse
