// `nightjar passwd`: users of a password_file or scram_file, with the flags of mosquitto_passwd.
#pragma once

#include <span>
#include <string>

namespace cli {

// `arguments` is what stands behind "passwd". Returns the exit code; what went wrong is on stderr.
int run_passwd(std::span<char*> arguments);

std::string passwd_usage();

}  // namespace cli
