// Password hashes of a database: whatever stands there, it does no harm and fits no password that
// it was not made of.
//
//     input := hash, NUL, salt
#include <algorithm>
#include <cstdlib>
#include <string>

#include "auth/crypto.h"
#include "auth/password_hash.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (!auth::has_crypto) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t end = std::min(text.find('\0'), text.size());
    const std::string_view hash = text.substr(0, end);
    const std::string_view salt = text.substr(std::min(end + 1, text.size()));
    // What is expensive by design would only slow the search down.
    if (hash.starts_with("$") && hash.find("rounds=") != std::string_view::npos) return 0;
    if (hash.starts_with("$2") && hash.find("$04$") == std::string_view::npos) return 0;
    if (hash.starts_with("$y$") || hash.starts_with("$argon2")) return 0;
    if (hash.starts_with("$7$") || hash.starts_with("PBKDF2")) {
        if (hash.find("$1$") == std::string_view::npos) return 0;
    }
    // No input holds a hash of this by chance.
    if (auth::verify_password({hash, salt}, "a password of the fuzzer") ==
        auth::PasswordMatch::right) {
        std::abort();
    }
    return 0;
}
