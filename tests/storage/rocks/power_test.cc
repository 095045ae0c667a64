// Power cuts, a full disk and a broken one below the real store: nothing that was committed is ever
// lost, and nothing is committed that is not safe.
#include <gtest/gtest.h>

#include "storage/changes.h"
#include "storage/durable_store.h"
#include "storage/rocks/folder.h"
#include "storage/rocks/simulated_disk.h"
#include "storage/rocks_engine.h"
#include "support/fake_log.h"

namespace storage {
namespace {

using broker::Change;
using namespace std::chrono_literals;

// The thousand cuts are as many tests, which run side by side.
constexpr unsigned seeds = 4;
// RocksDB that is cut while it compacts waits for a second: it does not with so few starts.
constexpr int rounds_of_a_store = 3;

class PowerTest : public ::testing::Test {
protected:
    // Opens the store; what it restores.
    std::vector<std::string> open() {
        auto engine = open_rocks_engine(folder->store(), {.env = disk.env()});
        EXPECT_TRUE(engine) << engine.error();
        if (!engine) return {};
        auto opened = DurableStore::open(std::move(*engine), folder->store(), log, options);
        EXPECT_TRUE(opened) << opened.error();
        if (!opened) return {};
        store = std::move(*opened);
        std::vector<Change> changes;
        store->restore([&](const Change& change) { changes.push_back(change); });
        EXPECT_EQ("", store->restore_error());
        return state_of(changes);
    }
    void begin_anew() {
        store.reset();
        folder = std::make_unique<Folder>();
        open();
    }
    // Of what was not synced a part stays, or nothing.
    void cut(bool is_torn = true) {
        disk.cut();
        store.reset();
        disk.lose_unsynced(is_torn ? &random : nullptr);
    }
    broker::CommitNumber append(const std::vector<Change>& changes) {
        broker::ChangeBatch batch;
        for (const Change& change : changes) {
            std::visit([&](const auto& one) { batch.add(one); }, change);
        }
        return store->append(0, batch);
    }
    void wait_for(broker::CommitNumber number) const {
        while (store->committed(0) < number) std::this_thread::yield();
    }

    std::unique_ptr<Folder> folder = std::make_unique<Folder>();
    SimulatedDisk disk;
    std::mt19937 random{1};
    support::FakeLog log;
    CommitterOptions options{.retry_first = 1ms, .retry_longest = 5ms};
    std::unique_ptr<DurableStore> store;
};

// Batches as sessions make them: messages come, are sent, and are done, and sessions end.
class Traffic {
public:
    explicit Traffic(std::mt19937& random) : random_(random) {}

    std::vector<Change> batch() {
        std::vector<Change> changes;
        for (std::size_t i = 1 + random_() % 4; i > 0; --i) add(changes);
        return changes;
    }

private:
    void add(std::vector<Change>& changes) {
        const std::uint64_t one = 1 + random_() % 4;
        const SessionNumber number{one};
        const std::uint64_t order = ++order_;
        const std::uint64_t old = order > 8 ? order - random_() % 8 : order;
        switch (random_() % 8) {
            case 0:
                changes.emplace_back(session(one, "c" + std::to_string(order)));
                break;
            case 1:
                changes.emplace_back(broker::MessageDone{number, old});
                break;
            case 2:
                changes.emplace_back(broker::RetainedKept{message(std::to_string(order))});
                break;
            case 3:
                changes.emplace_back(broker::ReceivedKept{number, 7});
                break;
            case 4:
                changes.emplace_back(
                    broker::MessageSent{number, old, broker::OutgoingState::wait_pubcomp, 9});
                break;
            case 5:
                if (random_() % 8 == 0) changes.emplace_back(broker::SessionEnded{number});
                break;
            default:
                changes.emplace_back(
                    queued(one, order, message(std::string(random_() % 2000, 'x'))));
        }
    }

