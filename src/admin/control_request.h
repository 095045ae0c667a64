// A request at the control socket, a JSON object on a line of its own:
//
//     {"command": "reload"}
//     {"command": "status"}
//     {"command": "explain", "action": "publish", "topic": "a/b", "user": "ann", "client": "dev1",
//      "address": "192.0.2.1", "listener": "8883"}
//
// Of explain only action (publish, subscribe, receive) and topic are needed. What is not known is
// refused. Limit: line_bytes_max.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "admin/controls.h"
#include "base/bytes.h"

namespace admin {

inline constexpr std::size_t line_bytes_max = std::size_t{64} << 10;

struct ControlRequest {
    enum class Command : std::uint8_t { reload, status, explain };
    Command command{};
    Question question{};  // Of explain.
};

// `line` is without its end. Fails with a sentence.
base::Result<ControlRequest, std::string> parse_request(std::string_view line);

struct NextLine {
    enum class Status : std::uint8_t { whole, partial, too_long };
    Status status{};
    std::string_view line{};   // Without its end.
    std::size_t consumed = 0;  // Its end included.
};
// The first line of what has arrived.
NextLine next_line(base::Bytes bytes);

}  // namespace admin
