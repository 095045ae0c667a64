// AUTH, section 3.15: MQTT 5.0 only.
#pragma once

#include <optional>
#include <string_view>

#include "mqtt/properties.h"

namespace mqtt {

struct Auth {
    ReasonCode reason = ReasonCode::success;
    std::optional<std::string_view> authentication_method{};
    Bytes authentication_data{};
    std::optional<std::string_view> reason_string{};
    UserProperties user{};
};

Result<Auth> decode_auth(Bytes body);
void encode(Writer& out, const Auth& packet);

}  // namespace mqtt
