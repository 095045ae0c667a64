#include "broker/message.h"

#include <algorithm>
#include <limits>
#include <new>

#include "base/assert.h"

namespace broker {

static_assert(sizeof(Message) <= 40);

Message::Message(const MessageParts& parts)
    : topic_size_(static_cast<std::uint16_t>(parts.topic.size())),
      qos_(parts.qos),
      retain_(parts.retain),
      durability_(parts.durability),
      payload_size_(static_cast<std::uint32_t>(parts.payload.size())),
      properties_size_(static_cast<std::uint32_t>(parts.properties.size())),
      expiry_wall_ms_(parts.expiry_wall_ms),
      source_(parts.source) {}

MessageRef Message::make(const MessageParts& parts) {
    ASSERT(parts.topic.size() <= std::numeric_limits<std::uint16_t>::max());
    ASSERT(parts.properties.size() <= mqtt::remaining_length_max);
    ASSERT(parts.payload.size() <= mqtt::remaining_length_max);

    const std::size_t tail = parts.topic.size() + parts.properties.size() + parts.payload.size();
    void* const block = ::operator new(sizeof(Message) + tail);
    auto* const message = new (block) Message(parts);
    auto* out = reinterpret_cast<std::uint8_t*>(message + 1);
    out = std::copy(parts.topic.begin(), parts.topic.end(), out);
    out = std::copy(parts.properties.begin(), parts.properties.end(), out);
    std::copy(parts.payload.begin(), parts.payload.end(), out);
    return MessageRef::adopt(message);
}

void Message::destroy(const Message* message) {
    message->~Message();
    ::operator delete(const_cast<Message*>(message));
}

}  // namespace broker
