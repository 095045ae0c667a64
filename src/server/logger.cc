#include "server/logger.h"

#include <fmt/format.h>
#include <syslog.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

namespace server {
namespace {

int syslog_priority(base::LogType type) {
    switch (type) {
        case base::LogType::error:
            return LOG_ERR;
        case base::LogType::warning:
            return LOG_WARNING;
        case base::LogType::notice:
            return LOG_NOTICE;
        case base::LogType::information:
            return LOG_INFO;
        default:
            return LOG_DEBUG;
    }
}

int syslog_facility(int configured) {
    constexpr std::array local = {LOG_LOCAL0, LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3,
                                  LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7};
    return configured < 0 ? LOG_DAEMON : local.at(static_cast<std::size_t>(configured));
}

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
}

std::string without_controls(std::string_view line) {
    std::string text;
    for (const char c : line) {
        if (is_control(c)) {
            text += fmt::format("\\x{:02X}", static_cast<unsigned>(c));
        } else {
            text += c;
        }
    }
    return text;
}

}  // namespace

Logger::Logger() : types_(config::Logging{}.types) {}
Logger::~Logger() {
    closelog();
}

bool Logger::configure(const config::Logging& settings, std::string& error) {
    types_.store(settings.types, std::memory_order_relaxed);
    return output_.with([&](Output& output) {
        output.settings = settings;
        closelog();
        if (settings.to_syslog) openlog("nightjar", 0, syslog_facility(settings.facility));
        return open_file(output, error);
    });
}

bool Logger::reopen(std::string& error) {
    return output_.with([&](Output& output) { return open_file(output, error); });
}

bool Logger::open_file(Output& output, std::string& error) {
    output.file.reset();
    if (output.settings.file.empty()) return true;
    output.file.reset(std::fopen(output.settings.file.c_str(), "ae"));
    if (output.file) return true;
    error = fmt::format("Unable to open log file {} for writing: {}.", output.settings.file,
                        std::strerror(errno));
    return false;
}

std::string Logger::stamp(const config::Logging& settings) {
    if (!settings.timestamp) return {};
    const std::time_t now = std::time(nullptr);
    if (settings.timestamp_format.empty()) return fmt::format("{}: ", now);
    std::tm local{};
    localtime_r(&now, &local);
    std::array<char, 200> text{};
    const std::size_t size =
        std::strftime(text.data(), text.size(), settings.timestamp_format.c_str(), &local);
    return std::string(text.data(), size) + ": ";
}

void Logger::write(base::LogType type, std::string_view said) {
    const bool has_controls = std::any_of(said.begin(), said.end(), is_control);
    const std::string cleaned = has_controls ? without_controls(said) : std::string();
    const std::string_view line = has_controls ? cleaned : said;
    bool to_topic = false;
    output_.with([&](Output& output) {
        const config::Logging& settings = output.settings;
        const std::string text = fmt::format("{}{}\n", stamp(settings), line);
        const bool terminal = terminal_.load(std::memory_order_relaxed);
        if (settings.to_stdout && terminal) {
            std::fwrite(text.data(), 1, text.size(), stdout);
            std::fflush(stdout);
        }
        if (settings.to_stderr && terminal) std::fwrite(text.data(), 1, text.size(), stderr);
        if (output.file) {
            std::fwrite(text.data(), 1, text.size(), output.file.get());
            std::fflush(output.file.get());
        }
        if (settings.to_syslog) {
            syslog(syslog_priority(type), "%.*s", static_cast<int>(line.size()), line.data());
        }
        to_topic = settings.to_topic;
    });
    if (to_topic && publish_) publish_(type, std::string(line));
}

}  // namespace server
