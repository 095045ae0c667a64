// What a client inherits from its listener: mount point, topic aliases, maximum QoS, retain.
#include "support/broker_fixture.h"

namespace support {
namespace {

class Listener : public BrokerTest {};

TEST_F(Listener, a_mount_point_is_put_before_and_taken_off_every_topic) {
    broker::ListenerOptions mounted;
    mounted.mount_point = "tenant/";
    client("in").on(mounted).join().subscribe("x/#", 1).expect(suback);
    client("out").join().subscribe("#", 1).expect(suback);
    client("pub").on(mounted).join().publish("x/y", "1", {.qos = 1, .retain = true});
    client("in").expect_publish("x/y", "1", 1).expect_nothing();
    client("out")
        .expect_publish("tenant/x/y", "1", 1)
        .publish("x/y", "2")
        .expect_publish("x/y", "2");
    client("in").expect_nothing().subscribe("x/y").expect(suback).expect_publish("x/y", "1");
    client("in").unsubscribe("x/#").expect(unsuback).unsubscribe("x/y").expect(unsuback);
    client("pub").publish("x/y", "3");
    client("in").expect_nothing();
}

TEST_F(Listener, a_mount_point_goes_before_the_will) {
    broker::ListenerOptions mounted;
    mounted.mount_point = "tenant/";
    client("out").join().subscribe("#", 1).expect(suback);
    client("in").on(mounted).join({.will = WillTerms{.topic = "w", .payload = "bye"}}).drop();
    client("out").expect_publish("tenant/w", "bye");
}

TEST_F(Listener, mount_points_of_one_length_do_not_mix) {
    broker::ListenerOptions red{.mount_point = "r/"};
    broker::ListenerOptions green{.mount_point = "g/"};
    client("a").on(red).join(persistent()).subscribe("x").expect(suback).drop();
    client("b").on(red).join().subscribe("x").expect(suback);
    client("a").on(green).join(persistent());
    client("pub").on(red).join().publish("x", "1");
    client("a").expect_publish("r/x", "1");
    client("b").expect_publish("x", "1");
}

TEST_F(Listener, a_topic_that_is_too_long_under_its_mount_point_is_refused) {
    broker::ListenerOptions mounted{.mount_point = "tenant/"};
    const std::string topic(65'535, 't');
    client("pub").on(mounted).join({.version = v5}).publish(topic, "1", {.retain = true});
    client("pub").expect(disconnected, ReasonCode::topic_name_invalid).expect_closed();
    client("will")
        .on(mounted)
        .connect({.version = v5, .will = WillTerms{.topic = topic, .payload = "1"}})
        .expect(connack, ReasonCode::topic_name_invalid)
        .expect_closed();
    client("sub").on(mounted).join({.version = v5}).subscribe(topic, 1);
    client("sub").expect(suback, ReasonCode::topic_filter_invalid);
}

TEST_F(Listener, MQTT_3_3_2_12_topic_aliases_are_resolved) {
    client("sub").join().subscribe("#").expect(suback);
    client("a").join({.version = v5}).publish("x/1", "a", {.alias = 1});
    client("a").publish("x/2", "b", {.alias = 10}).publish("", "c", {.alias = 1});
    client("a").publish("x/3", "d", {.alias = 1}).publish("", "e", {.alias = 1});
    client("sub").expect_publish("x/1", "a").expect_publish("x/2", "b").expect_publish("x/1", "c");
    client("sub").expect_publish("x/3", "d").expect_publish("x/3", "e").expect_nothing();
}

TEST_F(Listener, MQTT_3_3_2_7_aliases_end_with_the_connection) {
    client("a").join(persistent(v5)).publish("x", "a", {.alias = 1}).drop();
    client("a").join(persistent(v5)).publish("", "a", {.alias = 1});
    client("a").expect(disconnected, ReasonCode::protocol_error).expect_closed();
}

TEST_F(Listener, MQTT_3_2_2_17_MQTT_3_2_2_18_MQTT_3_3_2_9_an_alias_above_the_maximum_is_refused) {
    client("a").join({.version = v5}).publish("x", "a", {.alias = 11});
    client("a").expect(disconnected, ReasonCode::topic_alias_invalid).expect_closed();
    listener.topic_alias_max = 0;
    client("b").join({.version = v5}).publish("x", "a", {.alias = 1});
    client("b").expect(disconnected, ReasonCode::topic_alias_invalid).expect_closed();
}

TEST_F(Listener, MQTT_3_2_2_10_MQTT_3_2_2_11_max_qos_limits_what_is_granted_and_what_is_published) {
    listener.qos_max = mqtt::Qos::at_least_once;
    client("a").join({.version = v5}).subscribe("x", 2).expect(suback, ReasonCode::granted_qos_1);
    client("a").publish("x", "1", {.qos = 1}).expect_publish("x", "1", 1).expect(puback);
    client("a").publish("x", "1", {.qos = 2});
    client("a").expect(disconnected, ReasonCode::qos_not_supported).expect_closed();
}

TEST_F(Listener, retain_available_false_refuses_in_version_5_and_ignores_below) {
    options.retain_available = false;
    client("sub").join().subscribe("x").expect(suback);
    client("four").join().publish("x", "1", {.retain = true});
    client("sub").expect_publish("x", "1");
    EXPECT_EQ(0U, world().broker().retained().count());
    client("five").join({.version = v5}).publish("x", "1", {.retain = true});
    client("five").expect(disconnected, ReasonCode::retain_not_supported).expect_closed();
}

}  // namespace
}  // namespace support
