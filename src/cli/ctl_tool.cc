#include "cli/ctl_tool.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/parse.h"
#include "net/client_socket.h"

namespace cli {
namespace {

using nlohmann::json;
using Outcome = base::Result<void, std::string>;

constexpr int exit_no = 1;
constexpr int exit_wrong_use = 3;
constexpr const char* default_socket = "/run/nightjar/control.sock";
// A reload reads files, and a database may not answer.
constexpr int patience_ms = 60'000;
constexpr std::size_t answer_bytes_max = std::size_t{16} << 20;

struct CtlOptions {
    std::optional<std::string> socket;
    std::optional<std::string> file;  // Where control_socket stands.
    std::optional<std::string> user;
    std::optional<std::string> client;
    std::optional<std::string> address;
    std::optional<std::string> listener;
    bool json = false;
    bool help = false;
    std::vector<std::string> words;
};

base::Result<std::string, std::string> find_socket(const CtlOptions& options) {
    if (options.socket) return *options.socket;
    if (!options.file) return std::string(default_socket);
    config::Options source;
    source.file = *options.file;
    auto config = config::parse(source);
    if (!config) return base::fail(config::to_string(config.error()));
    if (!config->control_socket.empty()) return config->control_socket;
    return base::fail(fmt::format(
        "Error: {} has no control_socket. Add 'control_socket {}' and restart the broker, or "
        "reload it with SIGHUP.",
        *options.file, default_socket));
}

json request_of(const CtlOptions& options) {
    json request{{"command", options.words[0]}};
    if (options.words[0] != "explain") return request;
    request["action"] = options.words[1] == "read" ? "receive" : options.words[1];
    request["topic"] = options.words[2];
    const auto add = [&](const char* key, const std::optional<std::string>& value) {
        if (value) request[key] = *value;
    };
    add("user", options.user);
    add("client", options.client);
    add("address", options.address);
    add("listener", options.listener);
    return request;
}

Outcome send(net::ClientSocket& socket, std::string_view line) {
    base::Bytes rest = base::as_bytes(line);
    while (!rest.empty()) {
        const auto written = socket.write(rest);
        if (!written) return base::fail(written.error());
        rest = rest.subspan(*written);
        if (!rest.empty()) (void)socket.wait(patience_ms, true);
    }
    return {};
}

// One line.
base::Result<std::string, std::string> receive(net::ClientSocket& socket) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::milliseconds(patience_ms);
    std::string text;
    std::array<std::uint8_t, 4096> buffer{};
    while (text.find('\n') == std::string::npos) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
        if (left.count() <= 0) {
            return base::fail(fmt::format("no answer in {} s", patience_ms / 1000));
        }
        (void)socket.wait(static_cast<int>(left.count()));
        const auto count = socket.read(buffer);
        if (!count) return base::fail(count.error());
        text.append(base::as_text(base::Bytes(buffer).first(*count)));
        const bool is_whole = text.find('\n') != std::string::npos;
        if (!is_whole && (socket.at_end() || text.size() > answer_bytes_max)) {
            return base::fail(
                std::string("it closed the connection without an answer; more "
                            "connections than it takes may be open"));
        }
    }
    return text.substr(0, text.find('\n'));
}

base::Result<std::string, std::string> ask(const std::string& path, const json& request) {
    auto socket = net::ClientSocket::connect_unix(path);
    if (!socket) {
        return base::fail(
            fmt::format("Error: {}. A broker with this control_socket has to run, "
                        "and only root and the broker's user may ask it.",
                        socket.error()));
    }
    const std::string line = request.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    const auto sent = send(*socket, line);
    auto answer = sent ? receive(*socket) : base::fail(sent.error());
    if (answer) return answer;
    return base::fail(fmt::format("Error: {}: {}. It may have more connections than it takes.",
                                  path, answer.error()));
}

// ---- What is printed

