// Memory for what a shard is making, one of each at a time, so that it is not asked for anew.
//
// Owned by a Shard; thread: its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace broker {

struct Scratch {
    std::vector<std::uint8_t> packet;
    std::vector<std::uint8_t> properties;  // To be forwarded.
    std::string topic;                     // Under its mount point.
};

}  // namespace broker
