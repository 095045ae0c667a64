// What has left memory comes back: slices of queues, by the reader's own thread and without it, and
// a restart that does not take all content along.
#include "storage/queue_reader.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "storage/changes.h"
#include "storage/durable_store.h"
#include "storage/ledger.h"
#include "storage/memory_engine.h"
#include "storage/number_table.h"
#include "support/fake_log.h"

namespace storage {
namespace {

using broker::Change;
using broker::MessageDone;
using broker::QueueRequest;
using broker::QueueSlice;

TEST(NumberTable, behaves_as_a_map) {
    std::mt19937 random(5);
    NumberTable table;
    std::map<std::uint64_t, std::uint32_t> model;
    for (int step = 0; step < 20'000; ++step) {
        const std::uint64_t number = static_cast<std::uint64_t>(step / 20) + random() % 500;
        const auto count = static_cast<std::uint32_t>(random() % 3);
        table.set(ContentNumber{number}, count);
        model[number] = count;
        EXPECT_EQ(model[static_cast<unsigned>(step / 30)],
                  table.get(ContentNumber{static_cast<unsigned>(step / 30)}));
    }
    std::erase_if(model, [](const auto& one) { return one.second == 0; });
    std::map<std::uint64_t, std::uint32_t> found;
    table.for_each([&](ContentNumber number, std::uint32_t count) {
        found[static_cast<std::uint64_t>(number)] = count;
    });
    EXPECT_EQ(model, found);
}

class SliceTest : public ::testing::Test {
protected:
    // In groups of one.
    template <typename... Each>
    void write(Each&&... each) {
        (write_one(std::forward<Each>(each)), ...);
    }
    template <typename... Each>
    void write_together(Each&&... each) {
        WriteList writes;
        ledger.write(batch_of(std::forward<Each>(each)...), writes);
        ASSERT_TRUE(engine.write(writes, false));
    }
    template <typename One>
    void write_one(One&& one) {
        write_together(std::forward<One>(one));
    }
    // Two sessions share a content.
    void write_shared(std::uint64_t number, std::uint64_t other, std::uint64_t order,
                      const std::string& payload) {
        const auto shared = message(payload);
        write_together(queued(number, order, shared), queued(other, order, shared));
    }
    void fill(std::uint64_t number, std::uint64_t first, std::uint64_t last, std::size_t size) {
        for (std::uint64_t order = first; order <= last; ++order) {
            if (order % 3 == 0) {
                write_shared(number, number + 1000, order, std::string(size, 'x'));
            } else {
                write(queued(number, order, message(std::string(size, 'x'))));
            }
        }
    }
    QueueSlice slice(std::uint64_t first, std::uint64_t last, std::uint64_t number = 1) {
        return read_slice(engine, QueueRequest{.session = SessionNumber{number},
                                               .first_order = first,
                                               .last_order = last});
    }
    static std::string text(const QueueSlice& slice) {
        std::string text;
        for (const broker::MessageKept& one : slice.messages) {
            text += fmt::format("{}={} ", one.order, base::as_text(one.message->payload()));
        }
        return text +
               fmt::format("next {} bad {}{}", slice.next_order, slice.unreadable, slice.error);
    }
    void damage(const std::string& key) {
        std::string value = engine.records()[key];
        value.back() = static_cast<char>(value.back() ^ 1);
        engine.put(key, value);
    }

