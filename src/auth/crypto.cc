#include "auth/crypto.h"

#include "base/assert.h"

#ifdef NIGHTJAR_OPENSSL

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace auth {

Digest sha256(base::Bytes bytes) {
    Digest digest;
    ASSERT(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) ==
           1);
    return digest;
}

Digest hmac_sha256(base::Bytes key, base::Bytes text) {
    Digest digest;
    ASSERT(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), text.data(), text.size(),
                digest.data(), nullptr) != nullptr);
    return digest;
}

Digest pbkdf2_sha256(std::string_view password, base::Bytes salt, std::uint32_t iterations) {
    Digest digest;
    ASSERT(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                             static_cast<int>(salt.size()), static_cast<int>(iterations),
                             EVP_sha256(), static_cast<int>(digest.size()), digest.data()) == 1);
    return digest;
}

LongDigest sha512(base::Bytes one, base::Bytes other) {
    LongDigest digest;
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    ASSERT(context && EVP_DigestInit_ex(context, EVP_sha512(), nullptr) == 1 &&
           EVP_DigestUpdate(context, one.data(), one.size()) == 1 &&
           EVP_DigestUpdate(context, other.data(), other.size()) == 1 &&
           EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1);
    EVP_MD_CTX_free(context);
    return digest;
}

LongDigest pbkdf2_sha512(base::Bytes password, base::Bytes salt, std::uint32_t iterations) {
    LongDigest digest;
    const std::string_view text = base::as_text(password);
    // Without a password OpenSSL takes the null pointer for a mistake.
    ASSERT(PKCS5_PBKDF2_HMAC(text.empty() ? "" : text.data(), static_cast<int>(text.size()),
                             salt.data(), static_cast<int>(salt.size()),
                             static_cast<int>(iterations), EVP_sha512(),
                             static_cast<int>(digest.size()), digest.data()) == 1);
    return digest;
}

bool is_equal_secret(base::Bytes one, base::Bytes other) {
    return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

bool is_equal_secret(const Digest& one, const Digest& other) {
    return CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

std::vector<std::uint8_t> random_bytes(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    ASSERT(RAND_bytes(bytes.data(), static_cast<int>(size)) == 1);
    return bytes;
}

std::string crypto_version() {
    const std::string text = OpenSSL_version(OPENSSL_VERSION);  // "OpenSSL 3.0.19 27 Jan 2026"
    return text.substr(0, text.find(' ', text.find(' ') + 1));
}

}  // namespace auth

#else

namespace auth {

LongDigest sha512(base::Bytes, base::Bytes) {
    ASSERT(has_crypto);
    return {};
}

LongDigest pbkdf2_sha512(base::Bytes, base::Bytes, std::uint32_t) {
    ASSERT(has_crypto);
    return {};
}

bool is_equal_secret(base::Bytes, base::Bytes) {
    ASSERT(has_crypto);
    return false;
}

Digest sha256(base::Bytes) {
    ASSERT(has_crypto);
    return {};
}

Digest hmac_sha256(base::Bytes, base::Bytes) {
    ASSERT(has_crypto);
    return {};
}

Digest pbkdf2_sha256(std::string_view, base::Bytes, std::uint32_t) {
    ASSERT(has_crypto);
    return {};
}

bool is_equal_secret(const Digest&, const Digest&) {
    ASSERT(has_crypto);
    return false;
}

std::vector<std::uint8_t> random_bytes(std::size_t) {
    ASSERT(has_crypto);
    return {};
}

std::string crypto_version() {
    return {};
}

}  // namespace auth

#endif
