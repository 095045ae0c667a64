// `nightjar` without a tool's name: the broker, with Mosquitto's flags and exit codes.
#pragma once

#include <span>

namespace cli {

// `args` is the whole command line, the program's name first. Returns the exit code: 0, 1 if
// something could not be opened, 3 if the flags or the configuration are wrong.
int run_broker(std::span<char*> args);

}  // namespace cli
