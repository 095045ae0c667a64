// What a promise about a message survives, by its topic: `durability`, and the lines of
// `durability_topic` that say otherwise for some topics.
//
// A message of level memory is not recorded, and its acknowledgement waits for nothing. One of
// level process is recorded, and asks for no sync. Sessions and subscriptions have the highest
// level that any message may have: a message is not worth more than the session it waits for.
//
// A part of Options: a value that does not change. Cost: without a rule nothing is looked at; with
// some, each is matched, the last one first. Limit: config::durability_topics_max rules.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/topic.h"

namespace broker {

enum class Durability : std::uint8_t { memory, process, disk };

class DurabilityLevels {
public:
    DurabilityLevels() = default;
    explicit DurabilityLevels(Durability general) : general_(general), highest_(general) {}

    // Messages whose topic matches the valid filter have that level. Of several rules the last one
    // that was added counts.
    void add(Durability level, std::string filter) {
        highest_ = std::max(highest_, level);
        rules_.push_back({level, std::move(filter)});
    }

    Durability of(std::string_view topic) const {
        if (rules_.empty()) return general_;
        const auto rule = std::find_if(rules_.rbegin(), rules_.rend(), [&](const Rule& one) {
            return mqtt::matches(one.filter, topic);
        });
        return rule == rules_.rend() ? general_ : rule->level;
    }
    Durability highest() const { return highest_; }
    // Whether what is recorded for a message of that level must reach the disk. What comes from a
    // store counts as disk, so that nothing is lost by a restart.
    bool needs_sync(Durability level) const {
        return std::min(level, highest_) == Durability::disk;
    }

private:
    struct Rule {
        Durability level{};
        std::string filter;
    };
    Durability general_ = Durability::disk;
    Durability highest_ = Durability::disk;
    std::vector<Rule> rules_;
};

}  // namespace broker
