// What the configuration says about the meaning of the broker: a plain value, filled in by server/,
// never changed once a shard uses it. A reload hands every shard a new one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/durability.h"
#include "mqtt/types.h"

namespace broker {

// Who of a shared subscription's connected members gets the next message.
enum class SharedStrategy : std::uint8_t {
    round_robin,
    sticky,  // One gets all, until it goes.
    hash,    // By the topic, so that a topic stays with its member while the members stay.
};

struct Options {
    std::string client_id_prefixes;  // Empty = any; else a client id must start with it.

    // Of QoS 1 and 2 messages on their way to one client; 0 = no limit of ours.
    std::uint16_t inflight_messages_max = 20;
    std::size_t inflight_bytes_max = 0;
    // Of messages that wait for one client, behind those in flight; 0 = no limit.
    std::size_t queued_messages_max = 1000;
    std::size_t queued_bytes_max = 0;
    bool queue_qos0_messages = false;
    // Of what waits in queues of sessions that the store keeps; 0 = no limit.
    std::size_t queue_memory_max = 0;
    bool upgrade_outgoing_qos = false;
    bool allow_duplicate_messages = false;
    SharedStrategy shared_strategy = SharedStrategy::round_robin;
    // Bytes waiting for one connection's socket, beyond which QoS 0 to it is dropped; 0 = no limit.
    std::size_t output_bytes_max = std::size_t{16} << 20;

    std::uint16_t keep_alive_max_s = 0;  // 0 = no limit.
    std::uint32_t connect_timeout_s = 30;
    std::uint32_t packet_size_max = 2'000'000;  // Whole packets; 0 = the protocol's limit.
    std::uint32_t message_size_max = 0;         // Payloads; 0 = no limit.
    bool validate_payload_format = false;
    // Whether more QoS 2 messages than Receive Maximum end a v5 client, or are only logged.
    bool enforce_receive_maximum = true;
    bool retain_available = true;
    bool check_retain_source = true;  // Whether publishers' rights count when it is delivered.
    // Of all retained messages of clients; 0 = no limit.
    std::size_t retained_messages_max = 0;
    std::size_t retained_bytes_max = 0;
    std::uint64_t retain_expiry_s = 0;  // For retained messages without an expiry; 0 = they stay.
    std::size_t subscriptions_max = 100'000;  // Of one client; 0 = no limit.
    std::size_t user_properties_max = 1000;   // In one packet; 0 = no limit.
    // Sessions of clients that stay away longer end; nothing = never.
    std::optional<std::uint64_t> persistent_client_expiration_s;
    std::int64_t clients_max = -1;  // Sessions with and without a connection; -1 = no limit.
    std::uint32_t sys_interval_s = 10;
    bool connection_messages = true;
    DurabilityLevels durability;  // Where there is a store.
    // What a v5 client that asks for it builds its response topics from; empty = nothing.
    std::string response_information;
    // Where v5 clients are sent that find no room here; empty = nowhere.
    std::string server_reference;
};

// What a client inherits from the listener it came in by. Outlives every connection.
struct ListenerOptions {
    std::uint16_t port = 1883;
    std::string mount_point;  // Put before every topic of its clients; empty = none.
    std::string auto_id_prefix = "auto-";
    mqtt::Qos qos_max = mqtt::Qos::exactly_once;
    std::uint16_t topic_alias_max = 10;         // Of clients towards us.
    std::uint16_t topic_alias_broker_max = 10;  // Of ours towards a client; 0 = we use none.
    // Of PUBLISH packets and of bytes that one client sends in a second; 0 = no limit.
    std::uint32_t messages_per_s_max = 0;
    std::uint32_t bytes_per_s_max = 0;
    bool allow_v3_1 = true;
    bool allow_v3_1_1 = true;
    bool allow_v5 = true;
    bool allow_anonymous = true;
    bool allow_zero_length_client_id = true;
    bool use_user_name_as_client_id = false;
    bool takes_proven_user = false;  // Clients are who Wire::proven_user() says, and nobody else.
    std::uint32_t realm = 0;  // Which of the authenticator's sets of users is theirs; 0 = none.
};

}  // namespace broker
