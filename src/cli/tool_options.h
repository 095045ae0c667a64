// What the command lines of pub, sub and rr say, once they are understood.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/options.h"
#include "mqtt/disconnect.h"
#include "net/tls_context.h"

namespace cli {

enum class Tool : std::uint8_t { pub = 1, sub = 2, rr = 4 };

// Where the message to publish comes from.
enum class MessageSource : std::uint8_t { none, argument, file, stdin_whole, stdin_lines, empty };

// How received messages are printed.
struct OutputOptions {
    std::optional<std::string> format;  // -F; already checked.
    bool verbose = false;
    bool end_of_line = true;
    bool pretty = false;
    bool watch = false;
    bool message_rate = false;
    int random_filter = 10'000;  // Of ten thousand messages, how many are printed.
};

// Properties of a DISCONNECT, owned.
struct DisconnectProperties {
    std::optional<std::uint32_t> session_expiry_s;
    std::optional<std::string> reason_string;
    client::UserProperties user;

    // Lives as long as this object.
    mqtt::Disconnect packet(mqtt::ReasonCode reason) const;
};

struct ToolOptions {
    Tool tool = Tool::pub;
    std::string program;  // As it should be called in messages: "mosquitto_pub", "nightjar pub".

    // The connection.
    std::string host = "localhost";
    std::optional<int> port;
    std::string bind_address;
    client::Options connection;
    std::optional<std::string> client_id;
    std::optional<std::string> client_id_prefix;
    std::optional<std::int64_t> session_expiry_s;  // -x.
    std::string unsupported;  // The first option given that needs a part which is not built in.

    // The door; TLS and port are settled once the whole command line is read.
    std::string unix_path;
    bool web_socket = false;
    bool uses_tls = false;
    bool no_tls = false;
    bool insecure = false;  // The certificate may be for any host.
    std::string keyform;
    net::TlsClientOptions tls;

    // Messages going out.
    std::optional<std::string> topic;
    std::optional<std::string> response_topic;
    mqtt::Qos qos = mqtt::Qos::at_most_once;
    bool retain = false;
    MessageSource source = MessageSource::none;
    std::string message;
    std::string file;
    int repeat_count = 1;
    std::uint64_t repeat_delay_ms = 0;
    bool has_topic_alias = false;
    client::Message publish;  // Its properties and topic alias, by -D publish.

    // Messages coming in.
    std::vector<std::string> topics;
    std::vector<std::string> filters_out;
    std::vector<std::string> unsubscribe_topics;
    bool no_local = false;
    bool retain_as_published = false;
    mqtt::RetainHandling retain_handling = mqtt::RetainHandling::send;
    std::uint32_t subscription_id = 0;
    client::UserProperties subscribe_user;
    client::UserProperties unsubscribe_user;
    bool no_retain = false;
    bool retained_only = false;
    bool remove_retained = false;
    bool exit_after_subscribe = false;
    int message_count = 0;  // 0 = without end.
    int timeout_s = 0;      // 0 = none.
    OutputOptions output;

    // The will; used if will_topic is given.
    std::optional<std::string> will_topic;
    std::optional<std::string> will_payload;
    mqtt::Qos will_qos = mqtt::Qos::at_most_once;
    bool will_retain = false;
    std::uint32_t will_delay_s = 0;
    client::MessageProperties will_properties;

    DisconnectProperties disconnect;
    // What is wrong with the properties of a command: found when they are read, told when the
    // rest of the command line is known to be right. Empty: nothing.
    std::string property_error;

    bool debug = false;
    bool quiet = false;
    bool measure_latency = false;
};

}  // namespace cli
