// A store that is closed and opened again, on an engine that keeps its records: what comes back,
// and what is written for it.
#include "storage/durable_store.h"

#include <gtest/gtest.h>

#include "storage/changes.h"
#include "storage/memory_engine.h"
#include "storage/restorer.h"
#include "support/fake_log.h"

namespace storage {
namespace {

using broker::Change;
using broker::MessageDone;
using broker::MessageSent;
using broker::OutgoingState;

// Many engines on the same records, one after the other.
class BorrowedEngine : public Engine {
public:
    explicit BorrowedEngine(MemoryEngine& real) : real_(real) {}
    base::Result<void, EngineError> write(const WriteList& writes, bool sync) override {
        return real_.write(writes, sync);
    }
    base::Result<void, EngineError> resume() override { return real_.resume(); }
    base::Result<void, std::string> scan(Bytes first,
                                         const std::function<bool(Bytes, Bytes)>& each) override {
        return real_.scan(first, each);
    }

private:
    MemoryEngine& real_;
};

class DurableStoreTest : public ::testing::Test {
protected:
    // Opens the store again; what it restores.
    std::vector<std::string> reopen() {
        store.reset();
        auto opened =
            DurableStore::open(std::make_unique<BorrowedEngine>(engine), "there", log, {});
        EXPECT_TRUE(opened) << opened.error();
        store = std::move(*opened);
        std::vector<Change> changes;
        store->restore([&](const Change& change) { changes.push_back(change); });
        EXPECT_EQ("", store->restore_error());
        return state_of(changes);
    }
    // Appends in batches of one, since a batch is pruned.
    // In one batch, which is written as a whole: of two, the first may have been written before the
    // second comes, and what they share is there twice.
    void append(const std::vector<Change>& changes) {
        reopen();
        broker::ChangeBatch all;
        for (const Change& change : changes) {
            std::visit(
                [&](const auto& one) {
                    broker::ChangeBatch batch = batch_of(one);
                    all.absorb(batch);
                },
                change);
            history.push_back(change);
        }
        store->append(0, all);
        store->finish();
    }
    void check() {
        const auto want = state_of(history);
        EXPECT_EQ(want, reopen());
        EXPECT_EQ(want, reopen()) << "a second time";
    }
    std::size_t records(RecordKind kind) const {
        std::size_t count = 0;
        for (const auto& [key, value] : engine.records()) {
            count += key[0] == static_cast<char>(kind) ? 1 : 0;
        }
        return count;
    }
    std::string key_of(RecordKind kind) const {
        for (const auto& [key, value] : engine.records()) {
            if (key[0] == static_cast<char>(kind)) return key;
        }
        return {};
    }
    void damage(RecordKind kind) {
        const std::string key = key_of(kind);
        std::string value = engine.records()[key];
        value.back() = static_cast<char>(value.back() ^ 1);
        engine.put(key, value);
    }

