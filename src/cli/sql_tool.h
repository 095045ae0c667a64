// `nightjar sql`: the users of the database that a configuration file names.
#pragma once

#include <span>
#include <string>

namespace cli {

// `arguments` is what stands behind "sql". Returns the exit code; what went wrong is on stderr.
int run_sql(std::span<char*> arguments);

std::string sql_usage();

}  // namespace cli
