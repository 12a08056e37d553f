// Proof that the lab's checks can fail: a store is tampered with, and Verify must notice.
//
// Thread: one.
#pragma once

namespace lapse {

// Prints what was tried to stderr; true when everything was noticed, and an honest store passes.
bool SelfCheck();

}  // namespace lapse
