// Whether a password is the one that a hash was made of, whatever made it. The kind is read from
// the hash itself:
//
//     $argon2id$v=19$m=..,t=..,p=..$SALT$HASH     needs libargon2
//     $2a$ $2b$ $2y$ $5$ $6$ $y$                  crypt(3)
//     $6$SALT$HASH                                Mosquitto: SHA-512 of password and salt
//     $7$ITERATIONS$SALT$HASH                     Mosquitto: PBKDF2 with SHA-512
//     PBKDF2$sha256|sha512$ITERATIONS$SALT$HASH   mosquitto-auth-plug (the salt as it stands) and
//                                                 mosquitto-go-auth (in base 64)
//     32, 40, 64 or 128 hexadecimal digits        MD5, SHA-1, SHA-256, SHA-512; with a salt of its
//                                                 own, before the password or behind it
//     *40 hexadecimal digits                      MySQL's PASSWORD()
//
// It takes as long as the hash says, up to the limits below: not for a shard's thread. Hashes are
// compared in a time that does not tell where they differ. Threads: any.
#pragma once

#include <cstdint>
#include <string_view>

namespace auth {

// What a hash may ask of us, beside what MosquittoHash allows. One that asks for more is not read.
inline constexpr std::uint32_t pbkdf2_iterations_max = 10'000'000;
inline constexpr std::uint32_t bcrypt_cost_max = 16;
inline constexpr std::uint32_t sha_crypt_rounds_max = 1'000'000;

enum class PasswordMatch : std::uint8_t {
    right,
    wrong,
    unreadable,  // The hash is of no kind that we know, or asks for too much.
};

struct StoredPassword {
    std::string_view hash{};
    std::string_view salt{};    // Of the hashes that do not have it inside.
    bool may_be_plain = false;  // A hash of no kind is the password itself.
};

PasswordMatch verify_password(const StoredPassword& stored, std::string_view password);

}  // namespace auth
