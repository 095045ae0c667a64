// A message on its way: what a publisher sent, stripped of what belongs to one connection (packet
// id, dup, topic alias, expiry interval).
//
//     one block:   | Message, 40 bytes | topic | properties | payload |
//
// Ownership: shared by reference count, from any shard. Threads: immutable once made, but for
// `superseded`, an atomic flag, and for the store's number, which is the store's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/ref_counted.h"
#include "broker/durability.h"
#include "mqtt/types.h"

namespace broker {

class Message;
using MessageRef = base::Ref<Message>;

// What a message is made of; make() copies the bytes.
struct MessageParts {
    std::string_view topic;  // At most 65535 bytes.
    base::Bytes payload;
    // MQTT 5 properties to forward unaltered, as mqtt::write_forwarded() encodes them: without
    // their length and without the message expiry.
    base::Bytes properties;
    mqtt::Qos qos{};
    bool retain = false;
    std::int64_t expiry_wall_ms = 0;  // When it expires, in milliseconds since 1970; 0 = never.
    std::uint64_t source = 0;         // Who published it, for No Local; 0 = nobody.
    Durability durability = Durability::disk;
};

class Message : public base::RefCounted<Message> {
public:
    static MessageRef make(const MessageParts& parts);
    static void destroy(const Message* message);

    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;

    std::string_view topic() const { return {text(), topic_size_}; }
    base::Bytes properties() const {
        return base::as_bytes({text() + topic_size_, properties_size_});
    }
    base::Bytes payload() const {
        return base::as_bytes({text() + topic_size_ + properties_size_, payload_size_});
    }
    mqtt::Qos qos() const { return qos_; }
    bool retain() const { return retain_; }
    Durability durability() const { return durability_; }
    std::int64_t expiry_wall_ms() const { return expiry_wall_ms_; }
    std::uint64_t source() const { return source_; }

    bool is_expired(std::int64_t now_wall_ms) const {
        return expiry_wall_ms_ != 0 && expiry_wall_ms_ <= now_wall_ms;
    }
    // What it costs in memory, but for the allocator's own rounding.
    std::size_t bytes() const {
        return sizeof(Message) + topic_size_ + properties_size_ + payload_size_;
    }

    // True once a newer retained message of its topic took its place, or a clear did: whoever still
    // has it queued for a new subscriber may leave it out.
    bool is_superseded() const { return superseded_.load(std::memory_order_acquire); }
    void supersede() const { superseded_.store(true, std::memory_order_release); }

    // By which the store knows its content again; 0 = it was never given one. Only the thread that
    // writes the store may ask or tell, and whoever has just made the message.
    std::uint64_t store_number() const { return store_number_; }
    void set_store_number(std::uint64_t number) const { store_number_ = number; }

private:
    explicit Message(const MessageParts& parts);
    ~Message() = default;
    const char* text() const { return reinterpret_cast<const char*>(this + 1); }

    std::uint16_t topic_size_;
    mqtt::Qos qos_ : 2;
    bool retain_ : 1;
    Durability durability_ : 2;
    mutable std::atomic<bool> superseded_{false};
    std::uint32_t payload_size_;
    std::uint32_t properties_size_;
    std::int64_t expiry_wall_ms_;
    std::uint64_t source_;
    mutable std::uint64_t store_number_ = 0;
};

}  // namespace broker
