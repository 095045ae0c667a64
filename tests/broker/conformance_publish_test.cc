// What MQTT says of PUBLISH: topics, retained messages, properties, statement by statement.
#include "broker/both_versions.h"
#include "mqtt/topic.h"

namespace support {
namespace {

class PublishRules : public BothVersions {};
INSTANTIATE_TEST_SUITE_P(In, PublishRules, both_versions, version_name);

TEST_P(PublishRules, MQTT_1_5_4_3_MQTT311_1_5_3_3_a_byte_order_mark_is_a_character) {
    const std::string marked = "\xEF\xBB\xBFx";
    client("marked", marked).join(clean()).subscribe(marked).expect(suback);
    join("plain").subscribe("x").expect(suback);
    join("pub").publish(marked, "\xEF\xBB\xBF").publish("x", "");
    client("marked").expect_publish(marked, "\xEF\xBB\xBF").expect_nothing();
    client("plain").expect_publish("x", "").expect_nothing();
    client("other", "x").join(clean());  // Another client than "\uFEFFx".
    EXPECT_TRUE(client("marked").is_open());
}

TEST_P(PublishRules, MQTT_3_3_1_3_MQTT311_3_3_1_3_dup_is_not_passed_on) {
    join("sub").subscribe("x", 2).expect(suback);
    join("pub");
    for (const int qos : {1, 2}) {
        client("pub").publish("x", "1", {.qos = qos, .dup = true});
        EXPECT_FALSE(client("sub").expect_publish("x", "1", qos).last().dup);
    }
}

TEST_P(PublishRules, MQTT_3_3_1_5_MQTT311_3_3_1_5_MQTT311_3_3_1_6_the_last_is_kept_with_its_qos) {
    join("pub").publish("x", "old", {.qos = 2, .retain = true});
    client("pub").publish("x", "new", {.qos = 1, .retain = true});
    join("sub").subscribe("x", 2).expect(suback).expect_publish("x", "new", 1).expect_nothing();
}

TEST_P(PublishRules, MQTT_3_3_1_6_MQTT311_3_3_1_10_an_empty_one_is_delivered_and_clears) {
    join("sub").subscribe("x", 1).expect(suback);
    join("pub").publish("x", "1", {.qos = 1, .retain = true});
    client("pub").publish("x", "", {.qos = 1, .retain = true});
    client("sub").expect_publish("x", "1", 1).expect_publish("x", "", 1);
    join("late").subscribe("x").expect(suback).expect_nothing();
}

TEST_P(PublishRules, MQTT_3_3_1_7_MQTT311_3_3_1_11_an_empty_one_is_not_kept) {
    join("pub").publish("x", "", {.qos = 1, .retain = true}).expect(puback);
    EXPECT_EQ(0U, world().broker().retained().count());
    join("late").subscribe("#").expect(suback).expect_nothing();
}

TEST_P(PublishRules, MQTT_3_3_1_8_MQTT311_3_3_1_12_without_retain_nothing_changes) {
    join("pub").publish("x", "kept", {.qos = 1, .retain = true});
    for (const char* payload : {"passing", ""}) client("pub").publish("x", payload, {.qos = 1});
    client("pub").publish("y", "passing", {.qos = 1});
    join("late").subscribe("#", 1).expect(suback).expect_publish("x", "kept", 1).expect_nothing();
}

TEST_P(PublishRules, MQTT311_3_3_1_7_qos_0_replaces_what_was_retained) {
    join("pub").publish("x", "1", {.qos = 1, .retain = true}).publish("x", "0", {.retain = true});
    join("late").subscribe("x", 1).expect(suback).expect_publish("x", "0", 0).expect_nothing();
}

TEST_P(PublishRules, MQTT_3_3_1_12_MQTT311_3_3_1_8_MQTT311_3_3_1_9_retain_tells_old_from_new) {
    join("old").subscribe("x").expect(suback);
    join("pub").publish("x", "1", {.retain = true});
    EXPECT_FALSE(client("old").expect_publish("x", "1").last().retain);
    join("new").subscribe("x").expect(suback);
    EXPECT_TRUE(client("new").expect_publish("x", "1").last().retain);
    client("pub").publish("x", "2", {.retain = true});
    EXPECT_FALSE(client("new").expect_publish("x", "2").last().retain);
}

TEST_P(PublishRules, MQTT_3_3_2_3_MQTT311_3_3_2_3_a_topic_matches_its_filter) {
    const char* const topics[] = {"a", "/", "a/b", "a/b/c", "a//c", "/b", "$a/b", "\xC3\xA4/b"};
    for (const char* filter : {"#", "+", "+/+", "a/#", "a/+/c", "/+", "$a/#", "+/b"}) {
        join(filter).subscribe(filter).expect(suback);
    }
    join("pub");
    for (const char* topic : topics) {
        client("pub").publish(topic, topic);
        for (const char* filter : {"#", "+", "+/+", "a/#", "a/+/c", "/+", "$a/#", "+/b"}) {
            SCOPED_TRACE(std::string(topic) + " : " + filter);
            if (mqtt::matches(filter, topic)) client(filter).expect_publish(topic, topic);
            client(filter).expect_nothing();
        }
    }
}

TEST_P(PublishRules, MQTT_4_7_3_4_MQTT311_4_7_3_4_matching_normalizes_nothing) {
    const std::string composed = "caf\xC3\xA9";
    const std::string decomposed = "cafe\xCC\x81";
    for (const std::string& topic : {composed, decomposed, std::string("CAF\xC3\x89")}) {
        join(topic).subscribe(topic + "/+").expect(suback);
    }
    join("slash").subscribe(composed + "//x").expect(suback);
    join("pub").publish(composed + "/x", "1").publish(composed + "//x", "2");
    client(composed).expect_publish(composed + "/x", "1").expect_nothing();
    client("slash").expect_publish(composed + "//x", "2").expect_nothing();
    client(decomposed).expect_nothing();
    client("CAF\xC3\x89").expect_nothing();
}

class PublishRulesOf5 : public BrokerTest {
protected:
    TestClient& join(const std::string& name) { return client(name).join({.version = v5}); }
    TestClient& join_kept(const std::string& name) { return client(name).join(persistent(v5)); }
};

// A PUBLISH to "x" with `properties`: to who is there, who is away, who comes later, by a will.
class Forwarding : public PublishRulesOf5 {
protected:
    void check(const std::string& properties) {
        SCOPED_TRACE(properties);
        const std::vector<std::uint8_t> want = packet(properties);
        join("here").subscribe("x", 1).ignore_all();
        join_kept("away").subscribe("x", 1).drop();
        join("pub").send(packet("33 [(x) 0001 [" + properties + "] 'hi']")).expect(puback);
        join("late").subscribe("x", 1).expect(suback);
        join_kept("away");
        for (const char* name : {"here", "late", "away"}) {
            SCOPED_TRACE(name);
            EXPECT_EQ(want, client(name).expect_publish("x", "hi", 1).last().forwarded);
        }
        client("away").disconnect(ReasonCode::success, 0);
        client("doomed").open().wire().version = v5;
        client("doomed").send(
            packet("10 [(MQTT) 05 0E 0000 00 (doomed) [" + properties + "] (x) (bye)]"));
        client("doomed").expect(connack, ReasonCode::success).drop();
        EXPECT_EQ(want, client("here").expect_publish("x", "bye", 1).last().forwarded);
    }
};

TEST_F(Forwarding, MQTT_3_3_2_4_of_the_payload_format) {
    check("01 01");
    check("01 00");
}

TEST_F(Forwarding, MQTT_3_3_2_15_of_the_response_topic) {
    check("08 (answer/to/me)");
}

TEST_F(Forwarding, MQTT_3_3_2_16_of_the_correlation_data) {
    check("09 0004 00FF80C0");
    check("09 ()");
}

TEST_F(Forwarding, MQTT_3_3_2_20_of_the_content_type) {
    check("03 (text/plain)");
}

TEST_F(Forwarding, MQTT_3_1_3_10_MQTT_3_3_2_17_MQTT_3_3_2_18_of_user_properties_in_order) {
    check("26 (b)(1) 26 (a)(2) 26 (b)(1) 26 ()() 26 (a)(1)");
}

TEST_F(PublishRulesOf5, MQTT_3_3_2_12_every_alias_up_to_the_maximum_is_accepted) {
    listener.topic_alias_max = 300;
    client("sub").join().subscribe("#").expect(suback);
    EXPECT_EQ(std::uint16_t{300}, join("pub").last().topic_alias_maximum);
    for (std::uint16_t alias = 300; alias > 0; --alias) {
        client("pub").publish("t/" + std::to_string(alias), "set", {.alias = alias});
        client("sub").expect_publish("t/" + std::to_string(alias), "set");
    }
    for (std::uint16_t alias = 1; alias <= 300; ++alias) {
        client("pub").publish("", "used", {.alias = alias});
        client("sub").expect_publish("t/" + std::to_string(alias), "used");
    }
}

// Its size tells that a PUBLISH has nothing but its topic, no properties, and its payload.
TEST_F(PublishRulesOf5, MQTT_3_1_2_27_without_a_maximum_there_are_no_aliases) {
    const std::string topic(60, 't');
    join("sub").subscribe(topic).expect(suback);
    join("pub");
    for (int i = 0; i < 100; ++i) {
        client("pub").publish(topic, "12345");
        EXPECT_EQ(2 + 2 + topic.size() + 1 + 5,
                  client("sub").expect_publish(topic, "12345").last().size);
    }
}

TEST_F(PublishRulesOf5, MQTT_3_3_4_5_each_of_several_copies_has_its_own_identifier) {
    options.allow_duplicate_messages = true;
    join("sub").subscribe("x/#", {.id = 1}).subscribe("x/+", {.id = 2}).subscribe("x/y");
    client("sub").ignore_all();
    join("pub").publish("x/y", "1");
    std::vector<std::vector<std::uint32_t>> ids;
    ids.reserve(3);
    for (int i = 0; i < 3; ++i) {
        ids.push_back(client("sub").expect_publish("x/y", "1").last().subscription_ids);
    }
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ((std::vector<std::vector<std::uint32_t>>{{}, {1}, {2}}), ids);
}

}  // namespace
}  // namespace support
