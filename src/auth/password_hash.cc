#include "auth/password_hash.h"

#ifdef NIGHTJAR_OPENSSL

#include <crypt.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/base64.h"
#include "auth/mosquitto_hash.h"
#include "base/assert.h"

namespace auth {
namespace {

using enum PasswordMatch;
using Octets = std::vector<std::uint8_t>;

constexpr std::size_t derived_bytes_max = 128;
constexpr std::size_t hash_bytes_max = 1024;

PasswordMatch match_if(bool is_right) {
    return is_right ? right : wrong;
}

bool is_equal(base::Bytes one, base::Bytes other) {
    return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

std::optional<std::uint32_t> read_number(std::string_view text) {
    std::uint32_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

// "a$b$c" is a, b, c.
std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = std::min(text.find('$'), text.size());
        parts.push_back(text.substr(0, end));
        if (end == text.size()) return parts;
        text.remove_prefix(end + 1);
    }
}

Octets digest(const EVP_MD* kind, std::string_view first, std::string_view second) {
    Octets out(static_cast<std::size_t>(EVP_MD_get_size(kind)));
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    ASSERT(context && EVP_DigestInit_ex(context.get(), kind, nullptr) == 1 &&
           EVP_DigestUpdate(context.get(), first.data(), first.size()) == 1 &&
           EVP_DigestUpdate(context.get(), second.data(), second.size()) == 1 &&
           EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1);
    return out;
}

struct Pbkdf2 {
    const EVP_MD* kind = nullptr;
    std::uint32_t iterations = 0;
    Octets hash{};
};

bool derives(const Pbkdf2& terms, std::string_view password, base::Bytes salt) {
    Octets out(terms.hash.size());
    ASSERT(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                             static_cast<int>(salt.size()), static_cast<int>(terms.iterations),
                             terms.kind, static_cast<int>(out.size()), out.data()) == 1);
    return is_equal(out, terms.hash);
}

std::optional<Pbkdf2> read_pbkdf2(const EVP_MD* kind, std::string_view iterations,
                                  std::string_view hash) {
    const auto count = read_number(iterations);
    auto octets = decode_base64(hash);
    if (kind == nullptr || !count || *count == 0 || *count > pbkdf2_iterations_max || !octets ||
        octets->empty() || octets->size() > derived_bytes_max) {
        return std::nullopt;
    }
    return Pbkdf2{kind, *count, std::move(*octets)};
}

// PBKDF2$sha256$901$salt$hash. Which of the two forms the salt has it does not say.
PasswordMatch verify_pbkdf2(std::string_view hash, std::string_view password) {
    const auto parts = split(hash);
    if (parts.size() != 5) return unreadable;
    const EVP_MD* const kind = parts[1] == "sha256"   ? EVP_sha256()
                               : parts[1] == "sha512" ? EVP_sha512()
                                                      : nullptr;
    const auto terms = read_pbkdf2(kind, parts[2], parts[4]);
    if (!terms) return unreadable;
    if (derives(*terms, password, base::as_bytes(parts[3]))) return right;
    const auto salt = decode_base64(parts[3]);
    return match_if(salt && derives(*terms, password, *salt));
}

PasswordMatch verify_mosquitto(std::string_view hash, std::string_view password) {
    const auto made = MosquittoHash::parse(hash);
    return made ? match_if(made->matches(base::as_bytes(password))) : unreadable;
}

// $6$salt$hash of Mosquitto; crypt(3) has a `$6$` too, whose hash has another length.
bool is_mosquitto_6(std::string_view hash) {
    const auto parts = split(hash);
    return parts.size() == 4 && parts[1] == "6" && parts[3].size() == 88;
}

bool costs_too_much(std::string_view setting) {
    const auto parts = split(setting);
    if (parts.size() < 3) return true;
    if (setting.starts_with("$2")) {
        const auto cost = read_number(parts[2]);
        return !cost || *cost > bcrypt_cost_max;
    }
    constexpr std::string_view rounds = "rounds=";
    if (!parts[2].starts_with(rounds)) return false;
    const auto count = read_number(parts[2].substr(rounds.size()));
    return !count || *count > sha_crypt_rounds_max;
}

PasswordMatch verify_crypt(const std::string& hash, const std::string& password) {
    if (costs_too_much(hash)) return unreadable;
    if (password.find('\0') != std::string::npos) return wrong;  // It would end there.
    const auto scratch = std::make_unique<crypt_data>();
    const char* const made = crypt_r(password.c_str(), hash.c_str(), scratch.get());
    if (made == nullptr || *made == '*') {
        return password.size() >= CRYPT_MAX_PASSPHRASE_SIZE ? wrong : unreadable;
    }
    return match_if(is_equal(base::as_bytes(made), base::as_bytes(hash)));
}

std::optional<Octets> read_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    Octets out(text.size() / 2);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const char* const at = text.data() + 2 * i;
        const auto read = std::from_chars(at, at + 2, out[i], 16);
        if (read.ec != std::errc() || read.ptr != at + 2) return std::nullopt;
    }
    return out;
}

