#include "server/outside_users.h"

namespace server {

void print_figures(base::Log& log, const std::string& what, std::string_view questions,
                   const OutsideFigures& figures) {
    const auto& [logins, server, refused, waiting] = figures;
    const std::uint64_t average = server.asked == 0 ? 0 : server.microseconds / server.asked;
    log.print(base::LogType::notice,
              "SIGUSR1: {}: {} logins, {} by the cache, {} refused by it, {} by old answers; {} {} "
              "of {} us, {} errors, {} not asked, {} refused, {} wait; {} clients known.",
              what, logins.logins, logins.cached, logins.negative, logins.stale, server.asked,
              questions, average, server.errors, server.not_asked, refused, waiting,
              logins.clients);
}

}  // namespace server
