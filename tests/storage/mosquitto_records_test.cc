#include "storage/mosquitto_records.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "storage/mosquitto_db_file.h"

namespace storage::testing {
namespace {

using base::as_text;
using Buffer = std::vector<std::uint8_t>;

DbFile file(std::uint32_t version = 6) {
    DbFile made(version);
    made.config();
    return made;
}

// The only record of a file without damage; views of the file.
template <typename Record>
Record only(const DbFile& file) {
    auto records = MosquittoRecords::open(file.bytes());
    const auto first = records->next();
    EXPECT_TRUE(first && std::holds_alternative<Record>(*first)) << records->damage();
    EXPECT_FALSE(records->next());
    EXPECT_EQ("", records->damage());
    return first ? std::get<Record>(*first) : Record{};
}

std::size_t count(MosquittoRecords& records) {
    std::size_t number = 0;
    while (records.next()) ++number;
    return number;
}

TEST(MosquittoRecords, a_message) {
    const DbFile made = file().message({.id = 0x1234'5678'9ABC,
                                        .topic = "a/b",
                                        .payload = "hello",
                                        .qos = 2,
                                        .retain = true,
                                        .expires_s = 1'700'000'000,
                                        .properties = {"\x05\x03\x00\x02"
                                                       "ct",
                                                       6}});
    const auto message = only<MosquittoMessage>(made);
    EXPECT_EQ(0x1234'5678'9ABCU, message.id);
    EXPECT_EQ("a/b", message.topic);
    EXPECT_EQ("hello", as_text(message.payload));
    EXPECT_EQ(mqtt::Qos::exactly_once, message.qos);
    EXPECT_TRUE(message.retain);
    EXPECT_EQ(1'700'000'000, message.expires_s);
    EXPECT_EQ("publisher", message.source);
    EXPECT_EQ("ct", message.properties.content_type);
}

TEST(MosquittoRecords, a_client_with_and_without_padding) {
    for (const bool is_padded : {false, true}) {
        const DbFile made = file().client({.id = "alice",
                                           .expiry_s = 60,
                                           .expires_s = 1'700'000'060,
                                           .user_name = "someone",
                                           .is_padded = is_padded});
        const auto client = only<MosquittoClient>(made);
        EXPECT_EQ("alice", client.client_id);
        EXPECT_EQ(60U, client.expiry_s);
        EXPECT_EQ(1'700'000'060, client.expires_s);
    }
    const DbFile older = file(5).client({.id = "bob"});
    EXPECT_EQ("bob", only<MosquittoClient>(older).client_id);
}

TEST(MosquittoRecords, a_message_of_a_client) {
    const DbFile made = file().delivery({.client = "alice",
                                         .message = 9,
                                         .packet_id = 513,
                                         .qos = 2,
                                         .state = 5,
                                         .direction = 0,
                                         .retain = true,
                                         .properties = "\x02\x0B\x4D"});
    const auto delivery = only<MosquittoDelivery>(made);
    EXPECT_EQ("alice", delivery.client_id);
    EXPECT_EQ(9U, delivery.message);
    EXPECT_EQ(513, delivery.packet_id);
    EXPECT_EQ(mqtt::Qos::exactly_once, delivery.qos);
    EXPECT_EQ(MosquittoState::wait_pubrec, delivery.state);
    EXPECT_TRUE(delivery.is_incoming);
    EXPECT_TRUE(delivery.retain);
    EXPECT_EQ(std::vector<std::uint32_t>{77}, mqtt::subscription_ids(delivery.properties));
    const DbFile plain = file().delivery({.client = "b"});
    EXPECT_FALSE(only<MosquittoDelivery>(plain).retain) << "DUP alone";
}

TEST(MosquittoRecords, a_subscription_and_what_is_retained) {
    const DbFile made = file().subscription(
        {.client = "alice", .filter = "a/+/#", .qos = 1, .options = 0xC, .id = 268'435'455});
    const auto subscription = only<MosquittoSubscription>(made);
    EXPECT_EQ("alice", subscription.client_id);
    EXPECT_EQ("a/+/#", subscription.filter);
    EXPECT_EQ(mqtt::Qos::at_least_once, subscription.options.qos);
    EXPECT_TRUE(subscription.options.no_local);
    EXPECT_TRUE(subscription.options.retain_as_published);
    EXPECT_EQ(268'435'455U, subscription.subscription_id);
    const DbFile retained = file().retained(77);
    EXPECT_EQ(77U, only<MosquittoRetained>(retained).message);
}

struct DamageRow {
    const char* sentence;
    DbFile file;
    std::string_view want;
};

// The record is left out, those around it are read.
TEST(MosquittoRecords, a_record_that_does_not_fit_is_left_out) {
    const auto message = [](MessageTerms terms) { return file().message(terms); };
    const auto client = [](ClientTerms terms) { return file().client(terms); };
    const auto delivery = [](DeliveryTerms terms) { return file().delivery(terms); };
    const auto subscription = [](SubscriptionTerms terms) { return file().subscription(terms); };
    for (DamageRow& row : std::vector<DamageRow>{
             {"no topic", message({.topic = ""}), "a message at offset 47 is damaged"},
             {"a wildcard", message({.topic = "a/+"}), "a message at offset 47"},
             {"QoS 3", message({.qos = 3}), "a message at offset 47"},
             {"an expiry beyond all time", message({.expires_s = UINT64_MAX}), "a message at"},
             {"properties cut short", message({.properties = "\x05\x03"}), "a message at"},
             {"properties of a CONNECT", message({.properties = "\x02\x21\x01"}), "a message at"},
             {"lengths beyond the record", file().raw(2, 3, "abc"), "a message at offset 47"},
             {"no client id", client({.id = ""}), "a client at offset 47"},
             {"ill-formed UTF-8", client({.id = "\xFF"}), "a client at offset 47"},
             {"more than its fields", file().raw(6, 30, std::string(30, '\0')), "a client at"},
             {"no direction", delivery({.client = "a", .direction = 2}), "a client's message at"},
             {"QoS 4", delivery({.client = "a", .qos = 4}), "a client's message at"},
             {"'#' within", subscription({.client = "a", .filter = "#/b"}), "a subscription at"},
             {"no group", subscription({.client = "a", .filter = "$share//b"}), "a subscription"},
             {"an identifier too large",
              subscription({.client = "a", .filter = "b", .id = 268'435'456}), "a subscription"},
             {"half an identifier", file().raw(4, 4, "abcd"), "a retain at offset 47"},
             {"an identifier too long", file().raw(4, 9, "abcdefghi"), "a retain at offset 47"},
             {"message identifiers of four bytes", DbFile().config(true, 4),
              "a configuration at offset 23"},
         }) {
        row.file.retained(1);
        auto records = MosquittoRecords::open(row.file.bytes());
        EXPECT_EQ(1U, count(*records)) << row.sentence;
        EXPECT_EQ(1U, records->damaged()) << row.sentence;
        EXPECT_TRUE(records->damage().starts_with(row.want))
            << row.sentence << ": " << records->damage();
    }
}

TEST(MosquittoRecords, reading_ends_where_records_cannot_be_told_apart) {
    for (DamageRow& row : std::vector<DamageRow>{
             {"a kind of no record", file().retained(1).raw(7, 0, ""),
              "a record of the unknown kind 7 at offset 63: reading ends there"},
             {"zeros, as a file system leaves them", file().retained(1).raw(0, 0, ""),
              "a record of the unknown kind 0 at offset 63: reading ends there"},
             {"a length beyond the end", file().retained(1).raw(4, 8, "1234"),
              "a retain is 8 bytes long, but 4 are left at offset 63: reading ends there"},
             {"the largest length", file().retained(1).raw(2, UINT32_MAX, ""),
              "a message is 4294967295 bytes long, but 0 are left at offset 63: reading ends "
              "there"},
         }) {
        auto records = MosquittoRecords::open(row.file.bytes());
        EXPECT_EQ(1U, count(*records)) << row.sentence;
        EXPECT_EQ(row.want, records->damage()) << row.sentence;
        EXPECT_FALSE(records->next()) << row.sentence;
    }
}

TEST(MosquittoRecords, what_is_no_database_is_refused) {
    const Buffer whole = file().bytes();
    const auto refusal = [](base::Bytes bytes) {
        const auto records = MosquittoRecords::open(bytes);
        return records ? std::string("none") : records.error();
    };
    EXPECT_EQ("this is no database of Mosquitto", refusal({}));
    EXPECT_EQ("this is no database of Mosquitto", refusal(base::as_bytes("SQLite format 3 etc.")));
    EXPECT_EQ("the file ends within its header", refusal(base::Bytes(whole).first(22)));
    EXPECT_EQ("none", refusal(base::Bytes(whole).first(23)));
    for (const std::uint32_t version : {0U, 4U, 7U}) {
        EXPECT_NE(std::string::npos,
                  refusal(DbFile(version).bytes()).find(fmt::format("version {} of the", version)));
    }
}

DbFile one_of_each() {
    return file()
        .message({.id = 1, .retain = true, .properties = "\x02\x01\x01"})
        .client({.id = "a", .user_name = "u"})
        .delivery({.client = "a", .message = 1, .properties = "\x02\x0B\x05"})
        .subscription({.client = "a", .filter = "t"})
        .retained(1);
}

TEST(MosquittoRecords, a_file_cut_anywhere_gives_what_is_whole_before) {
    const Buffer whole = one_of_each().bytes();
    std::size_t before = 0;
    for (std::size_t size = 23; size <= whole.size(); ++size) {
        // A copy of its exact size, so that a sanitizer sees a read past its end.
        const Buffer cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        auto records = MosquittoRecords::open(cut);
        const std::size_t number = count(*records);
        EXPECT_GE(number, before);
        EXPECT_LE(number, before + 1);
        EXPECT_EQ(0U, records->damaged()) << size;
        const bool is_whole = number > before || size == 23 || size == 47;
        EXPECT_EQ(is_whole, records->damage().empty()) << size << records->damage();
        before = number;
    }
    EXPECT_EQ(5U, before);
}

TEST(MosquittoRecords, any_byte_may_be_any_other) {
    const Buffer whole = one_of_each().bytes();
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (int value = 0; value < 256; ++value) {
            Buffer changed = whole;
            changed[at] = static_cast<std::uint8_t>(value);
            auto records = MosquittoRecords::open(changed);
            EXPECT_LE(records ? count(*records) : 0, 5U);
        }
    }
}

TEST(MosquittoRecords, whether_mosquitto_was_ending) {
    for (const bool is_final : {false, true}) {
        const DbFile made = DbFile().config(is_final);
        auto records = MosquittoRecords::open(made.bytes());
        EXPECT_EQ(0U, count(*records));
        EXPECT_EQ(is_final, records->is_final());
    }
}

}  // namespace
}  // namespace storage::testing
