// The command-line tools pub, sub and rr: mosquitto_pub, mosquitto_sub and mosquitto_rr.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "cli/tool_loop.h"
#include "cli/tool_options.h"

namespace cli {

// Runs a tool; the exit code. `program` is how the user called it, for messages.
int run_tool(Tool tool, const std::string& program, std::span<char*> arguments);

int run_pub(const ToolOptions& options);
int run_sub(const ToolOptions& options);
int run_rr(const ToolOptions& options);

// The help text, from the option table.
std::string usage_text(Tool tool, const std::string& program);

// What pub and rr send: from -m, -n, -f or -s. Nothing if it cannot be read; the error is printed.
std::optional<std::string> load_message(const ToolOptions& options);

}  // namespace cli
