// A password from who sits at the terminal, or a line of standard input.
#pragma once

#include <string>

#include "base/result.h"

namespace cli {

// Shows nothing of what is typed. Fails with a sentence.
base::Result<std::string, std::string> ask_password(const char* prompt);
// The same, typed twice.
base::Result<std::string, std::string> ask_password_twice();

}  // namespace cli
