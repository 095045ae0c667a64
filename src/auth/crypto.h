// What we need of cryptography, made by OpenSSL's libcrypto.
//
// A build without OpenSSL has none: has_crypto is false then, and nothing else here may be called.
// Threads: any. That libcrypto runs out of memory or of randomness ends the process.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace auth {

#ifdef NIGHTJAR_OPENSSL
inline constexpr bool has_crypto = true;
#else
inline constexpr bool has_crypto = false;
#endif

using Digest = std::array<std::uint8_t, 32>;
using LongDigest = std::array<std::uint8_t, 64>;

Digest sha256(base::Bytes bytes);
Digest hmac_sha256(base::Bytes key, base::Bytes text);
// The cost is `iterations` times that of two SHA-256: for tools, not for a shard's thread.
Digest pbkdf2_sha256(std::string_view password, base::Bytes salt, std::uint32_t iterations);
LongDigest sha512(base::Bytes one, base::Bytes other);  // Of the two in a row.
LongDigest pbkdf2_sha512(base::Bytes password, base::Bytes salt, std::uint32_t iterations);
// Takes the same time wherever the two differ.
bool is_equal_secret(const Digest& one, const Digest& other);
bool is_equal_secret(base::Bytes one, base::Bytes other);  // Not if their sizes differ.
std::vector<std::uint8_t> random_bytes(std::size_t size);
// "OpenSSL 3.0.19", of the library that runs.
std::string crypto_version();

}  // namespace auth
