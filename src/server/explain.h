// What would become of a client, which need not be there: nightjar ctl explain.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "admin/controls.h"
#include "config/config.h"
#include "server/access.h"
#include "server/door.h"

namespace server {

// What rights of its own the login of a client that there is has brought it; nothing: none, or
// there is no such client. Answers on shard 0's thread.
using OnOwnRights = std::function<void(std::optional<broker::Ruling>)>;
using AskOwnRights = std::function<void(const broker::Inquiry&, const OnOwnRights&)>;

// Who is asked.
struct Judges {
    const config::Config& config;
    Access& access;
    AskOwnRights ask_own;
};

// `doors` are those that are open, in the order of the configuration; all outlives the answer.
// Thread: shard 0's, also for `done`.
void explain(const admin::Question& question, std::span<Door* const> doors, const Judges& judges,
             const admin::OnExplanation& done);

}  // namespace server
