// The HTTP request that opens a WebSocket, and the answers to it (RFC 6455, sections 4.1 and 4.2),
// as a server reads and writes them, and as a client does.
//
// Strict: what is ambiguous is refused, for a proxy in between might read it otherwise. Pure: no
// state, no sockets. Limits: a request of request_bytes_max, and an answer of as many.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace net {

struct UpgradeRequest {
    static constexpr std::size_t request_bytes_max = std::size_t{8} << 10;

    std::string_view key;          // Sec-WebSocket-Key.
    std::string_view subprotocol;  // The first one of MQTT that the client offers.
    std::string_view origin;       // Empty: none, so that it is no browser.
};

// What has come so far. The views are into the bytes that were read.
struct UpgradeResult {
    enum class Kind { incomplete, accepted, refused };
    Kind kind = Kind::incomplete;
    std::size_t size = 0;  // Of an accepted request; frames may follow.
    UpgradeRequest request{};
    int status = 0;          // Of a refused one: 400, 403, 405, 426 or 431;
    std::string_view why{};  // and a few words.
};

// `origins`: who may ask, if it is a browser; empty: everybody.
UpgradeResult read_upgrade(base::Bytes bytes, std::span<const std::string> origins);

// The answers, whole. `accept` is made of the key.
std::string upgrade_answer(std::string_view accept, std::string_view subprotocol);
std::string refusal_answer(int status, std::string_view why);

// ---- The side that asks

// `host` with its port, `key` as in UpgradeRequest.
std::string upgrade_request(std::string_view host, std::string_view path, std::string_view key,
                            std::string_view subprotocol);

// What has come so far of an answer.
struct UpgradeAnswer {
    enum class Kind { incomplete, accepted, refused };
    Kind kind = Kind::incomplete;
    std::size_t size = 0;  // Of an accepting one; frames may follow.
    std::string why{};     // Of any other.
};

// `accept` is what the key asks for.
UpgradeAnswer read_upgrade_answer(base::Bytes bytes, std::string_view accept,
                                  std::string_view subprotocol);

}  // namespace net
