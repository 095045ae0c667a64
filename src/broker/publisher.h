// Who published what is retained: whose right to publish it counts again when it is delivered
// (check_retain_source). And a retained message with its publisher.
//
// Ownership: shared by reference count by all that a session has retained, which outlives it.
// Threads: any; immutable.
#pragma once

#include <cstdint>
#include <string>

#include "base/ref_counted.h"
#include "broker/message.h"

namespace broker {

struct Publisher : base::RefCounted<Publisher> {
    Publisher(std::string_view id, std::string_view user, std::uint32_t realm_number)
        : client_id(id), user_name(user), realm(realm_number) {}
    static void destroy(const Publisher* publisher) { delete publisher; }

    const std::string client_id;
    const std::string user_name;  // Empty = none was given.
    const std::uint32_t realm;    // As AccessRequest has it; 0 after a restart.
};
using PublisherRef = base::Ref<Publisher>;

struct Retained {
    MessageRef message;
    // Null: nobody is asked about it, since the broker itself said it, or nobody knows who did, or
    // the publisher's right came with its login.
    PublisherRef publisher{};
};

}  // namespace broker
