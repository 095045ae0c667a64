#include "cli/option_table.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/assert.h"
#include "cli/parse_options.h"
#include "mqtt/topic.h"
#include "mqtt/utf8.h"

namespace cli {
namespace {

using mqtt::Qos;

constexpr std::uint8_t pub = static_cast<std::uint8_t>(Tool::pub);
constexpr std::uint8_t sub = static_cast<std::uint8_t>(Tool::sub);
constexpr std::uint8_t rr = static_cast<std::uint8_t>(Tool::rr);
constexpr std::uint8_t all = pub | sub | rr;

// As atoi() reads: leading digits count, nonsense is 0. Scripts depend on it.
int number_of(std::string_view text) {
    const std::string copy(text);
    const long value = std::strtol(copy.c_str(), nullptr, 10);
    return static_cast<int>(std::clamp<long>(value, -2'147'483'647, 2'147'483'647));
}

double real_of(std::string_view text) {
    return std::strtod(std::string(text).c_str(), nullptr);
}

std::string quoted(int value) {
    return "\"" + std::to_string(value) + "\"";
}

OptionError set_source(ToolOptions& options, MessageSource source) {
    if (options.source != MessageSource::none) {
        return "Error: Only one type of message can be sent at once.\n\n";
    }
    options.source = source;
    return {};
}

OptionError set_message(ToolOptions& options, std::string_view value) {
    if (OptionError error = set_source(options, MessageSource::argument); !error.empty()) {
        return error;
    }
    if (value.size() > mqtt::remaining_length_max) {
        return "Error: Message length must be less than 268435455 bytes.\n\n";
    }
    options.message = value;
    return {};
}

OptionError set_file(ToolOptions& options, std::string_view value) {
    options.file = value;
    return set_source(options, MessageSource::file);
}

OptionError set_count(ToolOptions& options, std::string_view value) {
    options.message_count = number_of(value);
    if (options.message_count >= 1) return {};
    return "Error: Invalid message count " + quoted(options.message_count) + ".\n\n";
}

OptionError set_timeout(ToolOptions& options, std::string_view value) {
    options.timeout_s = number_of(value);
    if (options.timeout_s >= 1) return {};
    return "Error: Invalid timeout " + quoted(options.timeout_s) + ".\n\n";
}

OptionError set_format(ToolOptions& options, std::string_view value) {
    options.output.format = value;
    return check_format(value);
}

OptionError set_id(ToolOptions& options, std::string_view value) {
    if (options.client_id_prefix) return "Error: -i and -I argument cannot be used together.\n\n";
    options.client_id = value;
    return {};
}

OptionError set_id_prefix(ToolOptions& options, std::string_view value) {
    if (options.client_id) return "Error: -i and -I argument cannot be used together.\n\n";
    options.client_id_prefix = value;
    return {};
}

OptionError set_keep_alive(ToolOptions& options, std::string_view value) {
    const int seconds = number_of(value);
    if (seconds < 5 || seconds > 65'535) {
        return "Error: Invalid keepalive given, it must be between 5 and 65535 inclusive.\n\n";
    }
    options.connection.keep_alive_s = static_cast<std::uint16_t>(seconds);
    return {};
}

OptionError set_in_flight(ToolOptions& options, std::string_view value) {
    const int count = number_of(value);
    if (count < 1) return "Error: Maximum inflight messages must be greater than 0.\n\n";
    options.connection.in_flight_max = static_cast<std::uint16_t>(std::min(count, 65'535));
    return {};
}

OptionError set_port(ToolOptions& options, std::string_view value) {
    options.port = number_of(value);
    if (*options.port >= 0 && *options.port <= 65'535) return {};
    return "Error: Invalid port given: " + std::to_string(*options.port) + "\n";
}

OptionError set_qos(ToolOptions& options, std::string_view value) {
    const int qos = number_of(value);
    if (qos < 0 || qos > 2) return "Error: Invalid QoS given: " + std::to_string(qos) + "\n";
    options.qos = static_cast<Qos>(qos);
    return {};
}

OptionError set_will_qos(ToolOptions& options, std::string_view value) {
    const int qos = number_of(value);
    if (qos < 0 || qos > 2) return "Error: Invalid will QoS " + std::to_string(qos) + ".\n\n";
    options.will_qos = static_cast<Qos>(qos);
    return {};
}

OptionError set_will_topic(ToolOptions& options, std::string_view value) {
    if (!mqtt::is_valid_utf8(value)) return "Error: Malformed UTF-8 in --will-topic argument.\n\n";
    if (!mqtt::is_valid_topic_name(value)) {
        return "Error: Invalid will topic '" + std::string(value) +
               "', does it contain '+' or '#'?\n";
    }
    options.will_topic = value;
    return {};
}

// -T and -U, which differ in their name only.
OptionError add_filter(std::vector<std::string>& filters, std::string_view value, char option,
                       std::string_view what) {
    if (!mqtt::is_valid_utf8(value)) {
        return std::string("Error: Malformed UTF-8 in -") + option + " argument.\n\n";
    }
    if (!mqtt::is_valid_topic_filter(value)) {
        return "Error: Invalid " + std::string(what) + " topic '" + std::string(value) +
               "', are all '+' and '#' wildcards correct?\n";
    }
    filters.emplace_back(value);
    return {};
}

OptionError set_random_filter(ToolOptions& options, std::string_view value) {
    options.output.random_filter = static_cast<int>(100.0 * real_of(value));
    if (options.output.random_filter <= 10'000 && options.output.random_filter >= 10) return {};
    return "Error: --random-filter chance must be between 0.1-100.0\n\n";
}

OptionError set_repeat(ToolOptions& options, std::string_view value) {
    options.repeat_count = number_of(value);
    return options.repeat_count < 1 ? "Error: --repeat argument must be >0.\n\n" : OptionError();
}

OptionError set_repeat_delay(ToolOptions& options, std::string_view value) {
    const double seconds = real_of(value);
    if (!(seconds >= 0)) return "Error: --repeat-delay argument must be >=0.0.\n\n";
    options.repeat_delay_ms = static_cast<std::uint64_t>(std::min(seconds, 1e9) * 1'000);
    return {};
}

OptionError set_retain_handling(ToolOptions& options, std::string_view value) {
    if (value == "always") {
        options.retain_handling = mqtt::RetainHandling::send;
    } else if (value == "new") {
        options.retain_handling = mqtt::RetainHandling::send_if_new;
    } else if (value == "never") {
        options.retain_handling = mqtt::RetainHandling::do_not_send;
    } else {
        return "Error: Unknown value '" + std::string(value) + "' for --retain-handling.\n\n";
    }
    return {};
}

OptionError set_version(ToolOptions& options, std::string_view value) {
    if (value == "mqttv31" || value == "31") {
        options.connection.version = mqtt::Version::v3_1;
    } else if (value == "mqttv311" || value == "311") {
        options.connection.version = mqtt::Version::v3_1_1;
    } else if (value == "mqttv5" || value == "5") {
        options.connection.version = mqtt::Version::v5;
    } else {
        return "Error: Invalid protocol version argument given.\n\n";
    }
    return {};
}

OptionError set_session_expiry(ToolOptions& options, std::string_view value) {
    options.connection.version = mqtt::Version::v5;
    if (value == "∞" || value == "infinity") {
        options.session_expiry_s = mqtt::session_never_expires;
        return {};
    }
    const std::string copy(value);
    char* end = nullptr;
    errno = 0;
    const long long seconds = std::strtoll(copy.c_str(), &end, 0);
    if (end == copy.c_str() || *end != '\0') {
        return "Error: session-expiry-interval not a number.\n\n";
    }
    if (errno != 0 || seconds < -1 || seconds > mqtt::session_never_expires) {
        return "Error: session-expiry-interval out of range.\n\n";
    }
    options.session_expiry_s = seconds == -1 ? mqtt::session_never_expires : seconds;
    return {};
}

OptionError refuse_proxy(ToolOptions& options, std::string_view value) {
    if (!value.starts_with("socks5h://")) {
        return "Error: Unsupported proxy protocol: " + std::string(value) + "\n";
    }
    if (options.unsupported.empty()) options.unsupported = "--proxy";
    return {};
}

// The head of a setter written in its row.
#define SETTER [[maybe_unused]] ToolOptions &options, [[maybe_unused]] std::string_view value
#define SET(STATEMENT)          \
    [](SETTER) -> OptionError { \
        STATEMENT;              \
        return {};              \
    }
#define RETURN(EXPRESSION) [](SETTER) -> OptionError { return EXPRESSION; }
// For what needs a part that is not built in: remembered, and refused once all is parsed.
#define NOT_BUILT_IN(NAME) SET(if (options.unsupported.empty()) options.unsupported = (NAME))

// clang-format off
constexpr OptionRow table[] = {
    {"-A", "", all, "no address specified", SET(options.bind_address = value), "ADDRESS",
     "connect from this local address"},
    {"-c", "--disable-clean-session", all, "", SET(options.connection.clean_start = false), "",
     "keep the session at the broker when the connection ends; needs -i"},
    {"-C", "", sub, "no count specified", set_count, "COUNT",
     "exit after this many messages"},
    {"-d", "--debug", all, "", SET(options.debug = true), "",
     "print each packet that is sent and received"},
    {"-D", "--property", all, "", nullptr, "COMMAND NAME VALUE",
     "add an MQTT 5 property to connect, publish, subscribe, unsubscribe, disconnect or will;\n"
     "user-property takes a key and a value; implies -V 5"},
    {"-e", "", rr, "no response topic specified", RETURN(add_topic(options, value, "-e")), "TOPIC",
     "the topic to wait on for the response"},
    {"-E", "", sub, "", SET(options.exit_after_subscribe = true), "",
     "exit as soon as the broker has acknowledged the subscriptions"},
    {"-f", "--file", pub | rr, "no file specified", set_file, "FILE",
     "send the content of a file as the message"},
    {"-F", "", sub | rr, "no format specified", set_format, "FORMAT",
     "how to print a message; see the manual page"},
    {"-h", "--host", all, "no host specified", SET(options.host = value), "HOST",
     "the broker to connect to; default localhost"},
    {"-i", "--id", all, "no id specified", set_id, "ID",
     "the client id; by default the broker gives one"},
    {"-I", "--id-prefix", all, "no id prefix specified", set_id_prefix, "PREFIX",
     "a client id of this prefix and the process id"},
    {"-k", "--keepalive", all, "no keepalive specified", set_keep_alive, "SECONDS",
     "ping the broker after this much silence; 5 to 65535, default 60"},
    {"-l", "--stdin-line", pub, "", RETURN(set_source(options, MessageSource::stdin_lines)), "",
     "send each line of standard input as a message"},
    {"-L", "--url", all, "no URL specified", RETURN(parse_url(options, value)), "URL",
     "all in one: mqtt(s)|ws(s)://[user[:password]@]host[:port]/topic"},
    {"--latency", "", rr, "", SET(options.measure_latency = true), "",
     "print how long the response took"},
    {"-m", "--message", pub | rr, "no message specified", set_message, "MESSAGE",
     "the message to send"},
    {"-M", "", all, "max_inflight not specified", set_in_flight, "COUNT",
     "how many QoS 1 and 2 messages may be on their way at once; default 20"},
    {"--message-rate", "", sub, "", SET(options.output.message_rate = true), "",
     "print how many messages came each second instead of the messages"},
    {"-n", "--null-message", pub | rr, "", RETURN(set_source(options, MessageSource::empty)), "",
     "send an empty message"},
    {"-N", "", sub | rr, "", SET(options.output.end_of_line = false), "",
     "no end of line after a message"},
    {"--nodelay", "", all, "", SET((void)0), "",
     "send small packets at once; nightjar always does"},
    {"--no-tls", "", all, "", SET(options.no_tls = true), "",
     "no TLS, even on port 8883"},
    {"-o", "", all, "no options file specified", SET((void)0), "FILE",
     "read options from this file first"},
    {"-p", "--port", all, "no port specified", set_port, "PORT",
     "the port to connect to; default 1883, with TLS 8883; 8883 means TLS"},
    {"-P", "--pw", all, "no password specified",
     SET(options.connection.password = std::string(value)), "PASSWORD", "the password"},
    {"--pretty", "", sub | rr, "", SET(options.output.pretty = true), "",
     "print JSON (%j, %J) over several lines"},
    {"-q", "--qos", all, "no QoS specified", set_qos, "QOS",
     "quality of service, 0, 1 or 2; default 0"},
    {"--quiet", "", all, "", SET(options.quiet = true), "", "print no errors of the connection"},
    {"-r", "--retain", pub, "", SET(options.retain = true), "", "have the broker keep the message"},
    {"-R", "", sub | rr, "", SET(options.no_retain = true; options.retain_handling = mqtt::RetainHandling::do_not_send), "",
     "ignore messages that the broker had kept"},
    {"--random-filter", "", sub, "no chance specified", set_random_filter, "PERCENT",
     "print only this share of the messages, 0.1 to 100, by chance"},
    {"--remove-retained", "", sub, "", SET(options.remove_retained = true), "",
     "remove each kept message that is received from the broker"},
    {"--repeat", "", pub, "no count specified", set_repeat, "COUNT", "send the message so often"},
    {"--repeat-delay", "", pub, "no time specified", set_repeat_delay, "SECONDS",
     "wait between repeats; a fraction is allowed"},
    {"--retain-as-published", "", sub | rr, "", SET(options.retain_as_published = true), "",
     "see the retain flag as the publisher set it (MQTT 5)"},
    {"--retain-handling", "", sub | rr, "no option specified", set_retain_handling, "WHEN",
     "want kept messages always, only for a new subscription, or never (MQTT 5)"},
    {"--retained-only", "", sub, "", SET(options.retained_only = true), "",
     "exit at the first message that the broker had not kept"},
    {"-s", "--stdin-file", pub | rr, "", RETURN(set_source(options, MessageSource::stdin_whole)), "",
     "send all of standard input as one message"},
    {"-S", "", all, "", NOT_BUILT_IN("-S"), "", "look the broker up by SRV record (not in this build)"},
    {"-t", "--topic", all, "no topic specified", RETURN(add_topic(options, value, "-t")), "TOPIC",
     "the topic; sub takes several, with wildcards"},
    {"-T", "--filter-out", sub, "no topic filter specified",
     RETURN(add_filter(options.filters_out, value, 'T', "filter")), "FILTER",
     "do not print messages of these topics"},
    {"-u", "--username", all, "no username specified",
     SET(options.connection.user_name = std::string(value)), "NAME", "the user name"},
    {"-U", "--unsubscribe", sub, "no unsubscribe topic specified",
     RETURN(add_filter(options.unsubscribe_topics, value, 'U', "unsubscribe")), "FILTER",
     "unsubscribe from this"},
    {"--unix", "", all, "no socket path specified", SET(options.unix_path = value), "PATH",
     "connect through a unix socket"},
    {"-v", "--verbose", sub | rr, "", SET(options.output.verbose = true), "",
     "print the topic before the message"},
    {"-V", "--protocol-version", all, "no version specified", set_version, "VERSION",
     "mqttv31, mqttv311 or mqttv5, or 31, 311, 5; default 311, and 5 for rr"},
    {"-w", "--watch", sub, "", SET(options.output.watch = true), "",
     "give each topic its own line of the screen"},
    {"-W", "", sub | rr, "no timeout specified", set_timeout, "SECONDS", "give up after this long"},
    {"--will-payload", "", all, "no will payload specified",
     SET(options.will_payload = std::string(value)), "MESSAGE", "the message of the will"},
    {"--will-qos", "", all, "no will QoS specified", set_will_qos, "QOS", "its QoS"},
    {"--will-retain", "", all, "", SET(options.will_retain = true), "", "have the broker keep the will"},
    {"--will-topic", "", all, "no will topic specified", set_will_topic, "TOPIC",
     "the topic that the broker publishes to when this client is lost"},
    {"-x", "", all, "no session expiry interval specified", set_session_expiry, "SECONDS",
     "how long the broker keeps the session after the end; -1 or infinity: for ever; implies -V 5"},
    {"--cafile", "", all, "no file specified", SET(options.tls.cafile = value), "FILE",
     "TLS: trust servers whose certificate is signed by an authority in this file (PEM)"},
    {"--capath", "", all, "no directory specified", SET(options.tls.capath = value), "DIRECTORY",
     "the same for a directory that openssl rehash has seen"},
    {"--cert", "", all, "no file specified", SET(options.tls.cert = value), "FILE",
     "our own certificate, with its chain (PEM), if the server asks for one"},
    {"--key", "", all, "no file specified", SET(options.tls.key = value), "FILE",
     "the key of --cert (PEM)"},
    {"--keyform", "", all, "no keyform specified", SET(options.keyform = value), "FORM",
     "pem; engine is not supported"},
    {"--ciphers", "", all, "no ciphers specified", SET(options.tls.ciphers = value), "LIST",
     "which ciphers TLS 1.2 may use, in OpenSSL's words"},
    {"--insecure", "", all, "", SET(options.insecure = true), "",
     "take a certificate that is for another host; not safe"},
    {"--tls-alpn", "", all, "no protocol specified", SET(options.tls.alpn = value), "PROTOCOL",
     "the protocol to ask for in the handshake (ALPN)"},
    {"--tls-engine", "", all, "no engine_id specified", NOT_BUILT_IN("--tls-engine"), "ENGINE", "an engine of OpenSSL (not in this build)"},
    {"--tls-engine-kpass-sha1", "", all, "no kpass sha1 specified", NOT_BUILT_IN("--tls-engine-kpass-sha1"), "SHA1", "an engine of OpenSSL (not in this build)"},
    {"--tls-keylog", "", all, "no file specified", NOT_BUILT_IN("--tls-keylog"), "FILE", "write the keys of TLS to a file (not in this build)"},
    {"--tls-use-os-certs", "", all, "", SET(options.tls.use_os_certs = true), "",
     "TLS: trust the authorities that this machine trusts"},
    {"--tls-version", "", all, "no version specified", SET(options.tls.version = value), "VERSION",
     "the lowest version, tlsv1.2 (default) or tlsv1.3"},
    {"--psk", "", all, "no key specified", SET(options.tls.psk = value), "KEY",
     "TLS with a pre-shared key, in hexadecimal"},
    {"--psk-identity", "", all, "no identity specified", SET(options.tls.psk_identity = value), "NAME",
     "the name of that key"},
    {"--ws", "", all, "", SET(options.web_socket = true), "",
     "MQTT in a WebSocket, at the path /mqtt"},
    {"--mptcp", "", all, "", NOT_BUILT_IN("--mptcp"), "", "Multipath TCP (not in this build)"},
    {"--proxy", "", all, "no proxy url specified", refuse_proxy, "URL", "SOCKS 5 proxy (not in this build)"},
    {"--help", "", all, "", nullptr, "", "print this"},
    {"--version", "", all, "", nullptr, "", "print the version"},
};
// clang-format on

}  // namespace

std::span<const OptionRow> option_table() {
    return table;
}

const OptionRow* find_option(Tool tool, std::string_view argument) {
    const auto* const found =
        std::find_if(std::begin(table), std::end(table), [&](const OptionRow& row) {
            return argument == row.name || (!row.long_name.empty() && argument == row.long_name);
        });
    if (found == std::end(table)) return nullptr;
    return (found->tools & static_cast<std::uint8_t>(tool)) != 0 ? found : nullptr;
}

}  // namespace cli
