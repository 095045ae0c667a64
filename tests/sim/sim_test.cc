// The simulator itself: the same seed is the same run, and what a store does wrong is found.
#include <gtest/gtest.h>

#include "sim/simulation.h"

namespace sim {
namespace {

Outcome run(std::uint64_t seed, Defect defect = Defect::none) {
    Trace trace;
    return simulate({.seed = seed, .defect = defect}, trace);
}

// The first seed that finds the defect, or 0.
std::uint64_t first_that_finds(Defect defect, std::uint64_t seeds) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        if (!run(seed, defect).violation.empty()) return seed;
    }
    return 0;
}

TEST(Simulation, a_seed_runs_the_same_way_each_time) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const Outcome one = run(seed);
        const Outcome other = run(seed);
        EXPECT_EQ(one.digest, other.digest) << "seed " << seed;
        EXPECT_NE(one.digest, run(seed + 1).digest);
    }
}

TEST(Simulation, its_clients_get_something_done_and_its_broker_crashes) {
    std::size_t acknowledged = 0;
    std::size_t crashes = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const Outcome outcome = run(seed);
        acknowledged += outcome.acknowledged;
        crashes += outcome.crashes;
    }
    EXPECT_LT(1000U, acknowledged);
    EXPECT_LT(100U, crashes);
}

TEST(Simulation, finds_a_store_that_promises_a_batch_too_early) {
    EXPECT_NE(0U, first_that_finds(Defect::early_commit, 50));
}

TEST(Simulation, finds_a_disk_that_forgets_what_it_has_synced) {
    EXPECT_NE(0U, first_that_finds(Defect::forgetful_disk, 50));
}

}  // namespace
}  // namespace sim
