// A password_file: no text does harm, a line that is malformed is no user, and what is read comes
// out again.
#include <cstdlib>
#include <string>

#include "auth/access_file.h"
#include "auth/password_table.h"

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

void check_line(const auth::PasswordTable& table, std::string_view line) {
    if (!auth::is_record(line)) return;
    const std::string_view user = auth::user_of(line);
    const auth::PasswordTable::Found found = table.find(user);
    require(found.is_user && auth::judge_password_user(user).empty());
    const auto again = auth::MosquittoHash::parse(found.hash.to_text());
    require(again && again->to_text() == found.hash.to_text());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (!auth::has_crypto) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto table = auth::PasswordTable::parse(text, "file");
    if (!table) {
        require(table.error().starts_with("file:"));
        return 0;
    }
    auth::for_each_line(text,
                        [&](std::string_view line, std::string_view) { check_line(*table, line); });
    return 0;
}
