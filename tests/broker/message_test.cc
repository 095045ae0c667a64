#include "broker/message.h"

#include <gtest/gtest.h>

#include <string>

namespace broker {
namespace {

TEST(Message, keeps_its_own_copy_of_every_part) {
    std::string topic = "a/b";
    std::string payload("\0payload", 8);
    std::string properties = "\x01\x01";
    MessageParts parts;
    parts.topic = topic;
    parts.payload = base::as_bytes(payload);
    parts.properties = base::as_bytes(properties);
    parts.qos = mqtt::Qos::exactly_once;
    parts.retain = true;
    parts.expiry_wall_ms = 1'000;
    parts.source = 42;
    const MessageRef message = Message::make(parts);
    topic = payload = properties = "gone";

    EXPECT_EQ(message->topic(), "a/b");
    EXPECT_EQ(base::as_text(message->payload()), std::string_view("\0payload", 8));
    EXPECT_EQ(base::as_text(message->properties()), "\x01\x01");
    EXPECT_EQ(message->qos(), mqtt::Qos::exactly_once);
    EXPECT_TRUE(message->retain());
    EXPECT_EQ(message->source(), 42U);
    EXPECT_EQ(message->bytes(), sizeof(Message) + 3 + 8 + 2);
    EXPECT_FALSE(message->is_superseded());
    message->supersede();
    EXPECT_TRUE(message->is_superseded());
}

TEST(Message, expires_at_its_deadline) {
    struct Row {
        const char* sentence;
        std::int64_t deadline, now;
        bool want;
    };
    const Row rows[] = {
        {"0 means never", 0, 1'000'000, false},
        {"before", 10, 9, false},
        {"at", 10, 10, true},
        {"after", 10, 11, true},
    };
    for (const Row& row : rows) {
        MessageParts parts;
        parts.topic = "t";
        parts.expiry_wall_ms = row.deadline;
        EXPECT_EQ(Message::make(parts)->is_expired(row.now), row.want) << row.sentence;
    }
}

}  // namespace
}  // namespace broker
