// What the broker says about itself under $SYS/broker/, every sys_interval: the topics and the
// wording are Mosquitto's.
//
// Reads the counters of all shards, publishes through the one it belongs to. A value is published
// when it has changed; each is retained. Thread: that shard's. Owned by server/.
#pragma once

#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/timer_wheel.h"
#include "broker/shard.h"

namespace broker {

class SysTopics {
public:
    // `counters` are those of all shards and outlive this object. Publishes the fixed topics at
    // once and arms its timer.
    SysTopics(Shard& shard, std::vector<const Counters*> counters);
    SysTopics(const SysTopics&) = delete;
    SysTopics& operator=(const SysTopics&) = delete;

    // All topics now.
    void publish_all();
    // A log line under $SYS/broker/log/TYPE, not retained.
    void publish_log(base::LogType type, std::string_view line);

private:
    static constexpr std::size_t load_kinds = 9;
    struct Load {
        std::uint64_t last = 0;
        std::array<double, 3> per_minute{};  // Over 1, 5 and 15 minutes.
    };

    static void on_timer(base::Timer& timer, void* self);
    std::uint64_t sum(Counter Counters::*counter) const;
    std::uint64_t dropped() const;
    void publish_clients();
    void publish_traffic();
    void publish_store();
    void publish_sink();
    void publish_heap();
    void publish_loads();
    void publish_refusals();
    void publish_load(std::size_t kind, const char* name, std::uint64_t total);
    void publish(std::string_view name, std::uint64_t value);
    void publish(std::string_view name, std::string value);

    Shard& shard_;
    std::vector<const Counters*> counters_;
    std::unordered_map<std::string, std::string> published_;
    std::array<Load, load_kinds> loads_{};
    std::uint64_t started_ms_;
    std::uint64_t loads_at_ms_;
    std::uint64_t clients_maximum_ = 0;
    std::uint64_t heap_maximum_ = 0;
    base::Timer timer_;
};

}  // namespace broker
