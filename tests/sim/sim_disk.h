// A disk on which a store lies, and what may happen to it: a power cut takes with it what was
// written and not synced, but for some of the oldest; it is full for a while; it breaks.
//
// Outlives the engines that open() makes: one for each start of the broker.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/random.h"
#include "storage/engine.h"

namespace sim {

class SimDisk {
public:
    explicit SimDisk(Random& random) : random_(random) {}

    std::unique_ptr<storage::Engine> open();
    // The process ends and the machine goes on: everything that was written is there.
    void kill() { is_broken_ = false; }
    void cut_power();

    void set_full(bool is_full) { is_full_ = is_full; }
    bool is_full() const { return is_full_; }
    // The next write fails, and may or may not have happened.
    void break_next_write() { is_broken_ = true; }
    // A disk that lies: at a power cut the last group that was synced is lost all the same.
    void set_forgetful(bool is_forgetful) { is_forgetful_ = is_forgetful; }

private:
    class Engine;
    using Records = std::map<std::string, std::string>;

    base::Result<void, storage::EngineError> write(const storage::WriteList& writes, bool sync);

    Random& random_;
    Records records_;                // As the broker sees them.
    std::vector<Records> unsynced_;  // What they were before each write since the last sync.
    Records before_last_sync_;
    bool is_full_ = false;
    bool is_broken_ = false;
    bool is_forgetful_ = false;
};

}  // namespace sim
