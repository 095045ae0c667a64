// The setters of users whom a service is asked for over HTTP.
#pragma once

#include "config/draft.h"
#include "config/words.h"

namespace config {

// auth_http_KEY.
Outcome set_http_option(Draft& draft, Words& words);
// What is missing, or does not fit together.
Outcome check_http(const HttpAuth& http);

}  // namespace config
