// Packets in tests are written as text: two hex digits are a byte, 'words' are their characters,
// and what is enclosed gets its size before it: (words) in two bytes, [bytes] as a variable byte
// integer. So "30 [ (a/b) 'hi' ]" is a PUBLISH of "hi" to "a/b", with its lengths.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/writer.h"

namespace mqtt::testing {

class PacketText {
public:
    explicit PacketText(std::string_view text) : rest_(text) {}

    std::vector<std::uint8_t> bytes() { return until('\0'); }

private:
    static std::uint8_t digit(char c) {
        const std::string_view digits = "0123456789ABCDEF";
        const std::size_t value = digits.find(c);
        if (value == std::string_view::npos) throw std::invalid_argument("no hex digit");
        return static_cast<std::uint8_t>(value);
    }
    char take() {
        const char c = rest_.empty() ? '\0' : rest_[0];
        if (!rest_.empty()) rest_.remove_prefix(1);
        return c;
    }
    std::vector<std::uint8_t> until(char end) {
        std::vector<std::uint8_t> out;
        Writer writer(out);
        for (char c = take(); c != end; c = take()) {
            if (c == ' ') continue;
            if (c == '\'') {
                while ((c = take()) != '\'') writer.u8(static_cast<std::uint8_t>(c));
            } else if (c == '(') {
                writer.binary(words());
            } else if (c == '[') {
                const std::vector<std::uint8_t> inner = until(']');
                writer.variable_int(static_cast<std::uint32_t>(inner.size()));
                writer.raw(inner);
            } else {
                const std::uint8_t high = digit(c);
                writer.u8(static_cast<std::uint8_t>(high << 4 | digit(take())));
            }
        }
        return out;
    }
    std::vector<std::uint8_t> words() {
        std::vector<std::uint8_t> out;
        for (char c = take(); c != ')'; c = take()) out.push_back(static_cast<std::uint8_t>(c));
        return out;
    }
    std::string_view rest_;
};

inline std::vector<std::uint8_t> packet(std::string_view text) {
    return PacketText(text).bytes();
}

}  // namespace mqtt::testing
