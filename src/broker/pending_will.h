// A will and when it is due [MQTT-3.1.2-8]. Owned by the Session. Thread: the shard's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/authenticator.h"
#include "broker/message.h"

namespace broker {

struct PendingWill {
    MessageRef message;
    std::string user_name;       // Whose rights count when it is due; empty = none was given.
    std::uint32_t realm = 0;     // Of the listener it came by; 0 after a restart.
    GrantedRightsRef granted{};  // Session::granted().
    std::uint32_t delay_s = 0;
    std::optional<std::uint32_t> expiry_s;  // Counts from when it is published.
};

}  // namespace broker