// Of an answer, which is the broker's: if it is another version's, a text may be missing.
std::string text_of(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end()) return {};
    return found->is_string() ? found->get<std::string>()
                              : found->dump(-1, ' ', false, json::error_handler_t::replace);
}

bool is_true(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}

template <typename Each>
void for_each_text(const json& object, const char* key, Each&& each) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_array()) return;
    for (const json& element : *found) {
        if (element.is_string()) each(element.get_ref<const std::string&>());
    }
}

int print_reload(const json& answer) {
    std::size_t changes = 0;
    for_each_text(answer, "warnings", [](const std::string& text) { fmt::print("{}\n", text); });
    for_each_text(answer, "changed", [&](const std::string& name) {
        fmt::print("changed: {}\n", name);
        ++changes;
    });
    for_each_text(answer, "needs_restart", [&](const std::string& name) {
        fmt::print("needs a restart: {}\n", name);
        ++changes;
    });
    fmt::print("The configuration is reloaded{}.\n",
               changes == 0 ? ", and the files that it names; no option has changed" : "");
    return 0;
}

int print_status(const json& answer) {
    fmt::print("nightjar version {}\n", text_of(answer, "version"));
    fmt::print("up for {} s, {} threads\n", text_of(answer, "uptime_s"),
               text_of(answer, "threads"));
    fmt::print("{} clients connected, {} sessions, {} subscriptions\n",
               text_of(answer, "clients_connected"), text_of(answer, "sessions"),
               text_of(answer, "subscriptions"));
    for_each_text(answer, "listeners",
                  [](const std::string& place) { fmt::print("listener: {}\n", place); });
    return 0;
}

void print_ruling(std::string_view what, const json& answer, const char* key) {
    const json ruling = answer.value(key, json::object());
    fmt::print("{}: {}: {}\n", what, is_true(ruling, "allowed") ? "allowed" : "denied",
               text_of(ruling, "because"));
    const std::string remedy = text_of(ruling, "remedy");
    if (!remedy.empty()) fmt::print("    would be allowed by: {}\n", remedy);
}

int print_explanation(const CtlOptions& options, const json& answer) {
    fmt::print("listener: {}\nclient: {}\n", text_of(answer, "listener"),
               text_of(answer, "client"));
    print_ruling("login", answer, "login");
    print_ruling(fmt::format("{} {}", options.words[1], options.words[2]), answer, "rights");
    return is_true(answer, "allowed") ? 0 : exit_no;
}

int print(const CtlOptions& options, const std::string& line) {
    const json answer = json::parse(line, nullptr, false);
    const bool is_ok = answer.is_object() && is_true(answer, "ok");
    const bool is_denied = is_ok && options.words[0] == "explain" && !is_true(answer, "allowed");
    if (options.json) {
        fmt::print("{}\n", line);
        return is_ok && !is_denied ? 0 : exit_no;
    }
    if (!is_ok) {
        const bool is_object = answer.is_object();
        fmt::print(stderr, "{}\n",
                   is_object ? text_of(answer, "error") : "Error: the answer is no JSON object.");
        return exit_no;
    }
    if (options.words[0] == "reload") return print_reload(answer);
    if (options.words[0] == "status") return print_status(answer);
    return print_explanation(options, answer);
}

// ---- What is asked for

std::string usage() {
    return fmt::format(
        "nightjar ctl asks a running broker at its control_socket.\n\n"
        "Usage: nightjar ctl [--socket PATH | -c FILE] [--json] reload\n"
        "       nightjar ctl [--socket PATH | -c FILE] [--json] status\n"
        "       nightjar ctl [--socket PATH | -c FILE] [--json] explain [-u USER] [-i CLIENT]\n"
        "                    [-a ADDRESS] [-l LISTENER] publish|subscribe|receive TOPIC\n\n"
        " -a, --address  : where the client comes from; default 127.0.0.1.\n"
        " -c             : the broker's configuration file, which names the socket.\n"
        " -i, --id       : the client's id; default nightjar-ctl.\n"
        " -l, --listener : the port, or path, that it comes in by; default: the first one.\n"
        " -u, --username : the user's name; without one the client is anonymous.\n"
        " --json         : print the broker's answer as it is, a JSON object.\n"
        " --socket       : default {}.\n\n"
        "reload reads the configuration file again, and says what has changed, or why nothing "
        "has.\n"
        "explain says whether a client would be let in and may do it, which line, row or option\n"
        "decides, and what would allow it. It exits with 1 if the answer is no.\n",
        default_socket);
}

