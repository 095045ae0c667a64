// From a command line and an options file to ToolOptions. Prints nothing.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/tool_options.h"

namespace cli {

struct UsageError {
    enum class Kind : std::uint8_t {
        wrong,    // `text` says what; then point at --help.
        help,     // --help was given.
        version,  // --version was given.
    };
    Kind kind = Kind::wrong;
    std::string text;
};

// Where the defaults of a tool are read from if no -o is given; the two texts are the values of
// XDG_CONFIG_HOME and HOME, null if unset. Empty: nowhere.
std::string default_options_path(Tool tool, const char* xdg_config_home, const char* home);

// The lines of an options file, each an option and perhaps the rest of the line as its value.
// Lines that start with '#' are comments.
std::vector<std::vector<std::string>> options_file_lines(std::string_view text);

// `arguments` are those after the tool's name; `file_text` is an options file's content, which
// they overrule.
base::Result<ToolOptions, UsageError> parse_options(Tool tool, std::string_view program,
                                                    std::span<const std::string> arguments,
                                                    std::string_view file_text = {});

// The value of the last but one rule: -o FILE among the arguments; an error if given twice or
// without a file.
base::Result<std::string, UsageError> options_file_argument(std::span<const std::string> arguments);

// -D COMMAND IDENTIFIER VALUE (or KEY VALUE); `arguments` starts at the command, and `used` says
// how many were taken. Empty if all is well, else the error's text.
std::string parse_property(ToolOptions& options, std::span<const std::string> arguments,
                           std::size_t& used);

// -L; sets host, port, user name, password and topic.
std::string parse_url(ToolOptions& options, std::string_view url);
// Whether the options of TLS, WebSocket and unix sockets fit together; settles uses_tls, port and
// whom to trust. The error's text, or nothing.
std::string check_door(ToolOptions& options);
// -t, -e or the topic of -L, which `argument` names.
std::string add_topic(ToolOptions& options, std::string_view topic, std::string_view argument);

// Checks what -F says; the error's text, or nothing.
std::string check_format(std::string_view format);

}  // namespace cli
