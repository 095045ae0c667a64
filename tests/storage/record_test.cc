// The form of records: what is written is read back, and nothing else is taken for one.
#include "storage/record.h"

#include <gtest/gtest.h>

#include "storage/changes.h"

namespace storage {
namespace {

struct KeyValue {
    std::string key;
    std::string value;
};

template <typename One>
KeyValue encoded(const One& one) {
    WriteList out;
    put(out, one);
    KeyValue pair;
    out.for_each([&](const WriteList::Write& write) {
        pair = {std::string(base::as_text(write.first)), std::string(base::as_text(write.second))};
    });
    return pair;
}

base::Result<Record, RecordFault> decoded(const KeyValue& pair) {
    return decode_record(base::as_bytes(pair.key), base::as_bytes(pair.value));
}

struct Row {
    std::string sentence;
    KeyValue pair;
    std::string want;  // As ChangeText writes the record.
    std::string key;   // As describe_key() does.
};

std::vector<Row> rows() {
    std::vector<Row> rows;
    const auto add = [&](std::string sentence, const auto& record, std::string key) {
        rows.push_back(
            {std::move(sentence), encoded(record), ChangeText{}(record), std::move(key)});
    };
    const std::string large(100'000, 'x');
    const auto full = broker::Message::make({.topic = "a/b",
                                             .payload = base::as_bytes("p"),
                                             .properties = base::as_bytes("\x01\x01"),
                                             .qos = mqtt::Qos::exactly_once,
                                             .retain = true,
                                             .expiry_wall_ms = 1'700'000'000'123});
    add("the store", StoreRecord{}, "store");
    add("a connected session", session(1, "client"), "session 1");
    broker::SessionKept away = session(UINT64_MAX - 1, "");
    away.left_wall_ms = 1'700'000'000'000;
    away.expiry_s = UINT32_MAX;
    away.will = full;
    away.will_delay_s = 5;
    add("a session with a will", away, "session 18446744073709551614");
    away.will_expiry_s = 7;
    away.will_user_name = "ann";
    add("a session with a will that expires", away, "session 18446744073709551614");
    add("a subscription",
        broker::SubscriptionKept{.session = SessionNumber{2},
                                 .filter = "$share/g/a/#",
                                 .options = {.qos = mqtt::Qos::exactly_once,
                                             .no_local = true,
                                             .retain_as_published = true,
                                             .retain_handling = mqtt::RetainHandling::do_not_send},
                                 .subscription_id = 268'435'455},
        "subscription 2/$share/g/a/#");
    add("content", ContentRecord{ContentNumber{3}, full}, "content 3");
    add("large content", ContentRecord{ContentNumber{4}, message(large)}, "content 4");
    broker::MessageKept kept = queued(5, 6, {});
    add("a queued message", MessageRecord{kept, ContentNumber{3}}, "message 5/6");
    kept.ids.add(1);
    kept.ids.add(300);
    kept.retain = true;
    kept.state = broker::OutgoingState::wait_pubrec;
    kept.packet_id = 65'535;
    add("a message in flight, with identifiers", MessageRecord{kept, {}}, "message 5/6");
    kept.message = full;
    add("a message with all that it needs", MessageRecord{kept, {}}, "message 5/6");
    kept.ids = {};
    add("the same without identifiers", MessageRecord{kept, {}}, "message 5/6");
    add("how far a message has come",
        broker::MessageSent{SessionNumber{5}, 6, broker::OutgoingState::wait_pubcomp, 9},
        "message 5/6 sent");
    add("a received identifier", broker::ReceivedKept{SessionNumber{7}, 8}, "received 7/8");
    add("a retained message", broker::RetainedKept{full}, "retained a/b");
    const auto ann = broker::PublisherRef::adopt(new broker::Publisher("dev1", "ann", 0));
    add("a retained message whose publisher is known", broker::RetainedKept{full, ann},
        "retained a/b");
    add("a retained message without payload", broker::RetainedKept{message("", "x")}, "retained x");
    add("a layout", broker::LayoutKept{.shards = 64, .partition_seed = UINT64_MAX - 1}, "layout");
    add("what has arrived", broker::HandoverTaken{1, 2, UINT64_MAX}, "taken 1/2");
    add("a handover", HandoverRecord{{.from = 1, .to = 2, .count = 3}, ContentNumber{4}},
        "handover 1/2/3");
    add("a handover to a group",
        HandoverRecord{{.from = 1, .to = 2, .count = 5, .group = "g/a/#"}, ContentNumber{4}},
        "handover 1/2/5");
    return rows;
}

TEST(Record, is_read_as_it_was_written) {
    for (const Row& row : rows()) {
        const auto record = decoded(row.pair);
        ASSERT_TRUE(record) << row.sentence << ": " << to_text(record.error());
        EXPECT_EQ(row.want, std::visit(ChangeText{}, *record)) << row.sentence;
        EXPECT_EQ(row.key, describe_key(base::as_bytes(row.pair.key))) << row.sentence;
    }
}

TEST(Record, each_damaged_bit_and_each_cut_is_noticed) {
    for (const Row& row : rows()) {
        if (row.pair.value.size() > 1000) continue;
        for (std::size_t bit = 0; bit < row.pair.value.size() * 8; ++bit) {
            KeyValue damaged = row.pair;
            damaged.value[bit / 8] = static_cast<char>(damaged.value[bit / 8] ^ (1 << bit % 8));
            ASSERT_FALSE(decoded(damaged)) << row.sentence << ", bit " << bit;
        }
        for (std::size_t bit = 0; bit < row.pair.key.size() * 8; ++bit) {
            KeyValue damaged = row.pair;
            damaged.key[bit / 8] = static_cast<char>(damaged.key[bit / 8] ^ (1 << bit % 8));
            ASSERT_FALSE(decoded(damaged)) << row.sentence << ", bit " << bit << " of the key";
        }
        for (std::size_t size = 0; size < row.pair.value.size(); ++size) {
            ASSERT_FALSE(decoded({row.pair.key, row.pair.value.substr(0, size)})) << row.sentence;
        }
    }
}

TEST(Record, keys_stand_in_the_order_of_a_restore) {
    const std::vector<std::string> keys{
        encoded(StoreRecord{}).key,
        encoded(session(2)).key,
        encoded(session(300)).key,
        encoded(ContentRecord{ContentNumber{1}, message("")}).key,
        encoded(MessageRecord{queued(2, 255, {}), {}}).key,
        encoded(broker::MessageSent{SessionNumber{2}, 255, {}, 1}).key,
        encoded(MessageRecord{queued(2, 256, {}), {}}).key,
        encoded(MessageRecord{queued(300, 1, {}), {}}).key,
        encoded(broker::ReceivedKept{SessionNumber{1}, 1}).key,
        encoded(broker::RetainedKept{message("")}).key,
        encoded(broker::LayoutKept{.shards = 1}).key,
        encoded(broker::HandoverTaken{0, 1, 1}).key,
        encoded(HandoverRecord{{.from = 0, .to = 1, .count = 9}, {}}).key,
        encoded(HandoverRecord{{.from = 0, .to = 1, .count = 256}, {}}).key,
    };
    for (std::size_t i = 1; i < keys.size(); ++i) EXPECT_LT(keys[i - 1], keys[i]) << i;
}

struct FaultRow {
    std::string sentence;
    KeyValue pair;
    RecordFault want;
};

TEST(Record, keys_of_a_run_differ_in_their_number_only) {
    const struct {
        std::string sentence;
        std::string one, other;
        bool are_of_one_run;
    } table[] = {
        {"contents", content_key(ContentNumber{1}), content_key(ContentNumber{1ULL << 40}), true},
        {"a session's messages", message_key(SessionNumber{7}, 1), message_key(SessionNumber{7}, 9),
         true},
        {"two sessions' messages", message_key(SessionNumber{7}, 1),
         message_key(SessionNumber{8}, 2), false},
        {"a content and a message", content_key(ContentNumber{1}), message_key(SessionNumber{1}, 1),
         false},
    };
    const auto run = [](const std::string& key) {
        return key.substr(0, run_prefix_size(base::as_bytes(key)));
    };
    for (const auto& row : table) {
        EXPECT_EQ(run(row.one) == run(row.other), row.are_of_one_run) << row.sentence;
        EXPECT_FALSE(run(row.one).empty()) << row.sentence;
    }
    const std::string session{static_cast<char>(RecordKind::session), 1, 2, 3, 4, 5, 6, 7, 8};
    EXPECT_EQ(run(session), "") << "written anywhere";
    EXPECT_EQ(run(""), "");
}

TEST(Record, what_is_none_is_refused_with_a_reason) {
    const KeyValue good = encoded(session(1));
    const FaultRow table[] = {
        {"no key", {"", good.value}, RecordFault::unknown_kind},
        {"a kind of the future", {"\x63", good.value}, RecordFault::unknown_kind},
        {"a damaged record", {"\x7F", good.value}, RecordFault::unknown_kind},
        {"a short key", {good.key.substr(0, 8), good.value}, RecordFault::bad_key},
        {"a long key", {good.key + "x", good.value}, RecordFault::bad_key},
        {"no value", {good.key, ""}, RecordFault::bad_checksum},
        {"another one's value", {encoded(session(2)).key, good.value}, RecordFault::bad_checksum},
    };
    for (const FaultRow& row : table) {
        const auto record = decoded(row.pair);
        ASSERT_FALSE(record) << row.sentence;
        EXPECT_EQ(row.want, record.error()) << row.sentence;
    }
}

TEST(Record, any_key_can_be_described) {
    const std::string control(
        "\x06"
        "a\x1B[31m",
        7);
    EXPECT_EQ("retained a.[31m", describe_key(base::as_bytes(control.substr(0, 7))));
    EXPECT_EQ("unknown (0 bytes)", describe_key({}));
    const std::string nested = std::string(100'000, '\x7F') + encoded(session(3)).key;
    EXPECT_EQ("damaged session 3", describe_key(base::as_bytes(nested)));
}

}  // namespace
}  // namespace storage