    std::mt19937& random_;
    std::uint64_t order_ = 0;
};

// The store was cut after `history`, of which the first `safe` batches were committed: it must have
// these, and may have more, but whole batches only. How many it has.
std::size_t batches_in(const std::vector<std::vector<Change>>& history, std::size_t safe,
                       const std::vector<std::string>& restored) {
    std::vector<Change> changes;
    for (std::size_t i = 0; i <= history.size(); ++i) {
        if (i >= safe && state_of(changes) == restored) return i;
        if (i == history.size()) break;
        changes.insert(changes.end(), history[i].begin(), history[i].end());
    }
    return SIZE_MAX;
}

// The shortest way to the state after so many batches.
std::vector<Change> changes_of(const std::vector<std::vector<Change>>& history, std::size_t count) {
    KeptState state;
    for (std::size_t i = 0; i < count; ++i) {
        for (const Change& change : history[i]) state.apply(change);
    }
    std::vector<Change> changes;
    state.for_each([&](const Change& change) { changes.push_back(change); });
    return changes;
}

class ThousandCuts : public PowerTest, public ::testing::WithParamInterface<unsigned> {};

TEST_P(ThousandCuts, lose_nothing_that_was_committed) {
    constexpr int rounds = 1000 / seeds;
    random.seed(GetParam());
    Traffic traffic(random);
    std::vector<std::vector<Change>> history;
    std::size_t cut_short = 0;
    for (int round = 0; round < rounds; ++round) {
        if (round % rounds_of_a_store == 0) {
            begin_anew();
            history.assign(1, {});
        }
        for (std::size_t i = 1 + random() % 6; i > 0; --i) {
            history.push_back(traffic.batch());
            const auto number = append(history.back());
            if (random() % 2 == 0) wait_for(number);
        }
        disk.cut();
        const auto safe = store->committed(0);
        cut();
        const std::size_t kept = batches_in(history, safe + 1, open());
        ASSERT_NE(SIZE_MAX, kept) << "round " << round << ": what was committed is not there";
        cut_short += kept < history.size() ? 1 : 0;
        // What is there is where the next round begins.
        history.assign(1, changes_of(history, kept));
    }
    EXPECT_LT(0U, cut_short) << "no cut came while something waited";
}
INSTANTIATE_TEST_SUITE_P(Power, ThousandCuts, ::testing::Range(1U, seeds + 1));

TEST_F(PowerTest, at_level_process_a_cut_may_lose_what_was_committed) {
    options.sync = false;
    open();
    wait_for(append({session(1, "a")}));
    cut(false);
    options.sync = true;
    EXPECT_TRUE(open().empty());
    const std::size_t before = disk.syncs();
    wait_for(append({session(1, "a")}));
    EXPECT_LT(before, disk.syncs());
    cut();
    EXPECT_EQ(1U, open().size());
}

TEST_F(PowerTest, a_full_disk_stops_commits_and_goes_on_by_itself) {
    open();
    wait_for(append({session(1, "a")}));
    disk.set_free(100);
    const auto number = append({queued(1, 1, message(std::string(5000, 'x')))});
    while (!store->figures().is_out_of_space) std::this_thread::yield();
    EXPECT_GT(number, store->committed(0));
    disk.set_free(SIZE_MAX);
    wait_for(number);
    EXPECT_FALSE(store->figures().has_failed);
    wait_for(append({queued(1, 2, message("y"))}));
    cut();
    EXPECT_EQ(3U, open().size());
}

TEST_F(PowerTest, a_disk_that_breaks_once_is_not_believed_again) {
    open();
    wait_for(append({session(1, "a")}));
    disk.break_syncs(true);
    const auto number = append({session(2, "b")});
    while (!store->figures().has_failed) std::this_thread::yield();
    disk.break_syncs(false);
    append({session(3, "c")});
    store->finish();
    EXPECT_GT(number, store->committed(0));
    EXPECT_TRUE(log.contains("the store has failed"));
    cut();
    EXPECT_LE(1U, open().size());
}

}  // namespace
}  // namespace storage
