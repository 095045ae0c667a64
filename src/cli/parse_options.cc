#include "cli/parse_options.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cli/option_table.h"
#include "mqtt/topic.h"
#include "mqtt/utf8.h"

namespace cli {

using mqtt::Version;

namespace {

UsageError wrong(std::string text) {
    return {UsageError::Kind::wrong, std::move(text)};
}

// One option at the front of `arguments`; says how many arguments it took.
base::Result<std::size_t, UsageError> parse_one(ToolOptions& options,
                                                std::span<const std::string> arguments) {
    const std::string& name = arguments[0];
    const OptionRow* const row = find_option(options.tool, name);
    if (!row) return base::fail(wrong("Error: Unknown option '" + name + "'.\n"));
    if (row->name == "--help") return base::fail(UsageError{UsageError::Kind::help, {}});
    if (row->name == "--version") return base::fail(UsageError{UsageError::Kind::version, {}});
    if (row->name == "-D") {
        std::size_t used = 0;
        std::string error = parse_property(options, arguments.subspan(1), used);
        if (!error.empty()) return base::fail(wrong(std::move(error)));
        options.connection.version = Version::v5;
        return used + 1;
    }
    std::string_view value;
    if (!row->missing.empty()) {
        if (arguments.size() < 2) {
            // -V is the one option that is called by its long name when its value is missing.
            const std::string_view said = row->name == "-V" ? row->long_name : row->name;
            return base::fail(wrong("Error: " + std::string(said) + " argument given but " +
                                    std::string(row->missing) + ".\n\n"));
        }
        value = arguments[1];
    }
    std::string error = row->set(options, value);
    if (!error.empty()) return base::fail(wrong(std::move(error)));
    return std::size_t{row->missing.empty() ? 1U : 2U};
}

std::string parse_all(ToolOptions& options, std::span<const std::string> arguments,
                      UsageError::Kind& kind) {
    while (!arguments.empty()) {
        const auto used = parse_one(options, arguments);
        if (!used) {
            kind = used.error().kind;
            return used.error().text;
        }
        arguments = arguments.subspan(*used);
    }
    return {};
}

std::string check_session_expiry(ToolOptions& options) {
    const bool has_id = options.client_id && !options.client_id_prefix;
    if (options.connection.version != Version::v5) {
        if (options.connection.clean_start || has_id) return {};
        return "Error: You must provide a client id if you are using the -c option.\n";
    }
    if (!options.connection.clean_start && !options.session_expiry_s) {
        options.session_expiry_s = mqtt::session_never_expires;
    }
    const std::int64_t expiry = options.session_expiry_s.value_or(0);
    if (expiry == mqtt::session_never_expires && !has_id) {
        return "Error: You must provide a client id if you are using an infinite session expiry "
               "interval.\n";
    }
    if (expiry <= 0) return {};
    if (options.connection.session_expiry_s != 0 && options.property_error.empty()) {
        options.property_error =
            "Error in CONNECT properties: Duplicate property in property list\n";
    }
    options.connection.session_expiry_s = static_cast<std::uint32_t>(expiry);
    return {};
}

// What only the whole command line shows.
std::string check_together(ToolOptions& options) {
    if (options.will_payload && !options.will_topic) {
        return "Error: Will payload given, but no will topic given.\n";
    }
    if (options.will_retain && !options.will_topic) {
        return "Error: Will retain given, but no will topic given.\n";
    }
    if (!options.unsupported.empty()) {
        return "Error: " + options.unsupported + " is not supported yet by this build.\n";
    }
    std::string error = check_door(options);
    if (error.empty()) error = check_session_expiry(options);
    if (!error.empty()) return error;
    if (options.tool == Tool::sub && options.topics.empty() && options.unsubscribe_topics.empty()) {
        return "Error: You must specify a topic to subscribe to.\n";
    }
    return options.property_error;
}

// From the single options to what the session wants.
void complete(ToolOptions& options) {
    client::Options& connection = options.connection;
    if (options.client_id) connection.client_id = *options.client_id;
    if (options.client_id_prefix) {
        connection.client_id = *options.client_id_prefix + std::to_string(::getpid());
    }
    if (options.will_topic) {
        client::Will will;
        will.message.topic = *options.will_topic;
        will.message.payload = options.will_payload.value_or("");
        will.message.qos = options.will_qos;
        will.message.retain = options.will_retain;
        will.message.properties = options.will_properties;
        will.delay_s = options.will_delay_s;
        connection.will = std::move(will);
    }
    // So that the broker does not send more than will be printed.
    constexpr int usual_window = 20;
    const bool few = options.message_count > 0 && options.message_count < usual_window;
    if (connection.receive_maximum == client::Options{}.receive_maximum) {
        connection.receive_maximum =
            static_cast<std::uint16_t>(few ? options.message_count : usual_window);
    }
    connection.trace = options.debug;
}

}  // namespace

mqtt::Disconnect DisconnectProperties::packet(mqtt::ReasonCode reason) const {
    mqtt::Disconnect packet;
    packet.reason = reason;
    packet.session_expiry_s = session_expiry_s;
    if (reason_string) packet.reason_string = *reason_string;
    packet.user = user.view();
    return packet;
}

std::string default_options_path(Tool tool, const char* xdg_config_home, const char* home) {
    const char* const name = tool == Tool::pub   ? "/mosquitto_pub"
                             : tool == Tool::sub ? "/mosquitto_sub"
                                                 : "/mosquitto_rr";
    if (xdg_config_home) return std::string(xdg_config_home) + name;
    if (home) return std::string(home) + "/.config" + name;
    return {};
}

std::vector<std::vector<std::string>> options_file_lines(std::string_view text) {
    std::vector<std::vector<std::string>> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.starts_with('#')) continue;
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        if (line.empty()) continue;
        const std::size_t space = line.find(' ');
        lines.push_back({std::string(line.substr(0, space))});
        if (space == std::string_view::npos || space + 1 == line.size()) continue;
        lines.back().emplace_back(line.substr(space + 1));
    }
    return lines;
}

