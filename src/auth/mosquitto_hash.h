// A password's hash as Mosquitto's password files have it:
//
//     $6$SALT$HASH                              SHA-512 of password and salt (1.6 and before)
//     $7$ITERATIONS$SALT$HASH                   PBKDF2 with SHA-512 (2.0)
//     $argon2id$v=19$m=KIB,t=PASSES,p=LANES$SALT$HASH   (2.1); needs libargon2
//
// with salt and hash in base 64, which argon2id has without padding.
//
// A value, immutable once made. make() and matches() take as long as the hash says, up to the
// limits: not for a shard's thread. Needs cryptography (auth/crypto.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/crypto.h"
#include "base/result.h"

namespace auth {

class MosquittoHash {
public:
    enum class Kind : std::uint8_t { sha512, pbkdf2, argon2id };

#ifdef NIGHTJAR_ARGON2
    static constexpr bool has_argon2 = true;
#else
    static constexpr bool has_argon2 = false;
#endif
    static constexpr std::uint32_t iterations_max = 10'000'000;
    static constexpr std::uint32_t argon2_kib_max = 262'144;
    static constexpr std::size_t salt_bytes_max = 1024;

    // Fails with what is wrong with it.
    static base::Result<MosquittoHash, std::string> parse(std::string_view text);
    // With a salt of its own. `iterations` are pbkdf2's; of argon2id it is the passes.
    static MosquittoHash make(Kind kind, base::Bytes password, std::uint32_t iterations);
    // As costly as this one, and of no password.
    MosquittoHash decoy() const;

    // Takes the same time wherever the two hashes differ.
    bool matches(base::Bytes password) const;
    std::string to_text() const;
    Kind kind() const {
        return kind_;
    }

private:
    struct Argon2Cost {
        std::uint32_t kib = 47'104;
        std::uint32_t passes = 1;
        std::uint32_t lanes = 1;
    };
    static base::Result<MosquittoHash, std::string> parse_argon2(std::string_view text);
    std::vector<std::uint8_t> hash_of(base::Bytes password) const;

    Kind kind_ = Kind::pbkdf2;
    std::uint32_t iterations_ = 0;
    Argon2Cost argon2_;
    std::vector<std::uint8_t> salt_;
    std::vector<std::uint8_t> hash_;
};

}  // namespace auth
