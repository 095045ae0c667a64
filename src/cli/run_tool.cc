// What the three tools do before and around their work: options, help, input.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "cli/option_table.h"
#include "cli/parse_options.h"
#include "cli/tools.h"
#include "mqtt/types.h"

namespace cli {
namespace {

void print_error(const std::string& text) {
    std::fputs(text.c_str(), stderr);
}

std::optional<std::string> read_stream(std::FILE* stream) {
    std::string text;
    char buffer[65'536];
    while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, stream)) {
        text.append(buffer, size);
        if (text.size() > mqtt::remaining_length_max) {
            print_error("Error: Message length must be less than 268435455 bytes.\n");
            return std::nullopt;
        }
    }
    if (text.empty()) {
        print_error("Error: Zero length input.\n");
        return std::nullopt;
    }
    return text;
}

std::optional<std::string> read_file(const std::string& path) {
    std::FILE* const file = std::fopen(path.c_str(), "rb");
    if (!file) {
        print_error("Error: Unable to open file \"" + path + "\".\n");
        return std::nullopt;
    }
    std::optional<std::string> text = read_stream(file);
    std::fclose(file);
    return text;
}

// Nothing if the file is not there: mosquitto's tools go on without one.
std::string read_options_file(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

base::Result<ToolOptions, UsageError> read_options(Tool tool, const std::string& program,
                                                   std::span<const std::string> arguments) {
    auto path = options_file_argument(arguments);
    if (!path) return base::fail(path.error());
    if (path->empty()) {
        *path = default_options_path(tool, std::getenv("XDG_CONFIG_HOME"), std::getenv("HOME"));
    }
    return parse_options(tool, program, arguments, read_options_file(*path));
}

// MQTT 3.1 has no empty client id.
std::string random_client_id() {
    constexpr std::string_view letters =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::random_device random;
    std::string id = "mosq-";
    constexpr int size = 18;
    for (int i = 0; i < size; ++i) id += letters[random() % letters.size()];
    return id;
}

int usage_error(const UsageError& error, Tool tool, const std::string& program) {
    switch (error.kind) {
        case UsageError::Kind::help:
            std::fputs(usage_text(tool, program).c_str(), stdout);
            break;
        case UsageError::Kind::version:
            std::printf("%s version %s (nightjar).\n", program.c_str(), NIGHTJAR_VERSION);
            break;
        case UsageError::Kind::wrong:
            print_error(error.text + "\nUse '" + program + " --help' to see usage.\n");
    }
    return exit_failed;  // Also for --help and --version: scripts know it so.
}

}  // namespace

std::optional<std::string> load_message(const ToolOptions& options) {
    if (options.source == MessageSource::file) {
        std::optional<std::string> text = read_file(options.file);
        if (!text) print_error("Error loading input file \"" + options.file + "\".\n");
        return text;
    }
    if (options.source == MessageSource::stdin_whole) {
        std::optional<std::string> text = read_stream(stdin);
        if (!text) print_error("Error loading input from stdin.\n");
        return text;
    }
    return options.message;
}

int run_tool(Tool tool, const std::string& program, std::span<char*> arguments) {
    const std::vector<std::string> texts(arguments.begin(), arguments.end());
    base::Result<ToolOptions, UsageError> options = read_options(tool, program, texts);
    if (!options) return usage_error(options.error(), tool, program);
    client::Options& connection = options->connection;
    const bool is_v5 = connection.version == mqtt::Version::v5;
    if (!is_v5 && connection.password && !connection.user_name) {  // [MQTT-3.1.2-22] of 3.1.1
        print_error("Error: Problem setting username and/or password.\n");
        return exit_failed;
    }
    if (connection.version == mqtt::Version::v3_1 && connection.client_id.empty()) {
        connection.client_id = random_client_id();
    }
    switch (tool) {
        case Tool::pub:
            return run_pub(*options);
        case Tool::sub:
            return run_sub(*options);
        case Tool::rr:
            break;
    }
    return run_rr(*options);
}

std::string usage_text(Tool tool, const std::string& program) {
    const char* const what = tool == Tool::pub   ? "publishes a message"
                             : tool == Tool::sub ? "subscribes to topics and prints their messages"
                                                 : "publishes a request and prints the response";
    const char* const synopsis =
        tool == Tool::pub ? "[-h HOST] [-p PORT] -t TOPIC {-m MESSAGE | -f FILE | -l | -n | -s}"
        : tool == Tool::sub
            ? "[-h HOST] [-p PORT] -t FILTER..."
            : "[-h HOST] [-p PORT] -t TOPIC -e TOPIC {-m MESSAGE | -f FILE | -n | -s}";
    std::string text = program + " " + what + " (MQTT 3.1, 3.1.1 and 5.0).\n" + program +
                       " version " + NIGHTJAR_VERSION + " (nightjar).\n\nUsage: " + program + " " +
                       synopsis + " [OPTION]...\n\n";
    for (const OptionRow& row : option_table()) {
        if ((row.tools & static_cast<std::uint8_t>(tool)) == 0) continue;
        text.append(" ").append(row.name);
        if (!row.long_name.empty()) text.append(", ").append(row.long_name);
        if (!row.value_name.empty()) text.append(" ").append(row.value_name);
        text += "\n      ";
        for (const char c : row.help) {
            text += c;
            if (c == '\n') text += "      ";
        }
        text += '\n';
    }
    return text;
}

}  // namespace cli
