#include "storage/entry_heap.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <new>

#include "absl/base/optimization.h"
#include "storage/allocator.h"

namespace lapse {

// Free objects are linked through their first words. Objects beyond `fresh` were never handed out,
// so that a slab's memory is touched only as it fills.
struct alignas(64) EntryHeap::Slab {
  Slab* next;
  Slab* previous;
  void* free;
  uint32_t fresh;
  uint32_t used;
  uint32_t capacity;
  uint32_t object_bytes;
  uint16_t lane;
  uint16_t size_class;

  char* object(size_t i) { return reinterpret_cast<char*>(this + 1) + i * object_bytes; }

  void* Take() {
    ++used;
    if (free != nullptr) {
      void* taken = free;
      free = *static_cast<void**>(taken);
      return taken;
    }
    return object(fresh++);
  }

  void Give(void* returned) {
    *static_cast<void**>(returned) = free;
    free = returned;
    --used;
  }

  // The list of a lane's open slabs of one class.
  void LinkAt(Slab*& head) {
    previous = nullptr;
    next = head;
    if (head != nullptr) head->previous = this;
    head = this;
  }

  void UnlinkFrom(Slab*& head) {
    (previous != nullptr ? previous->next : head) = next;
    if (next != nullptr) next->previous = previous;
  }
};

EntryHeap::EntryHeap() = default;
EntryHeap::~EntryHeap() = default;

size_t ThreadLane(size_t lanes) {
  thread_local const auto number = static_cast<size_t>(syscall(SYS_gettid));
  return number % lanes;
}

size_t EntryHeap::ClassOf(size_t bytes) {
  if (bytes <= kFineMost) return bytes == 0 ? 0 : (bytes - 1) / kFineStep;
  return kFineMost / kFineStep + (bytes - kFineMost - 1) / kCoarseStep;
}

#if LAPSE_USE_SLABS

size_t EntryHeap::SizeClass(size_t bytes) {
  if (bytes <= kFineMost)
    return bytes == 0 ? kFineStep : (bytes + kFineStep - 1) / kFineStep * kFineStep;
  if (bytes <= kMaxBytes) return (bytes + kCoarseStep - 1) / kCoarseStep * kCoarseStep;
  return AllocationSize(bytes);
}

EntryHeap::Slab* EntryHeap::NewSlab(size_t lane, size_t size_class) {
  auto* slab = new (arena_.Allocate()) Slab{};
  const size_t fine = kFineMost / kFineStep;
  const size_t bytes = size_class < fine ? (size_class + 1) * kFineStep
                                         : kFineMost + (size_class - fine + 1) * kCoarseStep;
  slab->object_bytes = static_cast<uint32_t>(bytes);
  slab->capacity = static_cast<uint32_t>((kSlabBytes - sizeof(Slab)) / bytes);
  slab->lane = static_cast<uint16_t>(lane);
  slab->size_class = static_cast<uint16_t>(size_class);
  return slab;
}

void* EntryHeap::Allocate(size_t bytes) {
  // The whole class is asked for, since entries grow within it: what malloc would add by itself
  // depends on where it takes the block from.
  if (ABSL_PREDICT_FALSE(bytes > kMaxBytes)) return lapse::Allocate(SizeClass(bytes));
  const size_t number = ThreadLane(kLanes);
  const size_t size_class = ClassOf(bytes);
  Lane& lane = lanes_[number];
  SpinGuard guard(lane.lock);
  Slab*& head = lane.open[size_class];
  if (ABSL_PREDICT_FALSE(head == nullptr)) NewSlab(number, size_class)->LinkAt(head);
  Slab* slab = head;
  void* object = slab->Take();
  if (ABSL_PREDICT_FALSE(slab->used == slab->capacity)) slab->UnlinkFrom(head);
  return object;
}

void EntryHeap::Free(void* object, size_t bytes) {
  if (ABSL_PREDICT_FALSE(bytes > kMaxBytes)) return lapse::Free(object);
  auto* slab = reinterpret_cast<Slab*>(reinterpret_cast<uintptr_t>(object) & ~(kSlabBytes - 1));
  Lane& lane = lanes_[slab->lane];
  Slab* empty = nullptr;
  {
    SpinGuard guard(lane.lock);
    Slab*& head = lane.open[slab->size_class];
    if (ABSL_PREDICT_FALSE(slab->used == slab->capacity)) slab->LinkAt(head);
    slab->Give(object);
    // The last slab of its class stays, so that one key that comes and goes does not map memory.
    const bool alone = head == slab && slab->next == nullptr;
    if (ABSL_PREDICT_FALSE(slab->used == 0 && !alone)) {
      slab->UnlinkFrom(head);
      empty = slab;
    }
  }
  if (empty != nullptr) arena_.Free(empty);
}

#else

size_t EntryHeap::SizeClass(size_t bytes) { return AllocationSize(bytes); }
void* EntryHeap::Allocate(size_t bytes) { return lapse::Allocate(SizeClass(bytes)); }
void EntryHeap::Free(void* object, size_t) { lapse::Free(object); }

#endif

}  // namespace lapse
