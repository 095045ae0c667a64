// One key that JSON Web Tokens are signed with, and whether it has signed one (RFC 7515, 7518).
//
// A key is for one algorithm, which is a matter of the key alone: a token that names another one
// is not asked about. Immutable once made; threads: any. Needs cryptography (auth/crypto.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

struct evp_pkey_st;

namespace auth {

enum class JwtAlgorithm : std::uint8_t { hs256, rs256, es256 };

// "HS256", ...; nothing for all others, "none" among them.
std::optional<JwtAlgorithm> find_jwt_algorithm(std::string_view name);
std::string_view name_of(JwtAlgorithm algorithm);

class JwtKey {
public:
    // As RFC 7518 has it: not shorter than what the algorithm needs.
    static constexpr std::size_t secret_bytes_min = 32;
    static constexpr int rsa_bits_min = 2048;

    // Each fails with a sentence without its end.
    static base::Result<JwtKey, std::string> from_secret(base::Bytes secret);
    // A public key, RSA or on the curve P-256.
    static base::Result<JwtKey, std::string> from_pem(std::string_view pem);
    static base::Result<JwtKey, std::string> from_rsa(base::Bytes modulus, base::Bytes exponent);
    static base::Result<JwtKey, std::string> from_p256(base::Bytes x, base::Bytes y);

    JwtAlgorithm algorithm() const { return algorithm_; }
    bool has_signed(std::string_view text, base::Bytes signature) const;

private:
    struct Freed {
        void operator()(evp_pkey_st* key) const;
    };
    using PublicKey = std::unique_ptr<evp_pkey_st, Freed>;

    static base::Result<JwtKey, std::string> from_public(PublicKey key);
    static base::Result<JwtKey, std::string> from_parameters(const char* type, void* builder);

    JwtAlgorithm algorithm_ = JwtAlgorithm::hs256;
    std::vector<std::uint8_t> secret_{};  // Of hs256.
    PublicKey public_{};                  // Of the others.
};

}  // namespace auth
