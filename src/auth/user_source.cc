#include "auth/user_source.h"

#include <fmt/format.h>

namespace auth {

UserRuling ruling_of_file(std::string_view option, std::string_view file, bool has_user,
                          std::string_view user) {
    std::string name = fmt::format("{} {}", option, file);
    if (!has_user) return {.passes_on = true, .ruling = {.because = std::move(name)}};
    return {
        .ruling = {.is_allowed = true,
                   .because = fmt::format("user '{}' of {}, with the right password", user, name)}};
}

}  // namespace auth