struct Flag {
    std::string_view name;
    std::optional<std::string> CtlOptions::*value;
};
constexpr std::array<Flag, 10> flags{{
    {"-a", &CtlOptions::address},
    {"--address", &CtlOptions::address},
    {"-c", &CtlOptions::file},
    {"-i", &CtlOptions::client},
    {"--id", &CtlOptions::client},
    {"-l", &CtlOptions::listener},
    {"--listener", &CtlOptions::listener},
    {"--socket", &CtlOptions::socket},
    {"-u", &CtlOptions::user},
    {"--username", &CtlOptions::user},
}};

Outcome read_word(std::string_view word, CtlOptions& options) {
    if (word == "--json") {
        options.json = true;
    } else if (word == "-h" || word == "--help") {
        options.help = true;
    } else if (word.starts_with('-')) {
        return base::fail(fmt::format("Error: Unknown option '{}'.", word));
    } else {
        options.words.emplace_back(word);
    }
    return {};
}

Outcome judge(const CtlOptions& options) {
    const auto fail = [](std::string why) { return base::fail("Error: " + std::move(why)); };
    if (options.words.empty()) return fail("reload, status or explain is needed.");
    const std::string& command = options.words[0];
    if (command != "reload" && command != "status" && command != "explain") {
        return fail(fmt::format("there is no command '{}'.", command));
    }
    const bool asks_about_a_client =
        options.user || options.client || options.address || options.listener;
    if (command != "explain" && asks_about_a_client) {
        return fail(fmt::format("-a, -i, -l and -u are for explain, not for {}.", command));
    }
    if (options.words.size() != (command == "explain" ? 3 : 1)) {
        return fail(command == "explain"
                        ? "explain takes publish, subscribe or receive, and a topic."
                        : fmt::format("{} takes no other words.", command));
    }
    if (options.socket && options.file) return fail("--socket or -c, not both.");
    return {};
}

base::Result<CtlOptions, std::string> parse(std::span<char*> arguments) {
    CtlOptions options;
    while (!arguments.empty()) {
        const std::string_view word = arguments[0];
        const auto* const flag = std::ranges::find(flags, word, &Flag::name);
        if (flag == flags.end()) {
            if (auto read = read_word(word, options); !read) return base::fail(read.error());
        } else if (arguments.size() == 1) {
            return base::fail(fmt::format("Error: {} needs a value.", word));
        } else {
            options.*(flag->value) = arguments[1];
        }
        arguments = arguments.subspan(flag == flags.end() ? 1 : 2);
    }
    if (options.help) return options;
    if (auto judged = judge(options); !judged) return base::fail(std::move(judged.error()));
    return options;
}

base::Result<std::string, std::string> ask(const CtlOptions& options) {
    const auto path = find_socket(options);
    if (!path) return base::fail(path.error());
    return ask(*path, request_of(options));
}

}  // namespace

int run_ctl(std::span<char*> arguments) {
    const auto options = parse(arguments);
    if (!options) {
        fmt::print(stderr, "{}\nUse 'nightjar ctl --help' to see usage.\n", options.error());
        return exit_wrong_use;
    }
    if (options->help) {
        fmt::print("{}", usage());
        return 0;
    }
    const auto answer = ask(*options);
    if (answer) return print(*options, *answer);
    fmt::print(stderr, "{}\n", answer.error());
    return exit_no;
}

}  // namespace cli
