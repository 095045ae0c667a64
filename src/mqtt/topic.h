// Rules for topic names and topic filters, section 4.7, and for shared subscriptions, 4.8.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mqtt {

// "a/b" has two levels. More than this many is refused: depth is work for every match.
inline constexpr std::size_t topic_levels_max = 200;

// Valid UTF-8, 1..65535 bytes, no '+' or '#' [MQTT-3.3.2-2], within the level limit.
bool is_valid_topic_name(std::string_view topic);

// Valid UTF-8, 1..65535 bytes, '#' only as the whole last level [MQTT-4.7.1-1], '+' only as a whole
// level [MQTT-4.7.1-2], within the level limit. "$share/..." is not judged here: split it first.
bool is_valid_topic_filter(std::string_view filter);

bool has_wildcard(std::string_view filter);

// True if `topic` matches `filter`; both valid. A filter that starts with a wildcard does not match
// a topic that starts with '$' [MQTT-4.7.2-1]. "a/#" matches "a".
bool matches(std::string_view filter, std::string_view topic);

// "$share/group/filter" taken apart; views of the input.
struct SharedFilter {
    std::string_view group;
    std::string_view filter;
};
inline bool is_shared(std::string_view filter) {
    return filter.starts_with("$share/");
}
// Nothing if the group is empty or has '+' or '#' or if the filter is missing or invalid
// [MQTT-4.8.2-1] [MQTT-4.8.2-2].
std::optional<SharedFilter> split_shared(std::string_view filter);

}  // namespace mqtt
