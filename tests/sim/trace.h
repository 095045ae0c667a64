// What happened in a simulation, a line for each thing, to read or to compare: two runs of a seed
// that differ anywhere have different digests.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

namespace sim {

class Trace {
public:
    // Null: nothing is printed.
    explicit Trace(std::FILE* output = nullptr) : output_(output) {}

    template <typename... Args>
    void line(fmt::format_string<Args...> format, Args&&... args) {
        text_.clear();
        fmt::format_to(std::back_inserter(text_), "{:5} ", step_);
        fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
        text_ += '\n';
        for (const char byte : text_) {  // FNV-1a.
            digest_ = (digest_ ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
        }
        if (output_) std::fputs(text_.c_str(), output_);
    }
    void set_step(std::size_t step) { step_ = step; }
    std::uint64_t digest() const { return digest_; }

private:
    std::FILE* output_;
    std::size_t step_ = 0;
    std::uint64_t digest_ = 0xCBF29CE484222325;
    std::string text_;
};

}  // namespace sim
