// Topics: the fast checks say what slow ones, written straight from the specification, say.
//
//     input := size of the filter, filter, topic
#include <cstdlib>
#include <string>
#include <vector>

#include "mqtt/topic.h"
#include "mqtt/utf8.h"

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

// Decodes to code points, then encodes each in its shortest form: well-formed if nothing changed.
bool naive_is_valid_utf8(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
        const unsigned first = byte(0);
        std::size_t size = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : 0;
        if (first >= 0xE0) size = first < 0xF0 ? 3 : first < 0xF8 ? 4 : 0;
        if (size == 0 || at + size > text.size()) return false;
        unsigned point = size == 1 ? first : first & (0x7FU >> size);
        for (std::size_t i = 1; i < size; ++i) {
            if ((byte(i) & 0xC0U) != 0x80) return false;
            point = point << 6 | (byte(i) & 0x3FU);
        }
        const std::size_t shortest = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        if (size != shortest || point > 0x10FFFF || point == 0) return false;
        if (point >= 0xD800 && point <= 0xDFFF) return false;
        at += size;
    }
    return true;
}

std::vector<std::string> levels_of(std::string_view text) {
    std::vector<std::string> levels(1);
    for (const char c : text) {
        if (c == '/') {
            levels.emplace_back();
        } else {
            levels.back() += c;
        }
    }
    return levels;
}

bool naive_is_valid(std::string_view text, bool is_filter) {
    if (text.empty() || text.size() > 65'535 || !naive_is_valid_utf8(text)) return false;
    const std::vector<std::string> levels = levels_of(text);
    if (levels.size() > mqtt::topic_levels_max) return false;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const std::string& level = levels[i];
        if (level.find_first_of("+#") == std::string::npos) continue;
        if (!is_filter || level.size() != 1) return false;
        if (level == "#" && i + 1 != levels.size()) return false;
    }
    return true;
}

bool naive_matches_from(const std::vector<std::string>& filter,
                        const std::vector<std::string>& topic, std::size_t at) {
    if (at == filter.size()) return at == topic.size();
    if (filter[at] == "#") return true;
    if (at == topic.size()) return false;
    if (filter[at] != "+" && filter[at] != topic[at]) return false;
    return naive_matches_from(filter, topic, at + 1);
}

bool naive_matches(std::string_view filter, std::string_view topic) {
    if (topic[0] == '$' && (filter[0] == '+' || filter[0] == '#')) return false;
    return naive_matches_from(levels_of(filter), levels_of(topic), 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::string_view filter = text.substr(0, data[0]);
    const std::string_view topic = text.substr(filter.size());

    // Copies of their exact size, so that a read past the end is seen.
    const std::string own_filter(filter);
    const std::vector<char> own_topic(topic.begin(), topic.end());
    const std::string_view exact_topic(own_topic.data(), own_topic.size());
    require(mqtt::is_valid_utf8(exact_topic) == naive_is_valid_utf8(topic));
    const bool is_topic = mqtt::is_valid_topic_name(exact_topic);
    const bool is_filter = mqtt::is_valid_topic_filter(own_filter);
    require(is_topic == naive_is_valid(topic, false));
    require(is_filter == naive_is_valid(filter, true));
    if (is_topic && is_filter) {
        require(mqtt::matches(filter, topic) == naive_matches(filter, topic));
    }
    if (const auto shared = mqtt::split_shared(filter)) {
        require(naive_is_valid(shared->filter, true));
        require(naive_is_valid(shared->group, false));
        require(shared->group.find('/') == std::string_view::npos);
        require("$share/" + std::string(shared->group) + "/" + std::string(shared->filter) ==
                filter);
    }
    return 0;
}
