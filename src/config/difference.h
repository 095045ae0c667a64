// What a reload (SIGHUP) would change: the names of the settings that differ between two configs.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace config {

// A setting is named as in the file; one of a listener as "max_connections (listener 1883)".
struct Difference {
    std::vector<std::string> reloadable;     // Take effect with the new config.
    std::vector<std::string> needs_restart;  // Keep their old value until the broker starts again.

    bool empty() const { return reloadable.empty() && needs_restart.empty(); }
};

Difference difference(const Config& running, const Config& wanted);

}  // namespace config
