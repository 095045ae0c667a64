// One neighbour to exchange topics with: a `connection` line and the options that follow it.
//
// Read completely so that a file is checked completely; nothing connects bridges yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace config {

enum class Direction { out, in, both };
enum class StartType { automatic, lazy, once };
enum class BridgeVersion { v31, v311, v5 };

struct BridgeAddress {
    std::string host;
    std::uint16_t port = 1883;

    bool operator==(const BridgeAddress&) const = default;
};

struct BridgeTopic {
    std::string pattern;  // May be empty: then the two prefixes name one topic on each side.
    Direction direction = Direction::out;
    std::uint8_t qos = 0;
    std::string local_prefix;
    std::string remote_prefix;

    bool operator==(const BridgeTopic&) const = default;
};

struct BridgeTls {
    std::string alpn;
    std::string cafile;
    std::string capath;
    std::string certfile;
    std::string keyfile;
    std::string ciphers;
    std::string ciphers_tls13;
    std::string version;
    std::string psk_identity;  // bridge_identity
    std::string psk;           // Hexadecimal.
    bool insecure = false;
    bool require_ocsp = false;
    bool use_os_certs = false;

    bool operator==(const BridgeTls&) const = default;
};

struct Bridge {
    std::string name;
    std::vector<BridgeAddress> addresses;
    std::vector<BridgeTopic> topics;

    BridgeVersion protocol_version = BridgeVersion::v311;
    StartType start_type = StartType::automatic;
    bool round_robin = false;
    bool try_private = true;
    bool attempt_unsubscribe = true;
    bool outgoing_retain = true;
    bool reload_immediately = false;  // bridge_reload_type
    bool clean_session = false;
    std::optional<bool> local_clean_session;  // Always set: as clean_session unless said.
    int idle_timeout_s = 60;
    int keepalive_s = 60;
    int restart_base_s = 5;
    int restart_cap_s = 30;
    int restart_stable_s = 0;
    int threshold = 10;
    std::uint32_t max_packet_size_bytes = 0;  // 0: no limit.
    std::uint16_t max_topic_alias = 10;
    std::optional<std::uint16_t> receive_maximum;  // None: max_inflight_messages.
    std::uint32_t session_expiry_interval_s = 0;

    std::string local_clientid;  // Empty: "local." and the remote client id.
    std::string local_username;
    std::string local_password;
    std::string remote_clientid;  // Empty: made from the host's name and `name`.
    std::string remote_username;
    std::string remote_password;

    bool notifications = true;
    bool notifications_local_only = false;
    std::string notification_topic;  // Empty: $SYS/broker/connection/<remote client id>/state.

    std::string bind_address;
    int tcp_keepalive_idle_s = 0;  // 0: off.
    int tcp_keepalive_interval_s = 0;
    int tcp_keepalive_count = 0;
    std::optional<int> tcp_user_timeout_ms;
    BridgeTls tls;

    bool operator==(const Bridge&) const = default;
};

}  // namespace config
