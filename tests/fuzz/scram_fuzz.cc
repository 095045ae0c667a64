// SCRAM-SHA-256 and its file: nothing a client or a file says does harm, and nobody who does not
// know the password comes in.
//
//     input := size of the first message, first message, final message
//            | 0, file
#include <cstdlib>
#include <string>

#include "auth/access_file.h"
#include "auth/scram_table.h"

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

auth::ScramKeys some_keys() {
    auth::ScramKeys keys;
    keys.iterations = auth::scram_iterations_min;
    keys.salt.assign(16, 7);
    keys.stored_key.fill(1);  // Of no client key.
    return keys;
}

// What was said so far stands before the nonce, so that a final message can get past it.
void talk(std::string_view first, std::string_view final) {
    auth::ScramServer server("server");
    const auto user = server.read_first(first);
    if (!user) return;
    require(auth::is_prepared(*user));
    const std::string challenge = server.challenge(some_keys());
    const std::string nonce = challenge.substr(0, challenge.find(','));
    require(nonce.starts_with("r=") && nonce.ends_with("server"));
    require(!server.read_final(final));

    auth::ScramServer other("server");
    require(other.read_first(first).has_value());
    other.challenge(some_keys());
    require(!other.read_final("c=biws," + nonce + std::string(final)));
}

void read_file(std::string_view text) {
    const auto table = auth::ScramTable::parse(text, "file");
    if (!table) return require(table.error().starts_with("file:"));
    const std::string with = auth::with_user(text, "fuzz", some_keys());
    const auto more = auth::ScramTable::parse(with, "file");
    require(more && more->find("fuzz") != nullptr);
    require(more->size() == table->size() + (table->find("fuzz") ? 0U : 1U));
    const auto without = auth::without_user(with, "fuzz");
    require(without.has_value());
    const auto less = auth::ScramTable::parse(*without, "file");
    require(less && less->size() == more->size() - 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || !auth::has_crypto) return 0;
    const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
    if (data[0] == 0) {
        read_file(text);
        return 0;
    }
    const std::string_view first = std::string_view(text).substr(0, data[0]);
    talk(first, std::string_view(text).substr(first.size()));
    return 0;
}
