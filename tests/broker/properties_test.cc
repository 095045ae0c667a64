// What becomes of a message's properties, and of the differences between the versions.
#include "support/broker_fixture.h"

namespace support {
namespace {

constexpr Version every_version[] = {v3_1, v3_1_1, v5};

class MessageProperties : public BrokerTest {
protected:
    // Every property that a server forwards unaltered; the same user property twice, in order.
    static Properties all() {
        return {.payload_format = 1,
                .content_type = "text/plain",
                .response_topic = "re/x",
                .correlation_data = std::string_view("\0\xFF", 2),
                .user = {{"b", "1"}, {"a", "2"}, {"b", "1"}, {"", ""}}};
    }
    void expect_all(const std::string& name) {
        const Packet& packet = client(name).last();
        const Properties want = all();
        EXPECT_EQ(want.payload_format, packet.payload_format);
        EXPECT_EQ(want.content_type, packet.content_type);
        EXPECT_EQ(want.response_topic, packet.response_topic);
        EXPECT_EQ(want.correlation_data, packet.correlation_data);
        EXPECT_EQ(want.user, packet.user);
    }
    void expect_none(const std::string& name) {
        const Packet& packet = client(name).last();
        EXPECT_FALSE(packet.payload_format || packet.expiry_s);
        EXPECT_EQ("", packet.content_type + packet.response_topic + packet.correlation_data);
        EXPECT_TRUE(packet.user.empty() && packet.subscription_ids.empty());
    }
};

// Directly, queued, retained and across shards: MQTT-3.3.2-4, -15, -16, -17, -18 and -20.
TEST_F(MessageProperties, MQTT_3_3_2_17_MQTT_3_3_2_18_are_forwarded_unaltered_on_every_way) {
    shards = 3;
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
        const std::string here = id_on(shard, "here");
        const std::string away = id_on(shard, "away");
        const std::string late = id_on(shard, "late");
        client(here).join({.version = v5}).subscribe("x", 2).expect(suback);
        client(away).join(persistent(v5)).subscribe("x", 2).expect(suback).drop();
        client("pub").join({.version = v5});
        client("pub").publish("x", "hi", {.qos = 2, .retain = true, .properties = all()});
        client(here).expect_publish("x", "hi", 2);
        expect_all(here);
        client(away).join(persistent(v5)).expect_publish("x", "hi", 2);
        expect_all(away);
        client(late).join({.version = v5}).subscribe("x").expect(suback).expect_publish("x", "hi");
        expect_all(late);
        for (const std::string& name : {here, away, late}) client(name).disconnect();
    }
}

TEST_F(MessageProperties, of_a_will_are_forwarded_unaltered) {
    for (const std::uint32_t delay_s : {0U, 10U}) {
        client("sub").join({.version = v5}).subscribe("w").expect(suback);
        ConnectTerms terms = persistent(v5);
        terms.will = WillTerms{.topic = "w",
                               .payload = "bye",
                               .delay_s = delay_s,
                               .expiry_s = 30,
                               .properties = all()};
        client("a").join(terms).drop();
        advance(11s);
        client("sub").expect_publish("w", "bye");
        expect_all("sub");
        EXPECT_EQ(std::uint32_t{30}, client("sub").last().expiry_s);
    }
}

TEST_F(MessageProperties, are_dropped_for_older_versions_and_absent_from_them) {
    for (const Version version : every_version) {
        const bool from_v5 = version == v5;
        client("five").join({.version = v5}).subscribe("x").expect(suback);
        client("four").join().subscribe("x").expect(suback);
        client("three").join({.version = v3_1}).subscribe("x").expect(suback);
        client("pub").join({.version = version});
        client("pub").publish("x", "hi", {.expiry_s = 60, .properties = all()});
        for (const char* name : {"four", "three", "five"}) {
            client(name).expect_publish("x", "hi");
            if (from_v5 && std::string(name) == "five") {
                expect_all(name);
            } else {
                expect_none(name);
            }
        }
    }
}

TEST_F(MessageProperties, MQTT_3_3_2_6_expiry_is_what_is_left_queued_retained_and_across_shards) {
    shards = 3;
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
        const std::string away = id_on(shard, "away");
        const std::string late = id_on(shard, "late");
        client(away).join(persistent(v5)).subscribe("x", 1).expect(suback).drop();
        client("pub").join({.version = v5});
        client("pub").publish("x", "hi", {.qos = 1, .retain = true, .expiry_s = 100});
        advance(40s);
        client(away).join(persistent(v5)).expect_publish("x", "hi", 1);
        EXPECT_EQ(std::uint32_t{60}, client(away).last().expiry_s);
        client(late).join({.version = v5}).subscribe("x").expect(suback).expect_publish("x", "hi");
        EXPECT_EQ(std::uint32_t{60}, client(late).last().expiry_s);
        client(away).drop();
        client("pub").publish("x", "short", {.qos = 1, .retain = true, .expiry_s = 10});
        advance(11s);
        client(away).join(persistent(v5)).expect_nothing().disconnect(ReasonCode::success, 0);
        client(late).subscribe("x").expect_publish("x", "short").expect(suback).expect_nothing();
    }
}

