// One place where clients come in: a `listener` line and the options that follow it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/http_auth.h"
#include "config/network.h"
#include "config/sql_auth.h"

namespace config {

enum class Protocol { mqtt, websockets, http_api };
enum class SocketDomain { both, ipv4, ipv6 };

struct AcceptedVersions {
    bool v31 = true;
    bool v311 = true;
    bool v5 = true;

    bool operator==(const AcceptedVersions&) const = default;
};

// The options that per_listener_settings moves from the file to the listener.
// Users who show a JSON Web Token; the files say whose signatures count.
struct JwtAuth {
    std::string secret_file;
    std::string key_file;
    std::string jwks_file;
    std::string username_claim = "sub";
    std::string issuer;
    std::string audience;
    std::string acl_claim;  // Empty: tokens have no rules.
    std::uint32_t leeway_s = 0;
    bool disconnect_on_expiry = true;

    bool is_on() const { return !secret_file.empty() || !key_file.empty() || !jwks_file.empty(); }
    bool operator==(const JwtAuth&) const = default;
};

struct Security {
    std::optional<bool> allow_anonymous;
    bool allow_zero_length_clientid = true;
    std::string auto_id_prefix = "auto-";
    std::string password_file;
    std::string acl_file;
    std::string psk_file;
    std::string scram_file;
    SqlAuth sql;
    JwtAuth jwt;
    HttpAuth http;

    bool operator==(const Security&) const = default;
};

// Encryption, as the file says it.
struct Tls {
    std::string cafile;
    std::string capath;
    std::string certfile;
    std::string keyfile;
    std::string ciphers;
    std::string ciphers_tls13;
    std::string crlfile;
    std::string engine;
    std::string engine_kpass_sha1;
    std::string keyform;
    std::string version;
    std::string psk_hint;
    bool require_certificate = false;
    bool use_identity_as_username = false;
    bool use_subject_as_username = false;
    bool disable_client_cert_date_checks = false;

    bool is_on() const { return !certfile.empty() || !psk_hint.empty(); }
    bool operator==(const Tls&) const = default;
};

struct Listener {
    std::uint16_t port = 1883;
    std::string host;       // Address or name; empty: every address of this machine.
    std::string unix_path;  // Not empty: a unix socket, and port is 0.
    std::string bind_interface;
    SocketDomain socket_domain = SocketDomain::both;
    Protocol protocol = Protocol::mqtt;

    // Not empty: the server must not open this listener, because it asks for something that would
    // otherwise leave a door open (TLS that is not there), and logs this sentence.
    std::string unavailable_because;

    // Who may come in: resolved from the file, the listener and per_listener_settings.
    bool allow_anonymous = false;
    bool allow_zero_length_clientid = true;
    std::string auto_id_prefix = "auto-";

    int max_connections = -1;     // -1: no limit.
    int max_connection_rate = 0;  // New ones a second; 0: no limit.
    int max_handshakes = 1024;    // At once; 0: no limit.
    int max_message_rate = 0;     // PUBLISH packets of one client a second; 0: no limit.
    int max_byte_rate = 0;        // Bytes that one client sends a second; 0: no limit.
    std::uint8_t max_qos = 2;
    std::uint16_t max_topic_alias = 10;         // Aliases that clients may use towards us.
    std::uint16_t max_topic_alias_broker = 10;  // Aliases that we use towards clients.
    std::string mount_point;                    // Put before each topic; empty: none.
    AcceptedVersions versions;                  // accept_protocol_versions
    bool use_username_as_clientid = false;

    std::string http_dir;
    std::vector<std::string> websockets_origins;
    int enable_proxy_protocol = 0;  // 0: off, else the version.
    bool proxy_protocol_v2_require_tls = false;
    std::vector<Network> proxy_protocol_trusted;  // Empty: whoever connects is believed.
    Tls tls;

    std::vector<std::string> plugin_names;  // plugin_use

    // What the lines said, before it was resolved into the members above.
    Security security;
    std::optional<bool> listener_allow_anonymous;
    std::optional<std::string> listener_auto_id_prefix;

    bool operator==(const Listener&) const = default;
};

}  // namespace config
