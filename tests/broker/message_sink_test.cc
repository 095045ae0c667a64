// What of all that clients publish comes to a MessageSink, and what becomes of what it refuses.
#include "broker/message_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "broker/sys_topics.h"
#include "support/broker_fixture.h"

namespace support {
namespace {

class FakeSink : public broker::MessageSink {
public:
    bool take(broker::Publication& publication, const broker::MessageOrigin& origin) override {
        if (is_full) return false;
        taken.push_back(
            fmt::format("{} '{}' q{}{} by {} ({})", publication.topic,
                        base::as_text(publication.payload), static_cast<int>(publication.qos),
                        publication.retain ? " retained" : "", origin.client_id, origin.user_name));
        last = publication.message();
        wall_ms = origin.clock.wall_ms();
        return true;
    }
    Figures figures() const override {
        return {.stored = 7, .refused = 3, .dropped = 2, .waiting = 1, .waiting_bytes = 99};
    }

    std::vector<std::string> taken;
    broker::MessageRef last;
    std::int64_t wall_ms = 0;
    bool is_full = false;
};

using Strings = std::vector<std::string>;

class Sink : public BrokerTest {
protected:
    void use() { world().broker().set_message_sink(&sink_); }
    FakeSink sink_;
};

TEST_F(Sink, gets_each_message_once_whoever_subscribes) {
    shards = 2;
    use();
    client("far", id_on(1, "far")).join().subscribe("#", 2).expect(suback);
    auto& a = client("a", id_on(0, "a")).join({.version = v5, .user_name = "ann"});
    a.subscribe("a").expect(suback);
    a.publish("a", "0").publish("a", "1", {.qos = 1, .retain = true}).expect_publish("a", "0");
    a.publish("b", "2", {.qos = 2, .id = 9}).publish("b", "2", {.qos = 2, .dup = true, .id = 9});
    const std::string by = fmt::format(" by {} (ann)", id_on(0, "a"));
    EXPECT_EQ(sink_.taken, (Strings{"a '0' q0" + by, "a '1' q1 retained" + by, "b '2' q2" + by}));
    EXPECT_EQ(sink_.wall_ms, world().clock.wall_ms());
    ASSERT_TRUE(sink_.last);
    EXPECT_EQ(sink_.last->topic(), "b");
}

TEST_F(Sink, gets_nothing_that_is_refused_and_nothing_of_the_broker) {
    options.message_size_max = 3;
    options.retained_messages_max = 1;
    use();
    broker::SysTopics sys(world().shard(0), {&world().shard(0).counters()});
    auto& a = client("a").join({.version = v5});
    a.publish("a", "four", {.qos = 1}).expect(puback, ReasonCode::quota_exceeded);
    a.publish("$SYS/a", "x", {.qos = 1}).expect(puback, ReasonCode::not_authorized);
    a.publish("r", "x", {.qos = 1, .retain = true});
    a.publish("s", "x", {.qos = 1, .retain = true});
    EXPECT_EQ(sink_.taken, Strings{"r 'x' q1 retained by a ()"});
}

TEST_F(Sink, gets_the_topic_with_its_mount_point) {
    listener.mount_point = "m/";
    use();
    client("a").join().publish("a", "x");
    EXPECT_EQ(sink_.taken, Strings{"m/a 'x' q0 by a ()"});
}

TEST_F(Sink, gets_a_will_when_it_is_due) {
    use();
    const WillTerms will{.topic = "w", .payload = "bye", .qos = 1, .expiry_s = 9};
    client("a").join({.version = v5, .will = will, .user_name = "ann"}).disconnect();
    EXPECT_EQ(sink_.taken, Strings{});
    client("a").join({.version = v5, .will = will, .user_name = "ann"}).drop();
    EXPECT_EQ(sink_.taken, Strings{"w 'bye' q1 by a (ann)"});
}

TEST_F(Sink, a_message_without_room_there_is_delivered_counted_and_logged_once_a_minute) {
    use();
    sink_.is_full = true;
    auto& a = client("a").join().subscribe("a").expect(suback);
    a.publish("a", "1").expect_publish("a", "1").publish("a", "2").expect_publish("a", "2");
    const auto cause = static_cast<std::size_t>(broker::Refusal::mysql_store);
    EXPECT_EQ(world().shard(0).counters().refused.at(cause).get(), 2U);
    EXPECT_EQ(broker::name_of(broker::Refusal::mysql_store), "mysql_store");
    EXPECT_EQ(world().log.count("a message to 'a' is not stored"), 1U);
}

TEST_F(Sink, says_below_SYS_how_it_does) {
    use();
    client("a").join().subscribe("$SYS/broker/nightjar/mysql_store/#").expect(suback);
    broker::SysTopics sys(world().shard(0), {&world().shard(0).counters()});
    world().settle();
    const std::string root = "$SYS/broker/nightjar/mysql_store/";
    client("a").expect_publish(root + "stored", "7").expect_publish(root + "dropped", "2");
    client("a").expect_publish(root + "waiting", "1").expect_publish(root + "waiting/bytes", "99");
}

}  // namespace
}  // namespace support
