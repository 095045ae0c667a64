// The store on RocksDB: what is there after an end of each kind, and what cannot be opened.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "storage/changes.h"
#include "storage/durable_store.h"
#include "storage/rocks/folder.h"
#include "storage/rocks_engine.h"
#include "support/fake_log.h"

namespace storage {
namespace {

using broker::Change;

class RocksStoreTest : public ::testing::Test {
protected:
    base::Result<void, std::string> open(const std::string& path) {
        auto engine = open_rocks_engine(path);
        if (!engine) return base::fail(engine.error());
        auto opened = DurableStore::open(std::move(*engine), path, log, options);
        if (!opened) return base::fail(opened.error());
        store = std::move(*opened);
        return {};
    }
    std::vector<std::string> restored() {
        std::vector<Change> changes;
        store->restore([&](const Change& change) { changes.push_back(change); });
        EXPECT_EQ("", store->restore_error());
        return state_of(changes);
    }
    std::vector<std::string> reopen(const std::string& path) {
        store.reset();
        const auto opened = open(path);
        EXPECT_TRUE(opened) << opened.error();
        return opened ? restored() : std::vector<std::string>{};
    }
    void wait_for(broker::CommitNumber number) const {
        while (store->committed(0) < number) std::this_thread::yield();
    }

    Folder folder;
    support::FakeLog log;
    CommitterOptions options;
    std::unique_ptr<DurableStore> store;
};

const std::vector<std::string> one_queued{"session 1 a 60 0 - 0 0", "message 1/1 t=m1@0+ 1 0 0"};

broker::ChangeBatch first_batch() {
    return batch_of(session(1, "a"), queued(1, 1, message("m")));
}

TEST_F(RocksStoreTest, what_was_committed_is_there_after_a_clean_end) {
    EXPECT_TRUE(reopen(folder.store()).empty());
    EXPECT_TRUE(store->is_new());
    broker::ChangeBatch batch = first_batch();
    store->append(0, batch);
    EXPECT_EQ(one_queued, reopen(folder.store()));
    EXPECT_FALSE(store->is_new());
}

TEST_F(RocksStoreTest, only_its_owner_may_look_at_it) {
    reopen(folder.store());
    struct stat status {};
    ASSERT_EQ(0, stat(folder.store().c_str(), &status));
    EXPECT_EQ(0700U, status.st_mode & 0777U);
}

TEST_F(RocksStoreTest, what_was_committed_survives_a_killed_process_at_both_levels) {
    const auto path_at = [&](bool sync) { return folder.store() + (sync ? "-disk" : "-process"); };
    // Both before this process opens a store: RocksDB's threads are not there in a child.
    for (const bool sync : {true, false}) {
        options.sync = sync;
        const pid_t child = fork();
        if (child == 0) {
            reopen(path_at(sync));
            broker::ChangeBatch batch = first_batch();
            wait_for(store->append(0, batch));
            _exit(0);
        }
        int status = -1;
        ASSERT_EQ(child, waitpid(child, &status, 0));
        ASSERT_EQ(0, status);
    }
    for (const bool sync : {true, false}) EXPECT_EQ(one_queued, reopen(path_at(sync))) << sync;
}

TEST_F(RocksStoreTest, a_copy_of_the_open_store_is_one) {
    reopen(folder.store());
    broker::ChangeBatch batch = first_batch();
    wait_for(store->append(0, batch));
    std::filesystem::copy(folder.store(), folder.path() + "/copy");
    EXPECT_EQ(one_queued, reopen(folder.path() + "/copy"));
}

TEST_F(RocksStoreTest, a_second_broker_is_told_that_the_store_is_in_use) {
    reopen(folder.store());
    const auto second = open_rocks_engine(folder.store());
    ASSERT_FALSE(second);
    EXPECT_TRUE(second.error().starts_with("Error: store " + folder.store() +
                                           " is in use by another process"))
        << second.error();
}

TEST_F(RocksStoreTest, a_place_that_is_not_there_is_named) {
    const std::string path = folder.path() + "/no/where";
    EXPECT_EQ("Error: store " + path + " cannot be made: No such file or directory.",
              open(path).error());
}

// The log is the file that is written for each group.
std::string log_file(const std::string& path) {
    std::string newest;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
        if (entry.path().extension() == ".log") newest = std::max(newest, entry.path().string());
    }
    return newest;
}

TEST_F(RocksStoreTest, a_torn_end_of_the_log_is_no_fault_but_a_hole_in_it_is) {
    reopen(folder.store());
    for (std::uint64_t order = 1; order <= 50; ++order) {
        broker::ChangeBatch batch =
            batch_of(session(1, "a"), queued(1, order, message(std::string(100, 'x'))));
        wait_for(store->append(0, batch));
    }
    const std::string torn = folder.path() + "/torn";
    const std::string holed = folder.path() + "/holed";
    std::filesystem::copy(folder.store(), torn);
    std::filesystem::copy(folder.store(), holed);
    const auto size = std::filesystem::file_size(log_file(torn));
    std::filesystem::resize_file(log_file(torn), size - 10);
    EXPECT_EQ(50U, reopen(torn).size()) << "the session and 49 of 50";

    std::fstream file(log_file(holed), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(size / 2));
    file << "damage";
    file.close();
    const auto opened = open(holed);
    ASSERT_FALSE(opened);
    EXPECT_TRUE(opened.error().starts_with("Error: store " + holed + " is damaged: Corruption"))
        << opened.error();
}

// With NIGHTJAR_RESTORE_MESSAGES=1000000 it prints the number of docs/decisions/017.
TEST_F(RocksStoreTest, many_messages_come_back) {
    const char* wanted = std::getenv("NIGHTJAR_RESTORE_MESSAGES");
    const std::uint64_t count = wanted ? std::strtoull(wanted, nullptr, 10) : 20'000;
    reopen(folder.store());
    for (std::uint64_t i = 0; i < count;) {
        broker::ChangeBatch batch;
        for (const std::uint64_t end = std::min(count, i + 100); i < end; ++i) {
            if (i < 100) batch.add(session(i + 1, "c" + std::to_string(i)));
            batch.add(queued(i % 100 + 1, i / 100 + 1, message(std::string(64, 'x'))));
        }
        const auto number = store->append(0, batch);
        if (store->is_behind()) wait_for(number);
    }
    store.reset();
    ASSERT_TRUE(open(folder.store()));
    std::size_t changes = 0;
    const auto begin = std::chrono::steady_clock::now();
    store->restore([&](const Change&) { ++changes; });
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(count + 100, changes);
    if (wanted) printf("restored: %.2f us a message\n", took.count() / static_cast<double>(count));
}

}  // namespace
}  // namespace storage
