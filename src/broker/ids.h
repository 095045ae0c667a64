// Names for what may die first: an id is looked up, a pointer would dangle.
#pragma once

#include <cstdint>

namespace broker {

// A session within its shard. Ids are reused, but not while anything still names them.
enum class SessionId : std::uint32_t {};

// A session in the store: given once, never again, also not after a restart. 0 = it is not kept
// there.
enum class SessionNumber : std::uint64_t {};

// Which of a session's shared subscriptions it is; given again when that one has ended. 0 = none.
using SharedMark = std::uint16_t;

// A group of a shared subscription: given once, never again, but not the same after a restart.
enum class SharedGroupId : std::uint64_t {};

}  // namespace broker