    MemoryEngine engine;
    Ledger ledger;
};

struct SliceRow {
    std::string sentence;
    std::uint64_t first;
    std::uint64_t last;
    std::string want;
};

TEST_F(SliceTest, brings_what_is_between_two_orders_of_one_session) {
    write(session(1), session(2));
    for (std::uint64_t order = 1; order <= 5; ++order) {
        write(queued(1, order, message(std::to_string(order))));
        write(queued(2, order, message("other")));
    }
    write(MessageDone{SessionNumber{1}, 3});
    const std::vector<SliceRow> table{
        {"all", 1, 5, "1=1 2=2 4=4 5=5 next 6 bad 0"},
        {"the end", 4, 5, "4=4 5=5 next 6 bad 0"},
        {"the middle", 2, 3, "2=2 next 4 bad 0"},
        {"one", 1, 1, "1=1 next 2 bad 0"},
        {"a gap", 3, 3, "next 4 bad 0"},
        {"more than there is", 5, 90, "5=5 next 91 bad 0"},
    };
    for (const SliceRow& row : table) {
        EXPECT_EQ(row.want, text(slice(row.first, row.last))) << row.sentence;
    }
    EXPECT_EQ("next 10 bad 0", text(slice(1, 9, 7))) << "of no session";
}

TEST_F(SliceTest, is_bounded_by_count_and_by_bytes_and_goes_on_where_it_stopped) {
    write(session(1), session(1001));
    fill(1, 1, 600, 10);
    fill(1, 601, 650, 20'000);
    fill(1, 651, 660, 200'000);
    std::vector<std::size_t> counts;
    for (std::uint64_t at = 1; at <= 660;) {
        const QueueSlice one = slice(at, 660);
        ASSERT_FALSE(one.messages.empty());
        EXPECT_EQ(at, one.messages.front().order);
        std::size_t bytes = 0;
        for (const auto& kept : one.messages) bytes += kept.message->bytes();
        EXPECT_GE(broker::slice_bytes_max + 201'000, bytes);
        EXPECT_GE(broker::slice_messages_max, one.messages.size());
        at = one.messages.back().order + 1;
        EXPECT_EQ(at, one.next_order);
        counts.push_back(one.messages.size());
    }
    EXPECT_EQ(256U, counts.front());
    EXPECT_EQ(1U, counts.back()) << "a large one fills a slice";
}

TEST_F(SliceTest, leaves_out_what_is_damaged_and_counts_it) {
    write(session(1), session(2));
    for (std::uint64_t order = 1; order <= 4; ++order) {
        write_shared(1, 2, order, std::to_string(order));
    }
    damage(message_key(SessionNumber{1}, 2));
    damage(content_key(ContentNumber{3}));
    EXPECT_EQ("1=1 4=4 next 5 bad 2", text(slice(1, 4)));
    WriteList writes;
    erase(writes, ContentNumber{1});
    ASSERT_TRUE(engine.write(writes, false));
    EXPECT_EQ("4=4 next 5 bad 3", text(slice(1, 4)));
    engine.break_scans("no such sector");
    EXPECT_EQ("next 5 bad 0no such sector", text(slice(1, 4)));
}

// Were it not known again, a hand-over would write it a second time.
TEST_F(SliceTest, content_that_was_read_back_is_known_again) {
    write(session(1), session(2), session(3));
    write_shared(1, 3, 1, "m");
    write(MessageDone{SessionNumber{3}, 1});
    const broker::MessageRef read = slice(1, 1).messages.at(0).message;
    write(queued(2, 1, read), MessageDone{SessionNumber{1}, 1});
    EXPECT_EQ(1U, engine.records().count(content_key(ContentNumber{1})));
    write(MessageDone{SessionNumber{2}, 1});
    EXPECT_EQ(0U, engine.records().count(content_key(ContentNumber{1})));
    write(queued(2, 2, read));
    EXPECT_EQ("2=m next 3 bad 0", text(slice(1, 2, 2))) << "erased, and written anew";
}

TEST_F(SliceTest, the_thread_answers_each_shard_and_may_end_at_any_time) {
    write(session(1), session(2), queued(1, 1, message("a")), queued(2, 1, message("b")));
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::uint32_t> woken;
    QueueReader reader(engine);
    reader.start([&](std::uint32_t shard) {
        const std::lock_guard lock(mutex);
        woken.push_back(shard);
        changed.notify_all();
    });
    reader.ask(0, {.session = SessionNumber{1}, .first_order = 1, .last_order = 1});
    reader.ask(3, {.session = SessionNumber{2}, .first_order = 1, .last_order = 1});
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return woken.size() == 2; });
    }
    EXPECT_EQ("1=a next 2 bad 0", text(reader.take(0).at(0)));
    EXPECT_EQ("1=b next 2 bad 0", text(reader.take(3).at(0)));
    EXPECT_TRUE(reader.take(0).empty());
    for (int i = 0; i < 100; ++i) {
        reader.ask(0, {.session = SessionNumber{1}, .first_order = 1, .last_order = 1});
    }
    reader.finish();
}

TEST_F(SliceTest, a_restart_takes_so_much_content_along_and_what_is_in_flight) {
    write(session(1), session(1001));
    fill(1, 1, 100, 100);
    write(queued(1, 101, message("in flight")));
    write(broker::MessageSent{SessionNumber{1}, 101, broker::OutgoingState::wait_puback, 7});
    auto owned = std::make_unique<MemoryEngine>();
    WriteList format;
    put(format, StoreRecord{});
    ASSERT_TRUE(owned->write(format, false));
    for (const auto& [key, value] : engine.records()) owned->put(key, value);
    support::FakeLog log;
    auto store = DurableStore::open(std::move(owned), "there", log, {});
    ASSERT_TRUE(store) << store.error();
    (*store)->set_restored_bytes_max(2000);
    std::size_t whole = 0;
    std::size_t stored = 0;
    std::string in_flight;
    (*store)->restore([&](const Change& change) {
        const auto* kept = std::get_if<broker::MessageKept>(&change);
        if (!kept) return;
        EXPECT_EQ(!kept->message, kept->stored_bytes == 100U) << kept->order;
        kept->message ? ++whole : ++stored;
        if (kept->packet_id != 0) in_flight = base::as_text(kept->message->payload());
    });
    EXPECT_EQ("", (*store)->restore_error());
    EXPECT_EQ("in flight", in_flight);
    EXPECT_GT(35U, whole) << "what two share is counted once";
    EXPECT_LT(10U, whole);
    EXPECT_EQ(134U, whole + stored);
}

}  // namespace
}  // namespace storage
