// DISCONNECT, section 3.14.
#pragma once

#include <optional>
#include <string_view>

#include "mqtt/properties.h"

namespace mqtt {

struct Disconnect {
    ReasonCode reason = ReasonCode::success;
    // MQTT 5.0 only.
    std::optional<std::uint32_t> session_expiry_s{};
    std::optional<std::string_view> reason_string{};
    std::optional<std::string_view> server_reference{};
    UserProperties user{};
};

Result<Disconnect> decode_disconnect(Bytes body, Version version);
void encode(Writer& out, const Disconnect& packet, Version version);

}  // namespace mqtt
