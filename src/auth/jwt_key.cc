#include "auth/jwt_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "auth/crypto.h"
#include "base/assert.h"

#ifdef NIGHTJAR_OPENSSL
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#endif

namespace auth {
namespace {

// In the order of JwtAlgorithm.
constexpr std::array<std::string_view, 3> names{"HS256", "RS256", "ES256"};

}  // namespace

std::optional<JwtAlgorithm> find_jwt_algorithm(std::string_view name) {
    const auto* const found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<JwtAlgorithm>(found - names.begin());
}

std::string_view name_of(JwtAlgorithm algorithm) {
    return names[static_cast<std::size_t>(algorithm)];
}

base::Result<JwtKey, std::string> JwtKey::from_secret(base::Bytes secret) {
    if (secret.size() < secret_bytes_min) {
        return base::fail(fmt::format("a secret for HS256 has {} bytes or more, this one has {}",
                                      secret_bytes_min, secret.size()));
    }
    JwtKey key;
    key.secret_.assign(secret.begin(), secret.end());
    return key;
}

#ifdef NIGHTJAR_OPENSSL

namespace {

constexpr std::size_t p256_bytes = 32;

struct End {
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(BIGNUM* number) const { BN_free(number); }
    void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
    void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
    void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
};
template <typename T>
using Owned = std::unique_ptr<T, End>;

Owned<BIGNUM> number_of(base::Bytes bytes) {
    return Owned<BIGNUM>(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

// A token has the two numbers of an ECDSA signature in a row; OpenSSL wants them as ASN.1.
std::vector<std::uint8_t> as_asn1(base::Bytes signature) {
    const Owned<ECDSA_SIG> pair(ECDSA_SIG_new());
    Owned<BIGNUM> r = number_of(signature.first(p256_bytes));
    Owned<BIGNUM> s = number_of(signature.subspan(p256_bytes));
    ASSERT(pair && r && s);
    ECDSA_SIG_set0(pair.get(), r.release(), s.release());
    const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
    ASSERT(size > 0);
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
    std::uint8_t* end = bytes.data();
    i2d_ECDSA_SIG(pair.get(), &end);
    return bytes;
}

bool is_signed_by(evp_pkey_st* key, std::string_view text, base::Bytes signature) {
    const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
    ASSERT(context);
    const base::Bytes bytes = base::as_bytes(text);
    const bool is_right =
        EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
        EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(),
                         bytes.size()) == 1;
    ERR_clear_error();  // Of a wrong signature, which is nobody else's error on this thread.
    return is_right;
}

bool is_p256(const evp_pkey_st* key) {
    std::array<char, 32> name{};
    return EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) == 1 &&
           std::string_view(name.data()) == SN_X9_62_prime256v1;
}

}  // namespace

void JwtKey::Freed::operator()(evp_pkey_st* key) const {
    EVP_PKEY_free(key);
}

base::Result<JwtKey, std::string> JwtKey::from_public(PublicKey public_key) {
    ERR_clear_error();
    JwtKey key;
    if (EVP_PKEY_is_a(public_key.get(), "RSA") == 1) {
        key.algorithm_ = JwtAlgorithm::rs256;
        if (const int bits = EVP_PKEY_get_bits(public_key.get()); bits < rsa_bits_min) {
            return base::fail(fmt::format("an RSA key for RS256 has {} bits or more, this one {}",
                                          rsa_bits_min, bits));
        }
    } else if (EVP_PKEY_is_a(public_key.get(), "EC") == 1 && is_p256(public_key.get())) {
        key.algorithm_ = JwtAlgorithm::es256;
    } else {
        return base::fail(std::string("it is neither an RSA key nor one on the curve P-256"));
    }
    key.public_ = std::move(public_key);
    return key;
}

base::Result<JwtKey, std::string> JwtKey::from_pem(std::string_view pem) {
    const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    ASSERT(bio);
    PublicKey key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
    ERR_clear_error();
    if (!key) {
        return base::fail(
            std::string("it has no public key in PEM (-----BEGIN PUBLIC KEY-----); for one out of "
                        "a private key: openssl pkey -pubout"));
    }
    return from_public(std::move(key));
}

base::Result<JwtKey, std::string> JwtKey::from_parameters(const char* type, void* builder) {
    const Owned<OSSL_PARAM> parameters(
        OSSL_PARAM_BLD_to_param(static_cast<OSSL_PARAM_BLD*>(builder)));
    const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    ASSERT(parameters && context);
    EVP_PKEY* made = nullptr;
    const bool is_made =
        EVP_PKEY_fromdata_init(context.get()) == 1 &&
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1;
    PublicKey key(made);
    const Owned<EVP_PKEY_CTX> check(
        is_made ? EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr) : nullptr);
    const bool is_key = check && EVP_PKEY_public_check(check.get()) == 1;
    ERR_clear_error();
    if (!is_key) return base::fail(std::string("its numbers are not those of a key"));
    return from_public(std::move(key));
}

base::Result<JwtKey, std::string> JwtKey::from_rsa(base::Bytes modulus, base::Bytes exponent) {
    const Owned<BIGNUM> n = number_of(modulus);
    const Owned<BIGNUM> e = number_of(exponent);
    const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
    ASSERT(n && e && builder &&
           OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
           OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
    return from_parameters("RSA", builder.get());
}

base::Result<JwtKey, std::string> JwtKey::from_p256(base::Bytes x, base::Bytes y) {
    if (x.size() != p256_bytes || y.size() != p256_bytes) {
        return base::fail(fmt::format("x and y have {} bytes each", p256_bytes));
    }
    std::vector<std::uint8_t> point{POINT_CONVERSION_UNCOMPRESSED};
    point.insert(point.end(), x.begin(), x.end());
    point.insert(point.end(), y.begin(), y.end());
    const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
    ASSERT(builder &&
           OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                           SN_X9_62_prime256v1, 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                            point.size()) == 1);
    return from_parameters("EC", builder.get());
}

bool JwtKey::has_signed(std::string_view text, base::Bytes signature) const {
    switch (algorithm_) {
        case JwtAlgorithm::hs256:
            return is_equal_secret(hmac_sha256(secret_, base::as_bytes(text)), signature);
        case JwtAlgorithm::rs256:
            return is_signed_by(public_.get(), text, signature);
        case JwtAlgorithm::es256:
            return signature.size() == 2 * p256_bytes &&
                   is_signed_by(public_.get(), text, as_asn1(signature));
    }
    return false;
}

#else

void JwtKey::Freed::operator()(evp_pkey_st*) const {}

base::Result<JwtKey, std::string> JwtKey::from_pem(std::string_view) {
    return base::fail(std::string("this build has no OpenSSL"));
}

base::Result<JwtKey, std::string> JwtKey::from_rsa(base::Bytes, base::Bytes) {
    return base::fail(std::string("this build has no OpenSSL"));
}

base::Result<JwtKey, std::string> JwtKey::from_p256(base::Bytes, base::Bytes) {
    return base::fail(std::string("this build has no OpenSSL"));
}

bool JwtKey::has_signed(std::string_view, base::Bytes) const {
    ASSERT(has_crypto);
    return false;
}

#endif

}  // namespace auth
