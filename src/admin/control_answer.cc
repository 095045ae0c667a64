#include "admin/control_answer.h"

#include <nlohmann/json.hpp>

#include "admin/control_request.h"

namespace admin {
namespace {

using nlohmann::ordered_json;

// Files and databases may have bytes that are no UTF-8.
std::string line_of(const ordered_json& object) {
    return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

ordered_json to_json(const broker::Ruling& ruling) {
    ordered_json object{{"allowed", ruling.is_allowed}, {"because", ruling.because}};
    if (!ruling.remedy.empty()) object["remedy"] = ruling.remedy;
    return object;
}

}  // namespace

std::string refusal_line(std::string_view error) {
    return line_of({{"ok", false}, {"error", error}});
}

std::string to_line(const ReloadOutcome& outcome) {
    ordered_json object{{"ok", outcome.error.empty()}};
    if (!outcome.error.empty()) object["error"] = outcome.error;
    object["changed"] = outcome.changed;
    object["needs_restart"] = outcome.needs_restart;
    object["warnings"] = outcome.warnings;
    return line_of(object);
}

std::string to_line(const Status& status) {
    return line_of({{"ok", true},
                    {"version", status.version},
                    {"uptime_s", status.uptime_s},
                    {"threads", status.threads},
                    {"clients_connected", status.clients_connected},
                    {"sessions", status.sessions},
                    {"subscriptions", status.subscriptions},
                    {"listeners", status.listeners}});
}

std::string to_line(const Explanation& explanation) {
    return line_of({{"ok", true},
                    {"allowed", explanation.login.is_allowed && explanation.rights.is_allowed},
                    {"listener", explanation.listener},
                    {"client", explanation.client_id},
                    {"login", to_json(explanation.login)},
                    {"rights", to_json(explanation.rights)}});
}

void answer(std::string_view line, Controls& controls,
            const std::function<void(std::string line)>& done) {
    const auto request = parse_request(line);
    if (!request) return done(refusal_line("Error: " + request.error() + "."));
    switch (request->command) {
        case ControlRequest::Command::reload:
            return done(to_line(controls.reload()));
        case ControlRequest::Command::status:
            return done(to_line(controls.status()));
        case ControlRequest::Command::explain:
            return controls.explain(request->question,
                                    [done](const base::Result<Explanation, std::string>& found) {
                                        done(found ? to_line(*found) : refusal_line(found.error()));
                                    });
    }
}

}  // namespace admin