base::Result<std::string, UsageError> options_file_argument(
    std::span<const std::string> arguments) {
    std::string path;
    bool seen = false;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i] != "-o") continue;
        if (seen) return base::fail(wrong("Error: Duplicate -o argument given.\n\n"));
        if (i + 1 == arguments.size()) {
            return base::fail(wrong("Error: -o argument given but no options file specified.\n\n"));
        }
        seen = true;
        path = arguments[i + 1];
    }
    return path;
}

base::Result<ToolOptions, UsageError> parse_options(Tool tool, std::string_view program,
                                                    std::span<const std::string> arguments,
                                                    std::string_view file_text) {
    ToolOptions options;
    options.tool = tool;
    options.program = program;
    if (tool == Tool::rr) {
        options.connection.version = Version::v5;
        options.message_count = 1;
    }
    UsageError::Kind kind{};
    std::string error;
    for (const std::vector<std::string>& line : options_file_lines(file_text)) {
        error = parse_all(options, line, kind);
        if (!error.empty() || kind != UsageError::Kind::wrong) {
            return base::fail(UsageError{kind, error});
        }
    }
    error = parse_all(options, arguments, kind);
    if (error.empty() && kind == UsageError::Kind::wrong) error = check_together(options);
    if (!error.empty() || kind != UsageError::Kind::wrong) {
        return base::fail(UsageError{kind, error});
    }
    complete(options);
    return options;
}

std::string add_topic(ToolOptions& options, std::string_view topic, std::string_view argument) {
    const std::string text(topic);
    if (!mqtt::is_valid_utf8(topic)) {
        return "Error: Malformed UTF-8 in " + std::string(argument) + " argument.\n\n";
    }
    if (options.tool == Tool::sub) {
        const auto shared = mqtt::split_shared(topic);
        if (!(mqtt::is_shared(topic) ? shared.has_value() : mqtt::is_valid_topic_filter(topic))) {
            return "Error: Invalid subscription topic '" + text +
                   "', are all '+' and '#' wildcards correct?\n";
        }
        options.topics.push_back(text);
        return {};
    }
    const bool is_response = argument == "-e";
    if (!mqtt::is_valid_topic_name(topic)) {
        return std::string("Error: Invalid ") + (is_response ? "response" : "publish") +
               " topic '" + text + "', does it contain '+' or '#'?\n";
    }
    (is_response ? options.response_topic : options.topic) = text;
    return {};
}

std::string parse_url(ToolOptions& options, std::string_view url) {
    struct Scheme {
        std::string_view prefix;
        int port;
        bool is_tls;
        bool is_web_socket;
    };
    constexpr Scheme schemes[] = {{"mqtt://", 1883, false, false},
                                  {"mqtts://", 8883, true, false},
                                  {"ws://", 1883, false, true},
                                  {"wss://", 8883, true, true}};
    const auto same = [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); };
    const auto* const scheme =
        std::find_if(std::begin(schemes), std::end(schemes), [&](const Scheme& one) {
            return url.size() >= one.prefix.size() &&
                   std::equal(one.prefix.begin(), one.prefix.end(), url.begin(), same);
        });
    if (scheme == std::end(schemes)) return "Error: unsupported URL scheme.\n\n";
    options.uses_tls = scheme->is_tls;
    options.web_socket = scheme->is_web_socket;
    options.port = scheme->port;
    url.remove_prefix(scheme->prefix.size());

    const std::size_t slash = url.find('/');
    if (slash == std::string_view::npos) {
        return "Error: Invalid URL for -L argument specified - topic missing.\n";
    }
    std::string error = add_topic(options, url.substr(slash + 1), "-L topic");
    if (!error.empty()) return error;
    url = url.substr(0, slash);
    if (const std::size_t at = url.find('@'); at != std::string_view::npos) {
        const std::string_view credentials = url.substr(0, at);
        const std::size_t colon = credentials.find(':');
        options.connection.user_name = std::string(credentials.substr(0, colon));
        if (colon != std::string_view::npos) {
            options.connection.password = std::string(credentials.substr(colon + 1));
        }
        url.remove_prefix(at + 1);
    }
    // "[::1]:1883" has colons of its own.
    const std::size_t host_end = url.starts_with('[') ? url.find(']') : 0;
    if (const std::size_t colon = url.find(':', host_end); colon != std::string_view::npos) {
        options.port = std::atoi(std::string(url.substr(colon + 1)).c_str());
        if (*options.port < 0 || *options.port > 65'535) {
            return "Error: Invalid port given: " + std::to_string(*options.port) + "\n";
        }
        url = url.substr(0, colon);
    }
    if (url.starts_with('[') && url.ends_with(']')) url = url.substr(1, url.size() - 2);
    options.host = url;
    return {};
}

}  // namespace cli
