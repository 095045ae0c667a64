// nightjar: the broker, or one of its tools.
#include <cstdio>
#include <span>

#include "cli/broker_command.h"
#include "cli/ctl_tool.h"
#include "cli/db_tool.h"
#include "cli/dispatch.h"
#include "cli/passwd_tool.h"
#include "cli/sql_tool.h"
#include "cli/tools.h"

int main(int argc, char** argv) {
    const std::span<char*> args(argv, static_cast<std::size_t>(argc));
    if (const auto call = cli::find_tool(args)) {
        return cli::run_tool(call->tool, call->program, call->arguments);
    }
    if (const auto arguments = cli::find_word(args, "ctl")) return cli::run_ctl(*arguments);
    if (const auto arguments = cli::find_word(args, "passwd")) return cli::run_passwd(*arguments);
    if (const auto arguments = cli::find_word(args, "db")) return cli::run_db(*arguments);
    if (const auto arguments = cli::find_word(args, "sql")) return cli::run_sql(*arguments);
    if (cli::wants_help(args)) {
        std::fputs(cli::overview_text().c_str(), stdout);
        return 0;
    }
    return cli::run_broker(args);
}
