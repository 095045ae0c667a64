// Where log lines go. The types are Mosquitto's `log_type` words, because people's rules name them.
//
// Threads: write() may be called from any thread. Callers ask enabled() before they format.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string_view>

namespace base {

enum class LogType : std::uint32_t {
    none = 0,
    information = 0x01,
    notice = 0x02,
    warning = 0x04,
    error = 0x08,
    debug = 0x10,
    subscribe = 0x20,
    unsubscribe = 0x40,
    websockets = 0x80,
    internal = 0x80000000U,
};

class Log {
public:
    virtual ~Log() = default;
    virtual bool enabled(LogType type) const = 0;
    virtual void write(LogType type, std::string_view line) = 0;

    template <typename... Args>
    void print(LogType type, fmt::format_string<Args...> format, Args&&... args) {
        if (enabled(type)) write_formatted(type, format, fmt::make_format_args(args...));
    }

private:
    // Apart, so that who logs does not compile a formatter.
    void write_formatted(LogType type, fmt::string_view format, fmt::format_args arguments);
};

}  // namespace base
