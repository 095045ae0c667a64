// What would become of a client, which need not be there: nightjar ctl explain.
#pragma once

#include <span>

#include "admin/controls.h"
#include "config/config.h"
#include "server/access.h"
#include "server/door.h"

namespace server {

// `doors` are those that are open, in the order of the configuration; all outlives the answer.
// Thread: shard 0's, also for `done`.
void explain(const admin::Question& question, std::span<Door* const> doors,
             const config::Config& config, Access& access, const admin::OnExplanation& done);

}  // namespace server
