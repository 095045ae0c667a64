// The pre-shared keys of a psk_file: lines of "identity:key", the key in hexadecimal.
//
// A plain value, immutable once it is shared. Limits: a file of file_bytes_max, keys of 1 to
// key_bytes_max bytes, identities of identity_bytes_max.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"

namespace net {

class PskTable {
public:
    static constexpr std::size_t file_bytes_max = std::size_t{16} << 20;
    static constexpr std::size_t key_bytes_max = 256;  // What OpenSSL has room for.
    static constexpr std::size_t identity_bytes_max = 256;

    // A key in hexadecimal; nothing if it is none, or has no bytes or too many.
    static std::optional<std::vector<std::uint8_t>> decode_key(std::string_view text);
    // The error is "psk_file FILE:LINE: what is wrong.".
    static base::Result<PskTable, std::string> parse(std::string_view text,
                                                     std::string_view file_name);
    static base::Result<PskTable, std::string> read(const std::string& path);

    // Empty: there is no such identity.
    base::Bytes find(std::string_view identity) const;
    std::size_t size() const { return keys_.size(); }

private:
    std::unordered_map<std::string, std::vector<std::uint8_t>> keys_;
};

}  // namespace net