TEST_F(MessageProperties, a_message_without_expiry_has_none_when_it_is_sent) {
    client("sub").join(persistent(v5)).subscribe("x", 1).expect(suback).drop();
    client("pub").join({.version = v5}).publish("x", "hi", {.qos = 1});
    advance(1000s);
    client("sub").join(persistent(v5)).expect_publish("x", "hi", 1);
    EXPECT_FALSE(client("sub").last().expiry_s);
}

TEST_F(MessageProperties, MQTT_3_3_4_3_MQTT_3_3_4_4_one_identifier_for_each_matching_subscription) {
    client("sub").join({.version = v5});
    client("sub").subscribe("x/#", {.qos = 0, .id = 1}).expect(suback);
    client("sub").subscribe("x/+", {.qos = 2, .id = 268'435'455}).expect(suback);
    client("sub").subscribe("x/y", {.qos = 1}).expect(suback);
    client("sub").subscribe("other", {.qos = 1, .id = 3}).expect(suback);
    client("pub").join().publish("x/y", "hi", {.qos = 2});
    client("sub").expect_publish("x/y", "hi", 2).expect_nothing();
    std::vector<std::uint32_t> ids = client("sub").last().subscription_ids;
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ((std::vector<std::uint32_t>{1, 268'435'455}), ids);
}

TEST_F(MessageProperties, retain_as_published_counts_if_any_overlapping_subscription_wants_it) {
    client("a").join({.version = v5}).subscribe("x", {.retain_as_published = true}).expect(suback);
    client("b").join({.version = v5}).subscribe("x", SubscribeTerms{}).expect(suback);
    client("pub").join().publish("x", "1", {.retain = true}).publish("x", "2");
    client("a").expect_publish("x", "1");
    EXPECT_TRUE(client("a").last().retain);
    client("a").expect_publish("x", "2");
    EXPECT_FALSE(client("a").last().retain);
    client("b").expect_publish("x", "1");
    EXPECT_FALSE(client("b").last().retain);
}

class Versions : public BrokerTest {};

// 3.1 has no code for a failure [3.8 of MQTT V3.1]; 3.1.1 has one; 5.0 has reasons.
TEST_F(Versions, a_refused_subscription_is_told_as_each_version_can) {
    world().authorizer.answer = [](const auto& request) {
        return request.access != broker::Access::subscribe;
    };
    struct Row {
        Version version;
        std::uint8_t want;
    };
    const Row rows[] = {{v3_1, 0}, {v3_1_1, 0x80}, {v5, 0x87}};
    for (const Row& row : rows) {
        client("a").join({.version = row.version}).subscribe("x", 1).expect(suback);
        EXPECT_EQ(std::vector<std::uint8_t>{row.want}, client("a").last().reasons);
    }
    EXPECT_EQ(0U, count(&broker::Counters::subscriptions));
}

TEST_F(Versions, an_unsuback_has_reasons_in_5_only) {
    for (const Version version : every_version) {
        client("a").join({.version = version}).unsubscribe("x").expect(unsuback);
        EXPECT_EQ(version == v5 ? 1U : 0U, client("a").last().reasons.size());
    }
}

TEST_F(Versions, who_loses_a_connection_is_told_in_5_only) {
    for (const Version version : every_version) {
        client("old", "a").join({.version = version});
        client("new", "a").join();
        if (version == v5) client("old").expect(disconnected, ReasonCode::session_taken_over);
        client("old").expect_closed();
    }
}

TEST_F(Versions, no_disconnect_answers_a_client_s_own) {
    for (const ReasonCode reason : {ReasonCode::success, ReasonCode::disconnect_with_will}) {
        client("a").join({.version = v5}).disconnect(reason).expect_closed();
    }
}

TEST_F(Versions, overlapping_subscriptions_are_one_message_in_every_version) {
    for (const Version version : every_version) {
        client("sub").join({.version = version}).subscribe("x/#", 0).expect(suback);
        client("sub").subscribe("x/y", 1).expect(suback);
        client("pub").join().publish("x/y", "hi", {.qos = 2});
        client("sub").expect_publish("x/y", "hi", 1).expect_nothing();
    }
}

TEST_F(Versions, a_client_may_come_back_to_its_session_in_another_version) {
    for (const Version first : every_version) {
        for (const Version second : every_version) {
            client("sub").join(persistent(first)).subscribe("x", 1).expect(suback).drop();
            client("pub").join({.version = v5});
            client("pub").publish("x", "hi", {.qos = 1, .content_type = "t"});
            client("sub").join(persistent(second)).expect_publish("x", "hi", 1).expect_nothing();
            EXPECT_EQ(second == v5 ? "t" : "", client("sub").last().content_type);
            client("sub").join({.version = second, .clean_start = true}).disconnect();
        }
    }
}

}  // namespace
}  // namespace support