    MemoryEngine engine;
    support::FakeLog log;
    std::unique_ptr<DurableStore> store;
    std::vector<Change> history;
};

TEST_F(DurableStoreTest, what_was_kept_comes_back) {
    broker::SessionKept away = session(2, "away");
    away.left_wall_ms = 5;
    away.will = message("gone", "will");
    const auto sub = [](std::uint64_t number, std::string filter) {
        broker::SubscriptionKept kept;
        kept.session = SessionNumber{number};
        kept.filter = std::move(filter);
        return kept;
    };
    append({session(1, "a"), away, sub(1, "x/#"), sub(1, "gone"), sub(2, "y"),
            broker::SubscriptionEnded{SessionNumber{1}, "gone"},
            broker::ReceivedKept{SessionNumber{2}, 3}, broker::ReceivedKept{SessionNumber{2}, 4},
            broker::ReceivedReleased{SessionNumber{2}, 3}, queued(1, 1, message("m")),
            queued(2, 7, message("n")),
            MessageSent{SessionNumber{1}, 1, OutgoingState::wait_puback, 9},
            broker::RetainedKept{message("1", "r")}, broker::RetainedKept{message("2", "r")},
            broker::RetainedKept{message("3", "s")}, broker::RetainedCleared{"s"}});
    check();
}

TEST_F(DurableStoreTest, an_ended_session_leaves_nothing) {
    std::vector<Change> changes{session(1, "a"), session(2, "b")};
    for (std::uint64_t order = 1; order <= 40; ++order) {
        changes.emplace_back(queued(1, order, message("m")));
        if (order <= 3) changes.emplace_back(queued(2, order, message("n")));
    }
    changes.emplace_back(MessageSent{SessionNumber{1}, 1, OutgoingState::wait_puback, 1});
    changes.emplace_back(MessageSent{SessionNumber{2}, 1, OutgoingState::wait_puback, 1});
    changes.emplace_back(broker::ReceivedKept{SessionNumber{1}, 1});
    changes.emplace_back(broker::SessionEnded{SessionNumber{1}});
    append(changes);
    check();
    append({broker::SessionEnded{SessionNumber{2}}, queued(2, 9, message("late"))});
    check();
    EXPECT_EQ(1U, engine.records().size()) << "the store's own";
}

TEST_F(DurableStoreTest, content_is_there_once_and_goes_with_the_last_who_waits) {
    const auto shared = message("shared");
    append({session(1, "a"), session(2, "b"), session(3, "c"), queued(1, 1, shared),
            queued(2, 1, shared), queued(3, 1, shared)});
    EXPECT_EQ(1U, records(RecordKind::content));
    check();
    append({MessageDone{SessionNumber{1}, 1}, broker::SessionEnded{SessionNumber{2}}});
    EXPECT_EQ(1U, records(RecordKind::content));
    check();
    append({MessageSent{SessionNumber{3}, 1, OutgoingState::wait_pubcomp, 4}});
    EXPECT_EQ(0U, records(RecordKind::content)) << "after PUBREC only the identifier matters";
    check();
    append({MessageDone{SessionNumber{3}, 1}});
    EXPECT_EQ(0U, records(RecordKind::message));
    check();
}

TEST_F(DurableStoreTest, handovers_come_back_and_go_as_far_as_they_are_done) {
    const auto one = message("1");
    const auto handover = [](std::uint32_t to, std::uint64_t count, broker::MessageRef content) {
        return broker::HandoverKept{
            .from = 0, .to = to, .count = count, .message = std::move(content)};
    };
    append({broker::LayoutKept{.shards = 3, .partition_seed = 77}, handover(1, 1, one),
            handover(2, 1, one), handover(1, 4, message("2")), broker::HandoverTaken{0, 1, 3},
            broker::HandoverTaken{0, 1, 4}, broker::HandoverDone{0, 1, 3}});
    check();
    EXPECT_EQ(2U, records(RecordKind::content));
    EXPECT_EQ(2U, records(RecordKind::handover));
    append({broker::HandoversCleared{}, broker::LayoutKept{.shards = 1}, handover(1, 1, one)});
    check();
    EXPECT_EQ(0U, records(RecordKind::taken));
    EXPECT_EQ(1U, records(RecordKind::handover));
    append({broker::HandoverDone{0, 1, 1}});
    check();
    EXPECT_EQ(0U, records(RecordKind::content) + records(RecordKind::handover));
}

TEST_F(DurableStoreTest, content_after_a_restart_gets_a_number_of_its_own) {
    const auto first = message("first");
    append({session(1, "a"), session(2, "b"), queued(1, 1, first), queued(2, 1, first)});
    check();
    const auto second = message("second");
    append({queued(1, 2, second), queued(2, 2, second)});
    EXPECT_EQ(2U, records(RecordKind::content));
    check();
}

TEST_F(DurableStoreTest, messages_may_be_done_in_any_order) {
    append({session(1, "a")});
    std::vector<Change> changes;
    for (std::uint64_t order = 1; order <= 300; ++order) {
        changes.emplace_back(queued(1, order, message(std::to_string(order))));
    }
    for (std::uint64_t order = 1; order <= 300; ++order) {
        if (order % 7 != 0) changes.emplace_back(MessageDone{SessionNumber{1}, order * 211 % 307});
    }
    append(changes);
    check();
}

TEST_F(DurableStoreTest, applying_changes_twice_does_no_harm) {
    const auto one = message("m");
    const std::vector<Change> changes{session(1, "a"), queued(1, 1, one), queued(1, 2, one),
                                      queued(1, 3, one), MessageDone{SessionNumber{1}, 1}};
    append(changes);
    reopen();
    append(changes);
    check();
    EXPECT_EQ(1U, records(RecordKind::content));
}

struct Damage {
    std::string sentence;
    RecordKind kind;
    std::vector<std::string> lost;  // The beginnings of what does not come back.
    std::string line;
};

TEST_F(DurableStoreTest, a_damaged_record_is_set_aside_and_the_rest_comes_back) {
    const std::vector<Damage> table{
        {"a session", RecordKind::session, {"session 1", "sub", "message 1", "rec"}, "'session 1'"},
        {"a subscription", RecordKind::subscription, {"subscription"}, "'subscription 1/x'"},
        {"content", RecordKind::content, {"message 1/1", "message 2/1"}, "'content 1'"},
        {"a message", RecordKind::message, {"message 1/1"}, "'message 1/1'"},
        {"an identifier", RecordKind::received, {"received"}, "'received 1/5'"},
        {"a retained message", RecordKind::retained, {"retained"}, "'retained r'"}};
    for (const Damage& row : table) {
        broker::SubscriptionKept subscription;
        subscription.session = SessionNumber{1};
        subscription.filter = "x";
        for (const auto& [key, value] : engine.records()) {
            WriteList all;
            erase(all, base::as_bytes(key));
            ASSERT_TRUE(engine.write(all, false));
        }
        store.reset();
        history.clear();
        const auto shared = message("shared");
        append({session(1, "a"), session(2, "b"), subscription, queued(1, 1, shared),
                queued(2, 1, shared), queued(2, 2, message("m")),
                broker::ReceivedKept{SessionNumber{1}, 5},
                broker::RetainedKept{message("m", "r")}});
        store.reset();
        damage(row.kind);
        std::vector<std::string> want = state_of(history);
        std::erase_if(want, [&](const std::string& line) {
            return std::any_of(row.lost.begin(), row.lost.end(),
                               [&](const std::string& lost) { return line.starts_with(lost); });
        });
        EXPECT_EQ(want, reopen()) << row.sentence;
        EXPECT_TRUE(log.contains("record " + row.line + " is set aside: its checksum")) << row.line;
        EXPECT_LE(1U, records(RecordKind::damaged)) << row.sentence;
        const std::size_t lines = log.count("set aside");
        EXPECT_EQ(want, reopen()) << row.sentence;
        EXPECT_EQ(lines, log.count("set aside")) << "told once";
    }
}

TEST_F(DurableStoreTest, a_newer_format_is_refused_and_left_alone) {
    WriteList writes;
    put(writes, StoreRecord{.format = store_format + 1});
    ASSERT_TRUE(engine.write(writes, true));
    const auto before = engine.records();
    const auto opened =
        DurableStore::open(std::make_unique<BorrowedEngine>(engine), "there", log, {});
    ASSERT_FALSE(opened);
    EXPECT_EQ(
        "Error: store there has format 4, and this nightjar reads formats up to 3: start the "
        "version that wrote it, or name another place.",
        opened.error());
    EXPECT_EQ(before, engine.records());
}

// Format 1 knew no message in the record of who waits for it, and no publisher in one of what is
// retained.
TEST_F(DurableStoreTest, an_older_format_is_read_and_is_the_newer_one_from_then_on) {
    WriteList writes;
    put(writes, StoreRecord{.format = 1});
    put(writes, session(1, "a"));
    put(writes, ContentRecord{ContentNumber{7}, message("old")});
    put(writes, queued(1, 1, {}), ContentNumber{7});
    put(writes, broker::RetainedKept{message("old", "r")});
    ASSERT_TRUE(engine.write(writes, true));
    history = {session(1, "a"), queued(1, 1, message("old")),
               broker::RetainedKept{message("old", "r")}};
    check();
    EXPECT_TRUE(log.contains("has format 1 and gets format 3"));
    const auto ann = broker::PublisherRef::adopt(new broker::Publisher("dev1", "ann", 0));
    append({queued(1, 2, message("new")), broker::RetainedKept{message("new", "r"), ann}});
    check();
    EXPECT_EQ(1U, log.count("gets format 3"));
}

TEST_F(DurableStoreTest, only_what_several_wait_for_or_may_is_a_content_of_its_own) {
    const auto shared = message("shared");
    const auto retained = broker::Message::make(
        {.topic = "t", .payload = {}, .properties = {}, .qos = {}, .retain = true});
    append({session(1, "a"), session(2, "b"), queued(1, 1, message("alone"))});
    EXPECT_EQ(0U, records(RecordKind::content));
    append({queued(1, 2, shared), queued(2, 1, shared)});
    EXPECT_EQ(1U, records(RecordKind::content));
    append({queued(1, 3, retained)});
    append({queued(2, 2, retained)});
    EXPECT_EQ(2U, records(RecordKind::content));
    check();
    append({MessageDone{SessionNumber{1}, 1}, MessageDone{SessionNumber{1}, 2},
            MessageDone{SessionNumber{1}, 3}});
    EXPECT_EQ(2U, records(RecordKind::content)) << "the other session needs them";
    append({broker::SessionEnded{SessionNumber{2}}});
    EXPECT_EQ(0U, records(RecordKind::content) + records(RecordKind::message));
    check();
}

TEST_F(DurableStoreTest, the_log_does_not_drown_in_damage) {
    for (char c = 'a'; c <= 'z'; ++c) engine.put(std::string("\x06") + c, "nothing");
    reopen();
    EXPECT_EQ(Restorer::lines_max, log.count("is set aside"));
    EXPECT_TRUE(log.contains("6 more records"));
}

}  // namespace
}  // namespace storage
