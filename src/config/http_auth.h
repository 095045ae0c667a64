// Users whom a service is asked for over HTTP, as the file says it: auth_http_*.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/option_place.h"

namespace config {

struct HttpAuth {
    enum class OnError : std::uint8_t { deny, next, stale };

    OptionPlace place{};  // Of its first line.
    std::string url{};
    std::vector<std::string> headers{};  // "Name: value".
    std::string ca_file{};
    std::string cert_file{};
    std::string key_file{};
    std::uint32_t pool_size = 8;
    std::uint64_t timeout_ms = 5'000;
    std::uint64_t cache_ms = 30'000;
    std::uint64_t negative_cache_ms = 5'000;
    std::uint64_t stale_if_error_ms = 3'600'000;
    OnError on_error = OnError::deny;

    bool is_on() const { return !url.empty(); }
    bool operator==(const HttpAuth&) const = default;
};

}  // namespace config
