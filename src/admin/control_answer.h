// Answers at the control socket: for each request a JSON object on a line of its own.
//
//     {"ok": true, ...}     {"ok": false, "error": "a sentence"}
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "admin/controls.h"

namespace admin {

// Each with the end of its line.
std::string refusal_line(std::string_view error);
std::string to_line(const ReloadOutcome& outcome);
std::string to_line(const Status& status);
std::string to_line(const Explanation& explanation);

// Does what a line asks for, whatever it is. `done` gets the answer once, at once or later, or
// never if the broker ends before.
void answer(std::string_view line, Controls& controls,
            const std::function<void(std::string line)>& done);

}  // namespace admin
