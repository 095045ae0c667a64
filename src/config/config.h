// What mosquitto.conf says, as one immutable value: parse() makes it, everyone else reads it.
//
// A setting is named as the option is, with its unit; where a name would mislead, the option is in
// the comment. Everything that depends on several lines (who may be anonymous, what a listener may
// not do yet) is already resolved: readers need no rule of the file format.
//
// Ownership: plain values, copied freely. Threads: share it as const.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "config/bridge.h"
#include "config/listener.h"
#include "config/mysql_store.h"

namespace config {

// A sentence about one line; line 0 is about the whole file, and without a file about the flags.
struct Diagnostic {
    std::string file;
    int line = 0;
    std::string message;  // "Error: ..." or "Warning: ...".

    bool operator==(const Diagnostic&) const = default;
};
using Error = Diagnostic;
using Warning = Diagnostic;

// "file:line: message", the form editors jump to.
std::string to_string(const Diagnostic& diagnostic);

struct Logging {
    bool to_stdout = false;
    bool to_stderr = true;
    bool to_syslog = false;
    bool to_topic = false;
    std::string file;  // Empty: no file.
    std::uint32_t types = static_cast<std::uint32_t>(base::LogType::error) |
                          static_cast<std::uint32_t>(base::LogType::warning) |
                          static_cast<std::uint32_t>(base::LogType::notice) |
                          static_cast<std::uint32_t>(base::LogType::information);
    int facility = -1;  // log_facility: 0 to 7 is local0 to local7; -1 is daemon.
    bool timestamp = true;
    std::string timestamp_format;  // strftime; empty: seconds since 1970.
    bool connection_messages = true;

    bool has(base::LogType type) const { return (types & static_cast<std::uint32_t>(type)) != 0; }
    bool operator==(const Logging&) const = default;
};

// One plugin / auth_plugin / global_plugin / plugin_load line. Nothing loads them yet.
struct Plugin {
    std::string path;
    std::string name;                                          // Only with plugin_load.
    std::vector<std::pair<std::string, std::string>> options;  // plugin_opt_KEY VALUE
    bool deny_special_chars = true;                            // auth_plugin_deny_special_chars

    bool operator==(const Plugin&) const = default;
};

// Who of a shared subscription's connected members gets the next message.
enum class SharedStrategy { round_robin, sticky, hash };

// What a promise to a client survives: nothing, the end of the process, a loss of power.
enum class Durability { memory, process, disk };

struct DurabilityTopic {
    Durability level{};
    std::string filter;

    bool operator==(const DurabilityTopic&) const = default;
};

struct Persistence {
    bool enabled = false;
    Durability durability = Durability::disk;        // Only where it is enabled.
    std::vector<DurabilityTopic> durability_topics;  // The last one that matches counts.
    std::string file = "mosquitto.db";
    std::string location;
    int autosave_interval_s = 1800;
    bool autosave_on_changes = false;

    bool operator==(const Persistence&) const = default;
};

struct Config {
    std::vector<Listener> listeners;  // Never empty.
    std::vector<Bridge> bridges;
    std::vector<Plugin> plugins;
    std::vector<Warning> warnings;  // To be logged once, in this order.

    // No listener line: only this machine may connect, to 127.0.0.1 and ::1. It is enough if one of
    // the two opens, as not every machine has IPv6.
    bool local_only = false;
    bool per_listener_settings = false;
    Security security;  // What listeners inherit; they hold the result, do not read it here.

    // Not empty: the file asks for a check that this version cannot make. Then no name and password
    // is accepted (anonymous clients are let in as the listener says), or, for authorization,
    // every PUBLISH and SUBSCRIBE is refused.
    std::string authentication_unavailable_because;
    std::string authorization_unavailable_because;

    // Clients and sessions. -1: no limit.
    int global_max_clients = -1;
    int global_max_connections = -1;
    int max_connections_per_address = 0;                         // 0: no limit.
    int auth_failure_limit = 0;                                  // 0: no limit.
    std::uint16_t max_keepalive_s = 0;                           // 0: no limit.
    std::optional<std::int64_t> persistent_client_expiration_s;  // None: never.
    std::string clientid_prefixes;     // One prefix, in spite of the name; empty: any client id.
    int connect_timeout_s = 30;        // From accepting a connection to its CONNECT.
    std::string response_information;  // With %c and %u still in it; empty: none.
    std::string server_reference;      // Empty: none.

    // Messages and queues. 0: no limit.
    std::int64_t max_inflight_bytes = 0;
    std::uint16_t max_inflight_messages = 20;
    std::int64_t max_queued_bytes = 0;
    int max_queued_messages = 1000;
    std::uint32_t max_packet_size_bytes = 2'000'000;
    std::uint32_t message_size_limit_bytes = 0;
    std::int64_t memory_limit_bytes = 0;
    std::int64_t queue_memory_limit_bytes = 67'108'864;  // Of queues that can leave memory.
    std::int64_t max_output_bytes = 16'777'216;  // Waiting to be written to one slow connection.
    std::int64_t max_retained_messages = 0;
    std::int64_t max_retained_bytes = 0;
    int max_subscriptions_per_client = 100'000;
    int max_user_properties = 1000;  // In one packet.
    bool allow_duplicate_messages = false;
    bool validate_payload_format = false;
    bool enforce_receive_maximum = true;  // receive_maximum_exceeded: disconnect, not warn.
    bool queue_qos0_messages = false;
    bool upgrade_outgoing_qos = false;
    SharedStrategy shared_subscription_strategy = SharedStrategy::round_robin;
    bool retain_available = true;
    bool check_retain_source = true;
    int retain_expiry_interval_min = 0;  // 0: off.

    // The process.
    int threads = 0;                    // 0: one for each CPU.
    std::uint16_t sys_interval_s = 10;  // 0: no $SYS topics.
    bool set_tcp_nodelay = false;
    int tcp_user_timeout_s = 0;  // 0: as long as the system tries.
    std::string user = "mosquitto";
    std::string pid_file;
    std::string control_socket;  // Empty: none.
    Logging log;
    Persistence persistence;
    MysqlStore mysql_store;
    bool enable_control_api = false;
    std::uint16_t packet_buffer_size_bytes = 4096;
    int websockets_log_level = 0;

    bool operator==(const Config&) const = default;
};

}  // namespace config
