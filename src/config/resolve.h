// What the lines of a file mean together: the last step of parse().
#pragma once

#include "config/draft.h"
#include "config/parse.h"

namespace config {

// Checks what needs the whole file, then fills in what listeners inherit.
base::Result<Config, Error> resolve(Draft draft, const Options& options);

}  // namespace config
