#include "base/log.h"

#include <fmt/format.h>

namespace base {

void Log::write_formatted(LogType type, fmt::string_view format, fmt::format_args arguments) {
    fmt::memory_buffer line;
    fmt::vformat_to(fmt::appender(line), format, arguments);
    write(type, std::string_view(line.data(), line.size()));
}

}  // namespace base
