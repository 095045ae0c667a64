// A whole broker of several shards, its store and its disk, and clients that do what clients do, in
// one thread on virtual time: what happens next, and when it all ends in a crash, follows from one
// seed. After each crash the broker starts again from its disk. An Oracle judges.
//
// What a seed decides, step by step: which shard has its turn, when a group of the store is
// written, how many bytes the network carries, what a client does, which shard takes nothing from
// others, how time passes, whether the disk is full or breaks, and when the broker is killed. At
// the end everybody comes back, and what was promised must be there.
#pragma once

#include <memory>
#include <vector>

#include "sim/oracle.h"
#include "sim/sim_client.h"
#include "sim/sim_disk.h"
#include "storage/durable_store.h"

namespace sim {

// What a simulation must find, for the tests of it.
enum class Defect {
    none,
    early_commit,    // The store says that a batch is safe while the one before it is.
    forgetful_disk,  // A power cut takes the last group with it that was synced.
};

struct Scenario {
    std::uint64_t seed = 0;
    Defect defect = Defect::none;
};

struct Outcome {
    std::string violation;  // Empty: every promise was kept.
    std::uint64_t digest = 0;
    std::size_t crashes = 0;
    std::size_t published = 0;
    std::size_t acknowledged = 0;
};

class Simulation {
public:
    Simulation(const Scenario& scenario, Trace& trace);
    ~Simulation();
    Simulation(const Simulation&) = delete;
    Simulation& operator=(const Simulation&) = delete;

    Outcome run();

private:
    class EarlyStore;
    // What this seed has more of, and what less: chances in a thousand steps.
    struct Habits {
        std::size_t steps = 0;
        std::size_t turns = 0;
        std::size_t commits = 0;
        std::size_t acts = 0;
        std::size_t exchanges = 0;
        std::size_t crashes = 0;
        std::size_t disk_faults = 0;
    };

    void choose_habits();
    void make_clients();
    void start();
    void crash();
    void step();
    void take_turn();
    void write_group();
    void disturb_disk();
    void refuse_batches();
    void finish();
    void come_back();
    bool settle();
    void check_world();
    void check_retained();
    bool is_over() const { return !around_.oracle.violation().empty(); }

    Scenario scenario_;
    Trace& trace_;
    Random random_;
    Oracle oracle_;
    Surroundings around_;
    Habits habits_;
    SimDisk disk_;
    bool is_synced_;  // Level disk, whose crashes are power cuts; else level process.
    support::FakeLog store_log_;
    support::FakeClock clock_;
    broker::Options options_;
    std::size_t waiting_bytes_max_ = 0;
    std::uint32_t shards_ = 1;
    std::size_t crashes_ = 0;
    std::unique_ptr<storage::DurableStore> store_;
    std::unique_ptr<EarlyStore> early_;
    std::unique_ptr<support::BrokerWorld> world_;
    std::vector<std::unique_ptr<SimClient>> clients_;
};

// One seed, from the first CONNECT to the last check.
Outcome simulate(const Scenario& scenario, Trace& trace);

}  // namespace sim
