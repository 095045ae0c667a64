// What clients of Mosquitto are owed, they get here.
#include "storage/mosquitto_import.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "storage/memory_store.h"
#include "storage/mosquitto_db_file.h"
#include "support/broker_fixture.h"

namespace storage::testing {
namespace {

using namespace support;

class MosquittoImportTest : public BrokerTest {
protected:
    MosquittoImportTest() { store = &memory; }

    // The broker of this test is the first one after Mosquitto.
    MosquittoSummary import_from(const DbFile& file, const MosquittoTerms& terms = {}) {
        broker::ChangeBatch changes;
        auto summary = read_mosquitto_db(
            file.bytes(), terms, [&](broker::Change&& one) { changes.add(std::move(one)); });
        EXPECT_TRUE(summary) << summary.error();
        memory.append(0, changes);
        EXPECT_FALSE(world().log.contains("do not fit together"));
        return *summary;
    }

    MemoryStore memory;
};

// "c" is away, and subscribed to "t" with QoS 2.
DbFile file_with_client() {
    DbFile file;
    file.config().client({.id = "c"}).subscription({.client = "c", .filter = "t", .qos = 2});
    return file;
}

TEST_F(MosquittoImportTest, what_was_queued_comes_in_order_with_all_that_belongs_to_it) {
    DbFile file;
    file.config()
        .message({.id = 8, .payload = "2", .qos = 2})
        .message({.id = 7, .payload = "1", .properties = {"\x05\x03\0\2ct", 6}})
        .client({.id = "c"})
        .delivery({.message = 7, .packet_id = 1, .retain = true})
        .delivery({.message = 8, .packet_id = 2, .qos = 2, .properties = "\x04\x0B\x4D\x0B\x4E"});
    const MosquittoSummary summary = import_from(file);
    EXPECT_EQ(2U, summary.queued);
    client("c").join(persistent(v5)).expect_publish("t", "1", 1);
    EXPECT_TRUE(client("c").last().retain);
    EXPECT_FALSE(client("c").last().dup);
    EXPECT_EQ("ct", client("c").last().content_type);
    client("c").expect_publish("t", "2", 2);
    EXPECT_EQ((std::vector<std::uint32_t>{77, 78}), client("c").last().subscription_ids);
    client("c").expect_nothing();
}

TEST_F(MosquittoImportTest, subscriptions_go_on_with_their_options) {
    DbFile file = file_with_client();
    import_from(
        file.subscription({.client = "c", .filter = "own", .options = 4})
            .subscription({.client = "c", .filter = "r/+", .qos = 1, .options = 8, .id = 5}));
    client("p").join().publish("t", "m", {.qos = 2}).publish("r/1", "r", {.retain = true});
    client("c").connect(persistent(v5)).expect(connack);
    EXPECT_TRUE(client("c").last().session_present);
    client("c").publish("own", "mine").expect_publish("t", "m", 2).expect_nothing();
    client("p").publish("r/1", "r2", {.retain = true}).publish("own", "not mine");
    client("c").expect_publish("r/1", "r2");
    EXPECT_TRUE(client("c").last().retain);
    EXPECT_EQ(std::vector<std::uint32_t>{5}, client("c").last().subscription_ids);
    client("c").expect_publish("own", "not mine").expect_nothing();
}

TEST_F(MosquittoImportTest, what_was_in_flight_goes_on_with_its_identifiers_before_what_waited) {
    DbFile file = file_with_client();
    for (std::uint64_t id = 1; id <= 5; ++id) file.message({.id = id, .payload = "m", .qos = 2});
    import_from(file.delivery({.message = 5, .packet_id = 3, .qos = 2})
                    .delivery({.message = 1, .packet_id = 65'534, .state = 3})
                    .delivery({.message = 2, .packet_id = 65'535, .qos = 2, .state = 5})
                    .delivery({.message = 99, .packet_id = 1, .qos = 2, .state = 9})
                    .delivery({.message = 4, .packet_id = 2, .state = 2}));
    client("c").manual_acks().connect(persistent()).expect(connack);
    for (const auto& [id, qos] : {std::pair(65'534, 1), std::pair(65'535, 2)}) {
        client("c").expect_publish("t", "m", qos);
        EXPECT_EQ(id, client("c").last().id);
        EXPECT_TRUE(client("c").last().dup);
    }
    client("c").expect(pubrel);
    EXPECT_EQ(1, client("c").last().id);
    client("c").expect_publish("t", "m", 1).expect_publish("t", "m", 2);
    EXPECT_FALSE(client("c").last().dup);
    client("c").ack(puback, 65'534).ack(pubrec, 65'535).expect(pubrel).ack(pubcomp, 1);
    client("c").ack(puback, 2).ack(pubcomp, 65'535).expect_nothing();
}

TEST_F(MosquittoImportTest, identifiers_in_any_order_are_all_kept) {
    DbFile file = file_with_client();
    file.message({.id = 1});
    for (const std::uint16_t id : {std::uint16_t{10}, std::uint16_t{5}, std::uint16_t{11}}) {
        file.delivery({.message = 1, .packet_id = id, .state = 3});
    }
    import_from(file);
    client("c").manual_acks().connect(persistent()).expect(connack);
    for (const int id : {10, 11, 5}) {
        client("c").expect_publish("t", "m", 1);
        EXPECT_EQ(id, client("c").last().id);
    }
}

// Mosquitto gives a QoS 2 message to its subscribers when it is released.
TEST_F(MosquittoImportTest, what_was_received_and_not_released_reaches_its_subscribers_once) {
    DbFile file = file_with_client();
    import_from(
        file.message({.id = 2, .payload = "second", .qos = 2, .source = "s"})
            .message({.id = 1, .payload = "first", .qos = 2, .retain = true, .source = "s"})
            .client({.id = "s"})
            .subscription({.client = "s", .filter = "#", .qos = 1, .options = 4})
            .delivery(
                {.client = "s", .message = 2, .packet_id = 8, .qos = 2, .state = 7, .direction = 0})
            .delivery({.client = "s",
                       .message = 1,
                       .packet_id = 7,
                       .qos = 2,
                       .state = 10,
                       .direction = 0}));
    client("s").join(persistent()).publish("t", "first", {.qos = 2, .dup = true, .id = 7});
    client("s").expect(pubrec).ack(pubrel, 7).expect(pubcomp).ack(pubrel, 8).expect(pubcomp);
    client("s").expect_nothing();
    client("c").join(persistent()).expect_publish("t", "first", 2).expect_publish("t", "second", 2);
    client("c").expect_nothing();
    client("new").join().subscribe("t").expect(suback).expect_publish("t", "first");
}

TEST_F(MosquittoImportTest, filters_that_overlap_get_one_copy_of_what_was_not_released) {
    DbFile file = file_with_client();
    const MosquittoSummary summary = import_from(
        file.message({.id = 1, .qos = 2})
            .subscription({.client = "c", .filter = "#", .qos = 1, .options = 8, .id = 3})
            .subscription({.client = "c", .filter = "+", .id = 4})
            .client({.id = "zero"})
            .subscription({.client = "zero", .filter = "#"})
            .client({.id = "s"})
            .delivery({.client = "s",
                       .message = 1,
                       .packet_id = 7,
                       .qos = 2,
                       .state = 7,
                       .direction = 0}));
    EXPECT_EQ(1U, summary.queued);
    EXPECT_EQ(1U, summary.contents);
    EXPECT_EQ(1U, summary.received);
    client("c").join(persistent(v5)).expect_publish("t", "m", 2);
    EXPECT_EQ(2U, client("c").last().subscription_ids.size());
    client("c").expect_nothing();
}

TEST_F(MosquittoImportTest,
       a_message_without_payload_that_was_not_released_clears_what_is_retained) {
    DbFile file = file_with_client();
    const MosquittoSummary summary = import_from(
        file.message({.id = 1, .retain = true})
            .message({.id = 2, .payload = "", .qos = 2, .retain = true})
            .message({.id = 3, .topic = "kept", .retain = true})
            .retained(1)
            .retained(3)
            .delivery({.message = 2, .packet_id = 7, .qos = 2, .state = 7, .direction = 0}));
    EXPECT_EQ(1U, summary.retained);
    client("new").join().subscribe("#").expect(suback).expect_publish("kept", "m").expect_nothing();
    EXPECT_TRUE(client("new").last().retain);
}

struct AbsenceRow {
    const char* sentence;
    std::uint32_t expiry_s;
    std::uint64_t expires_s;
    std::optional<std::uint64_t> limit_s;
    std::int64_t want_left_s;
};

TEST(MosquittoImport, when_a_client_left) {
    const std::uint32_t never = mqtt::session_never_expires;
    for (const AbsenceRow& row : {
             AbsenceRow{"away since 1000", 60, 1060, {}, 1000},
             {"connected until the end", 60, 0, {}, 0},
             {"for ever", never, 0, {}, 0},
             {"for ever, when there was a limit that is gone", never, 1060, {}, 0},
             {"for ever, but for the limit", never, 1060, 60, 1000},
             {"longer than the limit", 600, 1060, 60, 1000},
             {"shorter than the limit", 60, 1060, 600, 1000},
             {"an end before its life", 600, 60, {}, 0},
         }) {
        const DbFile file = DbFile().config().client(
            {.id = "c", .expiry_s = row.expiry_s, .expires_s = row.expires_s});
        std::vector<broker::Change> changes;
        ASSERT_TRUE(read_mosquitto_db(file.bytes(), {row.limit_s}, [&](broker::Change&& one) {
            changes.push_back(std::move(one));
        }));
        const auto& kept = std::get<broker::SessionKept>(changes.at(0));
        EXPECT_EQ(row.want_left_s * 1000, kept.left_wall_ms) << row.sentence;
        EXPECT_EQ(row.expiry_s, kept.expiry_s) << row.sentence;
    }
}

struct LeftRow {
    const char* sentence;
    DbFile file;
    const char* want;
};

std::vector<LeftRow> left_rows() {
    const auto to_c = [](const DeliveryTerms& terms) {
        return file_with_client().message({.id = 1}).delivery(terms);
    };
    const char* misfit =
        "came over: 1 session, 1 subscription; left: 1 record that fits nothing else";
    return {
        {"nothing", DbFile().config(), "came over: nothing; left: nothing"},
        {"a session of its connection",
         DbFile()
             .config()
             .message({.id = 1})
             .client({.id = "c", .expiry_s = 0})
             .subscription({.client = "c", .filter = "t"})
             .delivery({.message = 1})
             .delivery({.message = 1}),
         "came over: nothing; left: 1 session that ends with its connection or is a bridge's, "
         "2 messages of these"},
        {"QoS 0", to_c({.message = 1, .qos = 0}),
         "came over: 1 session, 1 subscription; left: 1 queued message of QoS 0"},
        {"QoS 2 without PUBREC", to_c({.message = 1, .packet_id = 1, .qos = 2, .direction = 0}),
         "came over: 1 session, 1 subscription; left: 1 QoS 2 message that its client will "
         "send again"},
        {"no content", to_c({.message = 2}), misfit},
        {"QoS 1 in a state of QoS 2", to_c({.message = 1, .packet_id = 1, .state = 5}), misfit},
        {"no such state", to_c({.message = 1, .packet_id = 1, .state = 200}), misfit},
        {"no identifier", to_c({.message = 1, .state = 3}), misfit},
        {"QoS 1 from a client", to_c({.message = 1, .packet_id = 1, .state = 7, .direction = 0}),
         misfit},
        {"an identifier twice",
         to_c({.message = 1, .packet_id = 1, .state = 3})
             .delivery({.message = 1, .packet_id = 1, .state = 3}),
         "came over: 1 session, 1 subscription, 1 message in flight, 1 content of these; "
         "left: 1 record that fits nothing else"},
        {"a client twice", file_with_client().client({.id = "c"}), misfit},
        {"a filter twice", file_with_client().subscription({.client = "c", .filter = "t"}), misfit},
        {"of no client", file_with_client().subscription({.client = "d", .filter = "t"}), misfit},
        {"a message of no client", file_with_client().delivery({.client = "d"}), misfit},
        {"retained without content", file_with_client().retained(5), misfit},
        {"a damaged record", file_with_client().message({.topic = "#"}),
         "came over: 1 session, 1 subscription; left: 1 damaged record; the file is damaged: "
         "a message at offset 102 is damaged"},
        {"a file from the midst", DbFile().config(false),
         "came over: nothing; left: nothing; Mosquitto wrote the file while it ran, and what "
         "happened afterwards is not there"},
    };
}

TEST(MosquittoImport, what_is_left_is_counted_and_named) {
    for (const LeftRow& row : left_rows()) {
        const auto summary = read_mosquitto_db(row.file.bytes(), {}, [](broker::Change&&) {});
        ASSERT_TRUE(summary) << row.sentence;
        EXPECT_EQ(row.want, to_string(*summary)) << row.sentence;
    }
}

TEST(MosquittoImport, numbers_are_grouped) {
    EXPECT_EQ(
        "came over: 999 sessions, 1,000 subscriptions, 1,234,567 queued messages; left: nothing",
        to_string({.sessions = 999, .subscriptions = 1000, .queued = 1'234'567, .is_final = true}));
}

TEST_F(MosquittoImportTest, a_file_cut_short_gives_what_is_whole_before) {
    DbFile file = file_with_client();
    import_from(file.message({.id = 1}).delivery({.message = 1}).raw(3, 1000, "cut"));
    client("c").join(persistent()).expect_publish("t", "m", 1).expect_nothing();
}

// A file of Mosquitto 2.0.11: tests/fuzz/corpus/mosquitto_db/every_kind.db.
class FileOfMosquitto : public MosquittoImportTest {
protected:
    FileOfMosquitto() {
        const std::string path = std::string(NIGHTJAR_MOSQUITTO_DBS) + "/every_kind.db";
        auto imported = import_mosquitto_db(path, {});
        EXPECT_TRUE(imported && *imported) << imported.error();
        summary = (*imported)->summary;
        memory.append(0, (*imported)->changes);
    }
    MosquittoSummary summary;
};

TEST_F(FileOfMosquitto, is_summed_up) {
    EXPECT_EQ(
        "came over: 5 sessions, 6 subscriptions, 12 queued messages, 3 messages in flight, 5 "
        "contents of these, 1 QoS 2 identifier of a client, 3 retained messages; left: 1 session "
        "that ends with its connection or is a bridge's, 4 messages of these, 2 queued messages of "
        "QoS 0",
        to_string(summary));
}

TEST_F(FileOfMosquitto, owes_what_was_queued) {
    client("away").join(persistent()).expect_publish("q/1", "one", 1);
    for (const auto* payload : {"two", "three", "four"}) {
        client("away").expect_publish("q/2", payload, 2);
    }
    client("away").expect_publish("q/in", "five", 2).expect_nothing();
    client("five").join(persistent(v5)).expect_publish("q/1", "one", 1);
    const Packet& one = client("five").last();
    EXPECT_EQ(std::vector<std::uint32_t>{77}, one.subscription_ids);
    EXPECT_EQ("ct", one.content_type);
    EXPECT_EQ("r", one.response_topic);
    EXPECT_TRUE(one.expiry_s.has_value());
}

TEST_F(FileOfMosquitto, owes_what_was_in_flight) {
    client("reader").manual_acks().connect(persistent()).expect(connack);
    client("reader").expect_publish("q/1", "one", 1).ack(puback, 1);
    client("reader").expect(pubrel).expect_publish("q/2", "three", 2);
    EXPECT_TRUE(client("reader").last().dup);
    EXPECT_EQ(3, client("reader").last().id);
    client("reader").ack(pubcomp, 2).ack(pubrec, 3).expect_publish("q/2", "four", 2);
    client("reader").expect_publish("q/in", "five", 2).expect(pubrel);
    client("sender").join(persistent()).ack(pubrel, 500).expect(pubcomp).expect_nothing();
}

TEST_F(FileOfMosquitto, has_what_was_retained) {
    client("new").join().subscribe("#").expect(suback).ignore_all();
    client("plain").join().subscribe("r/plain").expect(suback).expect_publish("r/plain", "v");
    client("next").join().subscribe("q/in").expect(suback).expect_publish("q/in", "five");
    EXPECT_EQ(3U, world().broker().retained().count());
}

class MosquittoFile : public ::testing::Test {
protected:
    MosquittoFile()
        : path_(::testing::TempDir() + "mosquitto-import-" + std::to_string(getpid())) {}
    ~MosquittoFile() override { std::filesystem::remove_all(path_); }

    void write(base::Bytes bytes) const {
        std::ofstream(path_, std::ios::binary) << base::as_text(bytes);
    }
    std::string error() const {
        const auto imported = import_mosquitto_db(path_, {});
        return imported ? "none" : imported.error();
    }

    std::string path_;
};

TEST_F(MosquittoFile, becomes_changes_and_stays_as_it_is) {
    const DbFile file = file_with_client();
    write(file.bytes());
    std::filesystem::permissions(path_, std::filesystem::perms::owner_read);
    const auto imported = import_mosquitto_db(path_, {});
    ASSERT_TRUE(imported && *imported);
    EXPECT_EQ(2U, (*imported)->changes.size());
    EXPECT_EQ(1U, (*imported)->summary.sessions);
    EXPECT_EQ(file.bytes().size(), std::filesystem::file_size(path_));
}

TEST_F(MosquittoFile, is_none_if_it_is_not_there_or_empty) {
    for (int i = 0; i < 2; ++i) {
        const auto imported = import_mosquitto_db(path_, {});
        ASSERT_TRUE(imported);
        EXPECT_FALSE(*imported);
        write({});
    }
}

TEST_F(MosquittoFile, that_cannot_be_read_is_named) {
    write(base::as_bytes("something else"));
    EXPECT_EQ(path_ + ": this is no database of Mosquitto", error());
    std::filesystem::remove(path_);
    std::filesystem::create_directory(path_);
    EXPECT_EQ(path_ + ": Is a directory", error());
}

TEST_F(MosquittoFile, that_is_too_large_is_refused) {
    write(base::as_bytes("begins with this"));
    std::filesystem::resize_file(path_, mosquitto_db_bytes_max + 1);  // Takes no room on disk.
    EXPECT_EQ(path_ + ": is longer than 17179869184 bytes", error());
}

}  // namespace
}  // namespace storage::testing
