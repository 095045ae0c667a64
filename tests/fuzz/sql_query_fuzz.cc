// Queries of the configuration: as many parameters in the text as there are values to bind, and
// none in the text that was not.
#include <cstdlib>
#include <string>

#include "auth/sql_query.h"

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr auth::SqlArgument asked[] = {auth::SqlArgument::user_name, auth::SqlArgument::access};
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto query = auth::SqlQuery::parse(text, asked);
    if (!query) {
        require(!query.error().empty());
        return 0;
    }
    const auto count = query->arguments().size();
    for (std::size_t number = 1; number <= count; ++number) {
        require(query->text().find(" :v" + std::to_string(number) + " ") != std::string::npos);
    }
    require(query->text().size() <= auth::SqlQuery::bytes_max + 6 * count);
    return 0;
}
