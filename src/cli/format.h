// How mosquitto_sub prints a message: -F FORMAT, -v, %j and %J. Pure: text comes out, nothing is
// printed, and the time is an argument.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/tool_options.h"
#include "client/event.h"

namespace cli {

// When a message came.
struct WallTime {
    std::tm local{};
    std::time_t seconds = 0;
    long nanoseconds = 0;

    static WallTime now();
};

// What -F says of the message, with its end of line. An error is a sentence for standard error;
// what was formatted before it has still to be printed, so it stays in `out`.
std::optional<std::string> format_message(std::string& out, std::string_view format,
                                          const OutputOptions& options,
                                          const client::Received& message, const WallTime& time);

// %j, or %J if `payload_is_json`: one JSON object, on one line unless `pretty`. Nothing if the
// payload was to be JSON and is not.
std::optional<std::string> format_json(const client::Received& message, const WallTime& time,
                                       bool payload_is_json, bool pretty);

// With or without -F: what is printed for one message; may be nothing.
std::optional<std::string> print_message(std::string& out, const OutputOptions& options,
                                         const client::Received& message, const WallTime& time);

}  // namespace cli
