// A log that keeps its lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"

namespace support {

class FakeLog : public base::Log {
public:
    bool enabled(base::LogType type) const override {
        return (static_cast<std::uint32_t>(type) & types_) != 0;
    }
    void write(base::LogType, std::string_view line) override { lines_.emplace_back(line); }

    // Everything by default but debug, which formats a line for each packet.
    void enable(base::LogType type) { types_ |= static_cast<std::uint32_t>(type); }
    void disable_all() { types_ = 0; }
    std::size_t count(std::string_view part) const {
        std::size_t count = 0;
        for (const std::string& line : lines_) {
            if (line.find(part) != std::string::npos) ++count;
        }
        return count;
    }
    bool contains(std::string_view part) const {
        for (const std::string& line : lines_) {
            if (line.find(part) != std::string::npos) return true;
        }
        return false;
    }

private:
    std::uint32_t types_ = ~static_cast<std::uint32_t>(base::LogType::debug);
    std::vector<std::string> lines_;
};

}  // namespace support
