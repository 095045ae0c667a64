// The one table of options that pub, sub and rr share: it parses, and it writes the help.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/tool_options.h"

namespace cli {

// Why an option was refused, as it goes to standard error; empty if it was not.
using OptionError = std::string;

struct OptionRow {
    std::string_view name;       // "-h", or "--cafile" if there is no short one.
    std::string_view long_name;  // "--host", or empty.
    std::uint8_t tools = 0;      // Which tools know it: Tool values, added.
    // What is missing if no value follows, as in "no host specified"; empty: it takes no value.
    std::string_view missing;
    OptionError (*set)(ToolOptions& options, std::string_view value) = nullptr;
    std::string_view value_name;  // For the help.
    std::string_view help;
};

std::span<const OptionRow> option_table();
// The row that `argument` names for this tool, or null.
const OptionRow* find_option(Tool tool, std::string_view argument);

}  // namespace cli
