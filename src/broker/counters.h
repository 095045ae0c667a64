// What a shard counts. Only the shard's thread adds; any thread may read a value that is at most a
// moment old. Adding costs what adding to a plain integer costs.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace broker {

class Counter {
public:
    void add(std::uint64_t amount = 1) {
        value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
    void subtract(std::uint64_t amount = 1) {
        value_.store(value_.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
    }
    std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

// Why something of a peer was refused. Their names are name_of()'s in broker/refusal.cc.
enum class Refusal : std::uint8_t {
    not_mqtt,          // The first packet is not CONNECT, or no packet.
    connect_timeout,   // No CONNECT in time.
    connection_limit,  // max_connections, global_max_connections, max_connections_per_address.
    connection_rate,   // max_connection_rate: how often accepting had to rest.
    handshake,         // Of TLS or WebSocket, or a PROXY header.
    handshake_limit,   // max_handshakes.
    untrusted_proxy,   // Who is not in proxy_protocol_trusted.
    connect,           // A CONNECT that CONNACK refuses.
    auth_failures,     // Of an address that has failed too often: auth_failure_limit.
    malformed_packet,
    protocol_error,
    packet_too_large,
    topic,  // Of a name or filter that is none.
    topic_alias,
    receive_maximum,
    message_rate,        // max_message_rate: how often a client was not read for a while.
    byte_rate,           // max_byte_rate: the same.
    user_properties,     // max_user_properties.
    subscription_limit,  // max_subscriptions_per_client.
    retained_limit,      // max_retained_*.
    store_failed,        // What cannot be kept any more.
    mysql_store,         // A message that is not stored: the queue is full.
    session_takeover,    // The older of two connections of one client id.
    not_authorized,      // A PUBLISH, SUBSCRIBE or will that the access rules forbid.
    other,
};
inline constexpr std::size_t refusal_count = static_cast<std::size_t>(Refusal::other) + 1;

struct Counters {
    // Packets of every type, and their bytes.
    Counter packets_received;
    Counter packets_sent;
    Counter bytes_received;
    Counter bytes_sent;
    // PUBLISH packets, and the bytes of their payloads.
    Counter publish_received;
    Counter publish_sent;
    Counter publish_bytes_received;
    Counter publish_bytes_sent;

    // Messages that one client did not get, by reason.
    Counter dropped_output_full;  // QoS 0, slow reader.
    Counter dropped_queue_full;   // QoS 1 and 2, max_queued_*.
    Counter dropped_packet_size;  // Larger than the client accepts.
    Counter dropped_expired;      // Message expiry interval passed while queued.
    Counter dropped_unreadable;   // Of a queue that had left memory: the store cannot read it.
    Counter dropped_retained;     // Not retained, and so sent to nobody: max_retained_*.
    // By the access rules, which is what they are for: not in dropped().
    Counter dropped_not_authorized;
    // Messages that nobody got.
    Counter dropped_payload_format;  // Not the UTF-8 that it says it is.
    Counter dropped_no_member;       // Nobody of a shared subscription was left, or may have it.

    std::array<Counter, refusal_count> refused;

    Counter connections_opened;  // Sockets accepted.
    Counter connects_accepted;   // CONNACKs with success.
    Counter clients_expired;

    // Gauges.
    Counter sessions;
    Counter sessions_connected;
    Counter sockets;
    Counter subscriptions;  // Without the shared ones.
    Counter shared_subscriptions;
    Counter queued_messages;  // In queues and in flight with their content.
    Counter queued_bytes;

    std::uint64_t dropped() const {
        return dropped_output_full.get() + dropped_queue_full.get() + dropped_packet_size.get() +
               dropped_expired.get() + dropped_unreadable.get() + dropped_retained.get() +
               dropped_payload_format.get() + dropped_no_member.get();
    }
};

}  // namespace broker
