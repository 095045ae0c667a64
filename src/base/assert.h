// ASSERT states what only our own mistake can break. It stays on in release: a broker that has
// lost its invariants must stop before it loses messages. Never use it on what a peer or a disk
// said.
#pragma once

namespace base {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace base

#define ASSERT(condition)                   \
    (static_cast<bool>(condition) ? void(0) \
                                  : ::base::assertion_failed(#condition, __FILE__, __LINE__))
