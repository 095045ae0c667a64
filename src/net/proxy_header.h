// What a proxy says about the client whose bytes it passes on: the PROXY protocol, versions 1 (a
// line of text) and 2 (binary, with what the proxy knows of the client's TLS).
//
// Pure: no state, no sockets. Limits: a line of v1_bytes_max, a header of v2_bytes_max.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "net/address.h"

namespace net {

struct ProxyHeader {
    static constexpr std::size_t v1_bytes_max = 107;
    static constexpr std::size_t v2_bytes_max = 4096;

    std::optional<Address> source{};  // None: the proxy does not know, or speaks for itself.
    bool is_local = false;            // It does: a health check.
    bool has_tls = false;             // The client speaks TLS with the proxy,
    bool has_certificate = false;     // and has shown it a certificate that is good.
    std::string common_name{};        // Of that certificate.
    std::string tls{};                // "TLSv1.3 cipher TLS_AES_256_GCM_SHA384", as far as said.
};

struct ProxyResult {
    enum class Kind { incomplete, accepted, refused };
    Kind kind = Kind::incomplete;
    std::size_t size = 0;  // Of the header; the client's bytes follow.
    ProxyHeader header{};
    std::string_view why{};  // Of a refused one.
};

// `version` is 1 or 2: a listener knows which one it gets.
ProxyResult read_proxy_header(int version, base::Bytes bytes);

}  // namespace net
