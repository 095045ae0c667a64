// Several shards: connections that move, messages that cross, and one that does not keep up.
#include "support/broker_fixture.h"

namespace support {
namespace {

class Shards : public BrokerTest {
protected:
    void SetUp() override { shards = 4; }
    std::string id(std::uint32_t shard) { return id_on(shard, "c"); }
    TestClient& on_shard(std::uint32_t shard) { return client(id(shard)); }
};

TEST_F(Shards, a_connection_moves_to_the_shard_of_its_client_id) {
    for (std::uint32_t from = 0; from < shards; ++from) {
        ConnectTerms terms{.version = v5};
        terms.accepted_by = from;
        on_shard(2).join(terms).ping().expect(pingresp);
        EXPECT_EQ(2U, on_shard(2).wire().shard);
        EXPECT_EQ(1U, world().shard(2).counters().sessions_connected.get());
        on_shard(2).disconnect();
    }
}

TEST_F(Shards, bytes_behind_connect_move_along) {
    const std::string name = id(3);
    std::vector<std::uint8_t> bytes{0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 0};
    bytes[1] = static_cast<std::uint8_t>(12 + name.size());
    bytes[13] = static_cast<std::uint8_t>(name.size());
    bytes.insert(bytes.end(), name.begin(), name.end());
    bytes.insert(bytes.end(), {0xC0, 0});
    client("raw").open(0).send(bytes).expect(connack).expect(pingresp).expect_nothing();
    EXPECT_EQ(3U, client("raw").wire().shard);
}

TEST_F(Shards, a_client_without_an_id_stays_where_it_was_accepted) {
    ConnectTerms terms{.version = v5};
    terms.accepted_by = 3;
    client("a", "").join(terms);
    EXPECT_EQ(3U, client("a").wire().shard);
}

TEST_F(Shards, the_connect_timeout_does_not_outlive_the_move) {
    ConnectTerms terms;
    terms.accepted_by = 1;
    on_shard(2).join(terms);
    advance(100s);
    EXPECT_TRUE(on_shard(2).is_open());
}

TEST_F(Shards, MQTT_4_6_0_5_MQTT_4_6_0_6_messages_cross_in_order) {
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
        on_shard(shard).join({.version = v5}).subscribe("x/#", 2).expect(suback);
    }
    const std::string large(10'000, 'L');
    for (int i = 0; i < 50; ++i) {
        const std::string payload = std::to_string(i) + (i % 7 == 0 ? large : "");
        on_shard(1).publish("x/" + std::to_string(i % 3), payload,
                            {.qos = i % 3, .id = 1, .content_type = "t"});
        if (i % 3 == 2) on_shard(1).ack(pubrel, 1);
    }
    for (const std::uint32_t shard : {0U, 2U, 3U}) {
        for (int i = 0; i < 50; ++i) {
            const std::string payload = std::to_string(i) + (i % 7 == 0 ? large : "");
            on_shard(shard).expect_publish("x/" + std::to_string(i % 3), payload, i % 3);
            EXPECT_EQ("t", on_shard(shard).last().content_type);
        }
        on_shard(shard).expect_nothing();
    }
}

TEST_F(Shards, messages_go_only_where_they_are_wanted) {
    on_shard(0).join();
    on_shard(1).join().subscribe("x", 1).expect(suback);
    world().refuse_batches(2, true);
    on_shard(0).publish("x", "1").publish("y", "2");
    on_shard(1).expect_publish("x", "1").expect_nothing().unsubscribe("x").expect(unsuback);
    EXPECT_EQ(0U, world().broker().interest().filter_count());
    on_shard(0).publish("x", "3");
    on_shard(1).expect_nothing();
}

TEST_F(Shards, retained_messages_are_seen_from_every_shard) {
    on_shard(0).join().publish("x", "kept", {.retain = true});
    on_shard(3).join().subscribe("x").expect(suback).expect_publish("x", "kept");
    on_shard(0).publish("x", "", {.retain = true});
    on_shard(3).expect_publish("x", "").expect_nothing();
}

TEST_F(Shards, wills_and_expiry_cross) {
    on_shard(1).join({.version = v5}).subscribe("w", 1).expect(suback);
    ConnectTerms terms{.version = v5};
    terms.will = WillTerms{.topic = "w", .payload = "bye", .qos = 1, .expiry_s = 30};
    on_shard(2).join(terms).drop();
    on_shard(1).expect_publish("w", "bye", 1);
    EXPECT_EQ(std::uint32_t{30}, on_shard(1).last().expiry_s);
}

TEST_F(Shards, no_local_knows_its_client_everywhere) {
    on_shard(1).join({.version = v5}).subscribe("x", {.no_local = true}).expect(suback);
    on_shard(2).join({.version = v5}).subscribe("x", {.no_local = true}).expect(suback);
    on_shard(1).publish("x", "1").expect_nothing();
    on_shard(2).expect_publish("x", "1").expect_nothing();
}

TEST_F(Shards, global_max_clients_counts_all_shards) {
    options.clients_max = 2;
    on_shard(0).join({.version = v5});
    on_shard(1).join({.version = v5});
    on_shard(2).connect({.version = v5}).expect(connack, ReasonCode::server_busy);
}

// The limit between shards is megabytes, so these messages are large.
TEST_F(Shards, a_shard_that_does_not_keep_up_pauses_publishers_and_loses_nothing) {
    constexpr int messages = 100;
    const std::string large(100'000, 'L');
    on_shard(1).join().subscribe("x", 1).expect(suback);
    on_shard(0).join();
    world().refuse_batches(1, true);
    for (int i = 0; i < messages; ++i) {
        on_shard(0).publish("x", std::to_string(i) + large, {.qos = 1});
    }
    EXPECT_TRUE(on_shard(0).wire().is_paused);
    EXPECT_GT(on_shard(0).wire().unread.size(), 40 * large.size());
    on_shard(1).expect_nothing().ping().expect(pingresp);

    world().refuse_batches(1, false);
    world().settle();
    EXPECT_FALSE(on_shard(0).wire().is_paused);
    EXPECT_EQ(0U, on_shard(0).wire().unread.size());
    for (int i = 0; i < messages; ++i) {
        on_shard(1).expect_publish("x", std::to_string(i) + large, 1);
    }
    on_shard(1).expect_nothing();
    on_shard(0).ignore_all().ping().expect(pingresp);
    EXPECT_FALSE(world().shard(0).is_congested());
}

TEST_F(Shards, a_paused_publisher_may_leave) {
    const std::string large(100'000, 'L');
    on_shard(1).join().subscribe("x", 0).expect(suback);
    on_shard(0).join();
    world().refuse_batches(1, true);
    for (int i = 0; i < 60; ++i) on_shard(0).publish("x", large);
    ASSERT_TRUE(on_shard(0).wire().is_paused);
    on_shard(0).drop();
    world().refuse_batches(1, false);
    world().settle();
    EXPECT_GE(on_shard(1).waiting(), 40U);
}

TEST_F(Shards, a_paused_publisher_is_not_taken_for_silent) {
    const std::string large(100'000, 'L');
    on_shard(1).join().subscribe("x", 0).expect(suback);
    on_shard(0).join({.keep_alive_s = 10});
    world().refuse_batches(1, true);
    for (int i = 0; i < 60; ++i) on_shard(0).publish("x", large);
    ASSERT_TRUE(on_shard(0).wire().is_paused);
    advance(60s);
    EXPECT_TRUE(on_shard(0).is_open());
    world().refuse_batches(1, false);
    world().settle();
    EXPECT_EQ(60U, on_shard(1).waiting());
    advance(16s);
    EXPECT_FALSE(on_shard(0).is_open());
}

TEST_F(Shards, subscriptions_are_printed_for_people) {
    on_shard(1).join().subscribe("x/#", 0).expect(suback).subscribe("y", 2).expect(suback);
    std::string out;
    world().shard(1).print_subscriptions(out);
    EXPECT_EQ(id(1) + " x/#\n" + id(1) + " y\n", out);
}

}  // namespace
}  // namespace support
