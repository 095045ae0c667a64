// What simulated clients publish to and subscribe to: few, so that they meet and overlap.
#pragma once

#include <array>

namespace sim {

inline constexpr std::array<const char*, 4> topics{"a/x", "a/y", "b/x", "b/y"};
inline constexpr std::array<const char*, 3> retained_topics{"r/0", "r/1", "r/x"};
// What is shared is matched by nothing else, so that who gets it is the group's matter.
inline constexpr std::array<const char*, 2> shared_topics{"$q/0", "$q/1"};
inline constexpr const char* shared_filter = "$share/group/$q/+";
inline constexpr std::array<const char*, 9> filters{"a/#", "+/x", "a/x", "b/+", "#",
                                                    "r/#", "r/0", "b/y", "w/#"};

// A client asks for a filter with the same QoS each time: what it is owed is then plain.
inline int qos_of(std::size_t client, std::size_t filter) {
    constexpr std::array<int, 5> qos{2, 1, 2, 0, 1};
    return qos[(client * 3 + filter) % qos.size()];
}
inline int shared_qos_of(std::size_t client) {
    return client % 4 == 0 ? 1 : 2;
}

}  // namespace sim
