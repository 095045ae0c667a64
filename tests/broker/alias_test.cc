// Topic aliases towards clients: which topics get one, and what the client is told.
#include <map>
#include <random>

#include "base/hash.h"
#include "broker/alias_table.h"
#include "support/broker_fixture.h"

namespace support {
namespace {

using broker::Alias;
using broker::AliasTable;

// A table and the client's side of it.
class Told {
public:
    explicit Told(std::uint16_t limit) : table_(limit), limit_(limit) {}

    // What the packet saved against one without aliases; less than 0 when it defines one.
    int send(const std::string& topic, bool may_define = true) {
        const Alias alias = table_.choose(topic, base::hash(topic), may_define);
        if (alias.number == 0) return 0;
        EXPECT_LE(alias.number, limit_);
        if (alias.is_known) {
            EXPECT_EQ(topic, topics_[alias.number]);
            return static_cast<int>(topic.size()) - 3;
        }
        ++definitions;
        topics_[alias.number] = topic;
        return -3;
    }
    int definitions = 0;

private:
    AliasTable table_;
    std::uint16_t limit_;
    std::map<std::uint16_t, std::string> topics_;
};

std::string long_topic(int n) {
    return "building/7/floor/3/room/" + std::to_string(1000 + n) + "/temperature";
}

TEST(AliasTable, a_topic_gets_a_number_at_once_and_uses_it_from_then_on) {
    Told told(2);
    EXPECT_EQ(-3, told.send(long_topic(1)));
    EXPECT_EQ(37, told.send(long_topic(1)));
    EXPECT_EQ(-3, told.send(long_topic(2)));
    EXPECT_EQ(0, told.send(long_topic(3)));
    EXPECT_EQ(37, told.send(long_topic(2)));
}

TEST(AliasTable, a_topic_that_is_no_longer_than_a_number_gets_none) {
    Told told(2);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(0, told.send("abc"));
    EXPECT_EQ(-3, told.send("abcd"));
    EXPECT_EQ(1, told.send("abcd"));
}

TEST(AliasTable, what_cannot_be_defined_is_not_known_later) {
    Told told(2);
    EXPECT_EQ(0, told.send(long_topic(1), false));
    EXPECT_EQ(-3, told.send(long_topic(1)));
    EXPECT_EQ(37, told.send(long_topic(1), false));
}

TEST(AliasTable, a_busy_topic_takes_the_number_of_an_idle_one) {
    Told told(1);
    told.send(long_topic(1));
    int sent = 0;
    while (told.send(long_topic(2)) >= 0 && sent < 100) ++sent;
    EXPECT_LT(sent, 10);
    EXPECT_EQ(37, told.send(long_topic(2)));
    EXPECT_EQ(0, told.send(long_topic(1)));
}

TEST(AliasTable, follows_when_what_is_busy_changes) {
    Told told(1);
    for (int i = 0; i < 100'000; ++i) told.send(long_topic(1));
    int sent = 0;
    while (told.send(long_topic(2)) >= 0 && sent < 10'000) ++sent;
    EXPECT_LT(sent, 1000);
}

TEST(AliasTable, equally_busy_topics_do_not_push_each_other_out) {
    Told told(4);
    std::mt19937 random(3);
    for (int i = 0; i < 100'000; ++i) told.send(long_topic(static_cast<int>(random() % 8)));
    EXPECT_LT(told.definitions, 20);
}

TEST(AliasTable, a_busy_few_among_many_that_come_once_are_found) {
    Told told(2);
    std::mt19937 random(4);
    int saved = 0;
    int messages = 0;
    for (int i = 0; i < 20'000; ++i) {
        told.send(long_topic(1000 + i));
        if (random() % 2 == 0) {
            saved += told.send(long_topic(static_cast<int>(random() % 2)));
            ++messages;
        }
    }
    EXPECT_GT(saved, messages * 37 * 9 / 10);
}

TEST(AliasTable, the_longer_of_two_equally_busy_topics_is_preferred) {
    Told told(1);
    const std::string longer = long_topic(1) + std::string(300, 'x');
    int saved = 0;
    for (int i = 0; i < 1000; ++i) {
        told.send("short/topic");
        saved += told.send(longer);
    }
    EXPECT_GT(saved, 900 * static_cast<int>(longer.size()));
}

TEST(AliasTable, its_topics_take_no_more_than_its_limit) {
    Told told(100);
    const std::string large(AliasTable::topic_bytes_max / 4, 'x');
    for (int i = 0; i < 100; ++i) told.send(large + std::to_string(1000 + i).substr(1));
    EXPECT_EQ(3, told.definitions);
    EXPECT_EQ(-3, told.send(long_topic(1)));
}

class Aliases : public BrokerTest {
protected:
    // A client that takes `max` aliases.
    static ConnectTerms taking(std::uint16_t max) {
        return {.version = v5, .topic_alias_maximum = max};
    }
    TestClient& publisher() {
        if (!joined_) client("pub").join({.version = v5});
        joined_ = true;
        return client("pub");
    }
    std::string topic_ = long_topic(1);

private:
    bool joined_ = false;
};

TEST_F(Aliases, a_topic_is_sent_once_and_then_its_number) {
    client("sub").join(taking(5)).subscribe("#", 1).expect(suback);
    publisher().publish(topic_, "a").publish(topic_, "b", {.qos = 1}).publish("other/topic", "c");
    client("sub").expect_publish(topic_, "a");
    const std::size_t first = client("sub").last().size;
    client("sub").expect_publish(topic_, "b", 1);
    EXPECT_EQ(first - topic_.size() + 2, client("sub").last().size);
    EXPECT_EQ(1, client("sub").last().alias);
    client("sub").expect_publish("other/topic", "c");
    EXPECT_EQ(2, client("sub").last().alias);
}

TEST_F(Aliases, MQTT_3_1_2_26_MQTT_3_1_2_27_MQTT_3_3_2_11_none_above_the_client_s_maximum_or_ours) {
    struct Row {
        const char* sentence;
        ConnectTerms terms;
        int want;
    };
    const Row rows[] = {{"3.1.1", {.version = v3_1_1}, 0},
                        {"5.0 that takes none", {.version = v5}, 0},
                        {"the client's", taking(2), 2},
                        {"ours", taking(9), 3}};
    listener.topic_alias_broker_max = 3;
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        client("sub").join(row.terms).subscribe("#").expect(suback);
        int highest = 0;
        for (int n = 0; n < 5; ++n) {
            publisher().publish(long_topic(n), "x");
            client("sub").expect_publish(long_topic(n), "x");
            highest = std::max<int>(highest, client("sub").last().alias);
        }
        EXPECT_EQ(row.want, highest);
    }
}

TEST_F(Aliases, MQTT_3_3_2_7_are_forgotten_with_the_connection) {
    ConnectTerms terms = persistent(v5);
    terms.topic_alias_maximum = 5;
    client("sub").manual_acks().join(terms).subscribe("#", 1).expect(suback);
    publisher().publish(topic_, "a", {.qos = 1}).publish(topic_, "b", {.qos = 1});
    client("sub").expect_publish(topic_, "a", 1).expect_publish(topic_, "b", 1).drop();
    client("sub").join(terms).expect_publish(topic_, "a", 1);
    EXPECT_GT(client("sub").last().size, topic_.size());
    EXPECT_TRUE(client("sub").last().dup);
    client("sub").expect_publish(topic_, "b", 1);
    EXPECT_LT(client("sub").last().size, topic_.size());
    terms.topic_alias_maximum = 0;
    client("sub").join(terms).expect_publish(topic_, "a", 1);
    EXPECT_EQ(0, client("sub").last().alias);
}

TEST_F(Aliases, every_subscriber_of_one_message_gets_its_own) {
    // Each takes another number for the topic, or none, or does not know it yet.
    for (int n = 0; n < 6; ++n) {
        const std::string name = "sub" + std::to_string(n);
        client(name).join(taking(n == 5 ? 0 : 9)).subscribe(topic_, n % 3).expect(suback);
        client(name).subscribe("own/topic/" + name, 0).expect(suback);
        for (int own = 0; own < n; ++own) {
            publisher().publish("own/topic/" + name, "x");
            client(name).expect_publish("own/topic/" + name, "x");
        }
    }
    for (int turn = 0; turn < 3; ++turn) {
        publisher().publish(topic_, "all", {.qos = 2}).ignore_all();
        for (int n = 0; n < 6; ++n) {
            client("sub" + std::to_string(n)).expect_publish(topic_, "all", n % 3);
        }
    }
    const std::string large(100'000, 'L');
    publisher().publish(topic_, large);
    for (int n = 0; n < 6; ++n) client("sub" + std::to_string(n)).expect_publish(topic_, large);
}

TEST_F(Aliases, work_for_retained_messages_and_identifiers) {
    publisher().publish(topic_, "kept", {.retain = true});
    client("sub").join(taking(1)).subscribe("#", {.id = 7}).expect(suback);
    client("sub").expect_publish(topic_, "kept");
    publisher().publish(topic_, "new", {.expiry_s = 9, .content_type = "t"});
    client("sub").expect_publish(topic_, "new");
    EXPECT_EQ(1, client("sub").last().alias);
    EXPECT_EQ("t", client("sub").last().content_type);
    EXPECT_EQ(std::uint32_t{9}, client("sub").last().expiry_s);
    EXPECT_EQ(std::vector<std::uint32_t>{7}, client("sub").last().subscription_ids);
}

TEST_F(Aliases, work_below_a_mount_point) {
    listener.mount_point = "tenant/";
    client("sub").join(taking(1)).subscribe("#").expect(suback);
    for (int i = 0; i < 3; ++i) {
        publisher().publish(topic_, "x");
        client("sub").expect_publish(topic_, "x");
    }
    EXPECT_LT(client("sub").last().size, topic_.size());
}

TEST_F(Aliases, MQTT_3_1_2_25_a_packet_with_room_for_no_number_goes_without) {
    ConnectTerms terms = taking(1);
    // Fixed header 2, topic 2 + 40, properties 1, payload 1; 3 more would be the alias.
    terms.maximum_packet_size = 46 + 2;
    client("sub").join(terms);
    terms.maximum_packet_size = 46 + 2;
    client("sub").subscribe("#").expect(suback);
    publisher().publish(topic_, "x").publish(topic_, "y").publish(topic_, "too large to be sent");
    client("sub").expect_publish(topic_, "x").expect_publish(topic_, "y").expect_nothing();
    EXPECT_EQ(0, client("sub").last().alias);
    EXPECT_EQ(1U, count(&broker::Counters::dropped_packet_size));
}

TEST_F(Aliases, are_used_by_who_publishes_and_who_receives_alike) {
    client("sub").join(taking(1)).subscribe("#").expect(suback);
    publisher().publish(topic_, "1", {.alias = 9}).publish("", "2", {.alias = 9});
    client("sub").expect_publish(topic_, "1").expect_publish(topic_, "2");
    EXPECT_EQ(1, client("sub").last().alias);
}

}  // namespace
}  // namespace support
