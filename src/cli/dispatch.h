// Which part of nightjar a command line means.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "cli/tool_options.h"

namespace cli {

struct ToolCall {
    Tool tool{};
    std::string program;         // "mosquitto_pub" or "nightjar pub".
    std::span<char*> arguments;  // Behind the tool's name.
};

// By the name the program was started with (a symlink mosquitto_sub), or by its first argument;
// nothing: no tool is meant. `args` is the whole command line and outlives the answer.
std::optional<ToolCall> find_tool(std::span<char*> args);
// The arguments of `nightjar WORD`; nothing: it is not meant.
std::optional<std::span<char*>> find_word(std::span<char*> args, std::string_view word);
// True for `nightjar help` and `nightjar --help`.
bool wants_help(std::span<char*> args);
std::string overview_text();

}  // namespace cli
