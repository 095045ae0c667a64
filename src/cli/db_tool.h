// `nightjar db`: shows a store to a person. It changes nothing, so the broker may be at work on it.
#pragma once

#include <span>
#include <string>

namespace cli {

// `arguments` is what stands behind "db". Returns the exit code; what went wrong is on stderr.
int run_db(std::span<char*> arguments);

}  // namespace cli
