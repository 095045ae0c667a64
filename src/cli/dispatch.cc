#include "cli/dispatch.h"

#include <string_view>

namespace cli {
namespace {

struct ToolRow {
    Tool tool;
    std::string_view name;
    std::string_view alias;
    std::string_view help;
};
constexpr ToolRow tools[] = {
    {Tool::pub, "pub", "mosquitto_pub", "publish a message"},
    {Tool::sub, "sub", "mosquitto_sub", "subscribe to topics and print their messages"},
    {Tool::rr, "rr", "mosquitto_rr", "publish a request and print the response"},
};

}  // namespace

std::optional<ToolCall> find_tool(std::span<char*> args) {
    if (args.empty()) return std::nullopt;
    std::string_view base = args[0];
    base.remove_prefix(base.rfind('/') + 1);
    for (const ToolRow& row : tools) {
        if (base == row.alias) return ToolCall{row.tool, std::string(base), args.subspan(1)};
        if (args.size() > 1 && args[1] == row.name) {
            return ToolCall{row.tool, "nightjar " + std::string(row.name), args.subspan(2)};
        }
    }
    return std::nullopt;
}

std::optional<std::span<char*>> find_word(std::span<char*> args, std::string_view word) {
    if (args.size() < 2 || word != args[1]) return std::nullopt;
    return args.subspan(2);
}

bool wants_help(std::span<char*> args) {
    if (args.size() < 2) return false;
    const std::string_view word = args[1];
    return word == "help";
}

std::string overview_text() {
    std::string text =
        "nightjar is an MQTT broker; it also has the tools to talk to one.\n\n"
        "  nightjar [-c CONFIG] [-p PORT] [-v] ...\n      run the broker\n";
    for (const ToolRow& row : tools) {
        text.append("  nightjar ").append(row.name).append(" ...\n      ").append(row.help);
        text.append(" (also when started as ").append(row.alias).append(")\n");
    }
    text += "  nightjar ctl ...\n      reload a running broker, or ask it who may do what\n";
    text += "  nightjar passwd ...\n      edit the users of a password_file or scram_file\n";
    text += "  nightjar sql ...\n      make and look at users in an SQL database\n";
    text += "  nightjar db ...\n      look into the broker's store\n";
    return text +
           "\nnightjar --help lists the flags of the broker; each tool has its own --help.\n";
}

}  // namespace cli
