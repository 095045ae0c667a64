#include "auth/mosquitto_hash.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "auth/base64.h"
#include "base/assert.h"

#ifdef NIGHTJAR_ARGON2
#include <argon2.h>
#endif

namespace auth {
namespace {

using Kind = MosquittoHash::Kind;

constexpr std::size_t new_salt_bytes = 12;  // What Mosquitto's before 2.1 reads.
constexpr std::size_t new_argon2_salt_bytes = 16;
constexpr std::size_t argon2_salt_bytes_min = 8;
constexpr std::size_t argon2_hash_bytes_min = 4;
constexpr std::uint32_t argon2_passes_max = 100;
constexpr std::uint32_t argon2_lanes_max = 16;

// What is before the next `end`, which is taken off as well.
std::string_view take_until(std::string_view& text, char end) {
    const std::size_t size = std::min(text.find(end), text.size());
    const std::string_view part = text.substr(0, size);
    text.remove_prefix(std::min(size + 1, text.size()));
    return part;
}

std::optional<std::uint32_t> read_number(std::string_view text, std::uint32_t max) {
    std::uint32_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
    if (!is_whole || value == 0 || value > max) return std::nullopt;
    return value;
}

// The values of "m=47104,t=1,p=1".
bool read_cost(std::string_view text, std::string_view name, std::uint32_t max,
               std::uint32_t& value) {
    if (!text.starts_with(name)) return false;
    const auto read = read_number(text.substr(name.size()), max);
    value = read.value_or(0);
    return read.has_value();
}

std::string without_padding(std::string text) {
    while (text.ends_with('=')) text.pop_back();
    return text;
}

std::optional<std::vector<std::uint8_t>> decode_unpadded(std::string_view text) {
    if (text.ends_with('=')) return std::nullopt;
    std::string padded(text);
    while (padded.size() % 4 != 0) padded += '=';
    return decode_base64(padded);
}

auto fail(std::string why) {
    return base::fail(std::move(why));
}

}  // namespace

base::Result<MosquittoHash, std::string> MosquittoHash::parse(std::string_view text) {
    if (text.starts_with("$argon2id$")) return parse_argon2(text.substr(10));
    MosquittoHash made;
    if (text.starts_with("$6$")) {
        made.kind_ = Kind::sha512;
        text.remove_prefix(3);
    } else if (text.starts_with("$7$")) {
        text.remove_prefix(3);
        const auto iterations = read_number(take_until(text, '$'), iterations_max);
        if (!iterations) return fail(fmt::format("iterations must be 1 to {}", iterations_max));
        made.iterations_ = *iterations;
    } else {
        return fail("it is no hash of the kinds $6$, $7$ and $argon2id$");
    }
    auto salt = decode_base64(take_until(text, '$'));
    if (!salt || salt->empty() || salt->size() > salt_bytes_max) {
        return fail(fmt::format("the salt is not 1 to {} bytes in base 64", salt_bytes_max));
    }
    auto hash = decode_base64(text);
    if (!hash || hash->size() != LongDigest().size()) {
        return fail("the hash is not 64 bytes in base 64");
    }
    made.salt_ = std::move(*salt);
    made.hash_ = std::move(*hash);
    return made;
}

base::Result<MosquittoHash, std::string> MosquittoHash::parse_argon2(std::string_view text) {
    if (!has_argon2) return fail("this build has no libargon2 to read $argon2id$ with");
    MosquittoHash made;
    made.kind_ = Kind::argon2id;
    if (take_until(text, '$') != "v=19") return fail("only version 19 of argon2id is known");
    std::string_view cost = take_until(text, '$');
    if (!read_cost(take_until(cost, ','), "m=", argon2_kib_max, made.argon2_.kib) ||
        !read_cost(take_until(cost, ','), "t=", argon2_passes_max, made.argon2_.passes) ||
        !read_cost(cost, "p=", argon2_lanes_max, made.argon2_.lanes) ||
        made.argon2_.kib < 8 * made.argon2_.lanes) {
        return fail(
            fmt::format("the cost of argon2id is m=KIB,t=PASSES,p=LANES, at most {}, {} "
                        "and {}",
                        argon2_kib_max, argon2_passes_max, argon2_lanes_max));
    }
    auto salt = decode_unpadded(take_until(text, '$'));
    if (!salt || salt->size() < argon2_salt_bytes_min || salt->size() > salt_bytes_max) {
        return fail(fmt::format("the salt is not {} to {} bytes in base 64 without padding",
                                argon2_salt_bytes_min, salt_bytes_max));
    }
    auto hash = decode_unpadded(text);
    if (!hash || hash->size() < argon2_hash_bytes_min || hash->size() > salt_bytes_max) {
        return fail(fmt::format("the hash is not {} to {} bytes in base 64 without padding",
                                argon2_hash_bytes_min, salt_bytes_max));
    }
    made.salt_ = std::move(*salt);
    made.hash_ = std::move(*hash);
    return made;
}

MosquittoHash MosquittoHash::make(Kind kind, base::Bytes password, std::uint32_t iterations) {
    MosquittoHash made;
    made.kind_ = kind;
    made.iterations_ = iterations;
    if (kind == Kind::argon2id) made.argon2_.passes = iterations;
    made.salt_ = random_bytes(kind == Kind::argon2id ? new_argon2_salt_bytes : new_salt_bytes);
    made.hash_.resize(kind == Kind::argon2id ? Digest().size() : LongDigest().size());
    made.hash_ = made.hash_of(password);
    return made;
}

MosquittoHash MosquittoHash::decoy() const {
    MosquittoHash made = *this;
    made.salt_ = random_bytes(salt_.size());
    made.hash_ = random_bytes(hash_.size());
    return made;
}

// As long as hash_ is.
std::vector<std::uint8_t> MosquittoHash::hash_of(base::Bytes password) const {
#ifdef NIGHTJAR_ARGON2
    if (kind_ == Kind::argon2id) {
        std::vector<std::uint8_t> hash(hash_.size());
        const int error = argon2id_hash_raw(argon2_.passes, argon2_.kib, argon2_.lanes,
                                            password.data(), password.size(), salt_.data(),
                                            salt_.size(), hash.data(), hash.size());
        // Out of memory: then nobody's password is right.
        if (error != ARGON2_OK) hash.clear();
        return hash;
    }
#endif
    const LongDigest digest = kind_ == Kind::sha512 ? sha512(password, salt_)
                                                    : pbkdf2_sha512(password, salt_, iterations_);
    return {digest.begin(), digest.end()};
}

bool MosquittoHash::matches(base::Bytes password) const {
    return is_equal_secret(hash_of(password), hash_);
}

std::string MosquittoHash::to_text() const {
    const std::string salt = encode_base64(salt_);
    const std::string hash = encode_base64(hash_);
    switch (kind_) {
        case Kind::sha512:
            return fmt::format("$6${}${}", salt, hash);
        case Kind::pbkdf2:
            return fmt::format("$7${}${}${}", iterations_, salt, hash);
        default:
            return fmt::format("$argon2id$v=19$m={},t={},p={}${}${}", argon2_.kib, argon2_.passes,
                               argon2_.lanes, without_padding(salt), without_padding(hash));
    }
}

}  // namespace auth
