#include "mqtt/topic.h"

#include <algorithm>

#include "mqtt/utf8.h"
#include "mqtt/word.h"

namespace mqtt {

namespace {

constexpr std::size_t text_size_max = 65'535;

// '+' is 0x2B and '#' is 0x23: with this bit set, both are '+', and nothing else is.
constexpr std::uint64_t wildcard_bit = word::filled_with('+' ^ '#');

constexpr bool is_wildcard(char byte) {
    return byte == '+' || byte == '#';
}

std::size_t count(std::uint64_t places) {
    return ((places >> 7) * word::filled_with(1)) >> 56;
}

bool is_within_level_limit(std::string_view text) {
    // A shorter text has no room for so many separators.
    if (text.size() < topic_levels_max) return true;
    return std::count(text.begin(), text.end(), '/') < std::ptrdiff_t{topic_levels_max};
}

// The bytes up to the next '/'.
std::string_view first_level(std::string_view text) {
    return text.substr(0, text.find('/'));
}

bool is_valid_level(std::string_view level, bool is_last) {
    if (!has_wildcard(level)) return true;
    return level == "+" || (level == "#" && is_last);
}

}  // namespace

bool is_valid_topic_name(std::string_view topic) {
    if (topic.empty() || topic.size() > text_size_max) return false;
    const bool may_be_too_deep = topic.size() >= topic_levels_max;
    std::size_t separators = 0;
    std::size_t at = 0;
    while (at < topic.size()) {
        const std::size_t left = topic.size() - at;
        const std::uint64_t next =
            left >= word::size ? word::load(topic.data() + at) : word::load_tail(topic, at);
        if (word::is_plain(next)) {
            if (word::places_of('+', next | wildcard_bit) != 0) return false;
            if (may_be_too_deep) separators += count(word::places_of('/', next));
            at += word::size;  // May pass the end: then it was the last, filled up.
            continue;
        }
        const std::size_t size = leading_character_size(topic.substr(at));
        if (size == 0 || is_wildcard(topic[at])) return false;
        if (topic[at] == '/') ++separators;
        at += size;
    }
    return separators < topic_levels_max;
}

bool is_valid_topic_filter(std::string_view filter) {
    if (filter.empty() || filter.size() > text_size_max) return false;
    if (!is_valid_utf8(filter) || !is_within_level_limit(filter)) return false;
    if (!has_wildcard(filter)) return true;
    std::string_view rest = filter;
    while (true) {
        const std::string_view level = first_level(rest);
        const bool is_last = level.size() == rest.size();
        if (!is_valid_level(level, is_last)) return false;
        if (is_last) return true;
        rest.remove_prefix(level.size() + 1);
    }
}

bool has_wildcard(std::string_view filter) {
    return std::any_of(filter.begin(), filter.end(), is_wildcard);
}

bool matches(std::string_view filter, std::string_view topic) {
    if (topic.starts_with('$') && !filter.empty() && is_wildcard(filter[0])) return false;
    while (true) {
        const std::string_view wanted = first_level(filter);
        if (wanted == "#") return true;
        const std::string_view level = first_level(topic);
        if (wanted != "+" && wanted != level) return false;

        const bool filter_ends = wanted.size() == filter.size();
        const bool topic_ends = level.size() == topic.size();
        if (filter_ends) return topic_ends;
        filter.remove_prefix(wanted.size() + 1);
        if (topic_ends) return filter == "#";  // "a/#" has the parent level in it: [MQTT-4.7.1-1].
        topic.remove_prefix(level.size() + 1);
    }
}

std::optional<SharedFilter> split_shared(std::string_view filter) {
    constexpr std::string_view prefix = "$share/";
    if (!filter.starts_with(prefix)) return std::nullopt;
    filter.remove_prefix(prefix.size());

    const std::string_view group = first_level(filter);
    if (group.empty() || group.size() == filter.size()) return std::nullopt;
    if (has_wildcard(group) || !is_valid_utf8(group)) return std::nullopt;
    filter.remove_prefix(group.size() + 1);
    if (!is_valid_topic_filter(filter)) return std::nullopt;
    return SharedFilter{group, filter};
}

}  // namespace mqtt