const EVP_MD* kind_of_size(std::size_t bytes) {
    switch (bytes) {
        case 16:
            return EVP_md5();
        case 20:
            return EVP_sha1();
        case 32:
            return EVP_sha256();
        case 64:
            return EVP_sha512();
        default:
            return nullptr;
    }
}

// Which side of the password the salt stands on nobody says; without one both are the same.
std::optional<PasswordMatch> verify_hex(const StoredPassword& stored, std::string_view password) {
    const auto want = read_hex(stored.hash);
    const EVP_MD* const kind = want ? kind_of_size(want->size()) : nullptr;
    if (kind == nullptr) return std::nullopt;
    return match_if(is_equal(digest(kind, stored.salt, password), *want) ||
                    is_equal(digest(kind, password, stored.salt), *want));
}

// MySQL's PASSWORD(): "*" and SHA-1 of SHA-1.
PasswordMatch verify_mysql(std::string_view hash, std::string_view password) {
    const auto want = read_hex(hash.substr(1));
    if (!want) return unreadable;
    const Octets once = digest(EVP_sha1(), password, {});
    return match_if(is_equal(digest(EVP_sha1(), base::as_text(once), {}), *want));
}

bool is_crypt(std::string_view hash) {
    constexpr std::string_view prefixes[] = {"$2a$", "$2b$", "$2y$", "$5$", "$6$", "$y$"};
    return std::any_of(std::begin(prefixes), std::end(prefixes),
                       [&](std::string_view prefix) { return hash.starts_with(prefix); });
}

std::optional<PasswordMatch> verify_by_kind(const StoredPassword& stored,
                                            std::string_view password) {
    const std::string_view hash = stored.hash;
    if (hash.starts_with("PBKDF2$")) return verify_pbkdf2(hash, password);
    if (hash.starts_with("$argon2id$") || hash.starts_with("$7$") || is_mosquitto_6(hash)) {
        return verify_mosquitto(hash, password);
    }
    if (is_crypt(hash)) return verify_crypt(std::string(hash), std::string(password));
    if (hash.size() == 41 && hash.front() == '*') return verify_mysql(hash, password);
    return verify_hex(stored, password);
}

}  // namespace

PasswordMatch verify_password(const StoredPassword& stored, std::string_view password) {
    // The length comes from a table that is not ours, and is to fit what libraries take.
    if (stored.hash.empty() || stored.hash.size() > hash_bytes_max) return unreadable;
    if (const auto match = verify_by_kind(stored, password)) return *match;
    if (!stored.may_be_plain) return unreadable;
    return match_if(is_equal(base::as_bytes(stored.hash), base::as_bytes(password)));
}

}  // namespace auth

#else

namespace auth {

PasswordMatch verify_password(const StoredPassword&, std::string_view) {
    return PasswordMatch::unreadable;
}

}  // namespace auth

#endif
