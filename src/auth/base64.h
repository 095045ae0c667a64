// Base 64 (RFC 4648, section 4), strict: padded, without line ends, one form for each value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace auth {

std::string encode_base64(base::Bytes bytes);
// Nothing if encode_base64() could not have made it.
std::optional<std::vector<std::uint8_t>> decode_base64(std::string_view text);

}  // namespace auth
