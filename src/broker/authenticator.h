// The seams of access control: who may connect, and what they may do. auth/ implements them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "mqtt/reason_code.h"

namespace broker {

struct Credentials {
    std::string_view client_id;
    std::optional<std::string_view> user_name;
    std::optional<base::Bytes> password;
    std::string_view peer;
    bool listener_allows_anonymous = true;
};

// Thread: called by every shard; an implementation that keeps state locks it.
class Authenticator {
public:
    virtual ~Authenticator() = default;
    // success, or the reason that CONNACK carries (bad_user_name_or_password, not_authorized ...).
    virtual mqtt::ReasonCode authenticate(const Credentials& credentials) = 0;
};

enum class Access : std::uint8_t { publish, subscribe, receive };

struct AccessRequest {
    std::string_view client_id;
    std::string_view user_name;
    std::string_view topic;  // A topic name; a filter for subscribe.
    Access access = Access::publish;
};

// Thread: as Authenticator.
class Authorizer {
public:
    virtual ~Authorizer() = default;
    virtual bool is_allowed(const AccessRequest& request) = 0;
    // True while is_allowed() says yes to everything, so that the hot path need not ask.
    virtual bool allows_everything() const = 0;
};

}  // namespace broker
