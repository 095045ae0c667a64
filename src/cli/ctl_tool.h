// `nightjar ctl`: asks a running broker at its control socket.
#pragma once

#include <span>

namespace cli {

// `arguments` is what stands behind "ctl". Returns the exit code; what went wrong is on stderr.
int run_ctl(std::span<char*> arguments);

}  // namespace cli
