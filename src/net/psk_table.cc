#include "net/psk_table.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

namespace net {
namespace {

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<std::vector<std::uint8_t>> decode_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = digit_of(text[i]);
        const int low = digit_of(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes.push_back(static_cast<std::uint8_t>(high * 16 + low));
    }
    return bytes;
}

// What is wrong with a line, or nothing; never the key, for this goes to the log.
std::string read_line(std::string_view line,
                      std::unordered_map<std::string, std::vector<std::uint8_t>>& keys) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return "there is no colon behind the identity";
    const std::string_view identity = line.substr(0, colon);
    if (identity.empty() || identity.size() > PskTable::identity_bytes_max) {
        return fmt::format("an identity has 1 to {} bytes", PskTable::identity_bytes_max);
    }
    auto key = decode_hex(line.substr(colon + 1));
    if (!key) return "the key is not hexadecimal";
    if (key->empty() || key->size() > PskTable::key_bytes_max) {
        return fmt::format("a key has 1 to {} bytes", PskTable::key_bytes_max);
    }
    if (!keys.emplace(identity, std::move(*key)).second) {
        return fmt::format("identity '{}' is here twice", identity);
    }
    return {};
}

}  // namespace

std::optional<std::vector<std::uint8_t>> PskTable::decode_key(std::string_view text) {
    auto key = decode_hex(text);
    if (key && (key->empty() || key->size() > key_bytes_max)) return std::nullopt;
    return key;
}

base::Result<PskTable, std::string> PskTable::parse(std::string_view text,
                                                    std::string_view file_name) {
    PskTable table;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
        if (line.empty() || line[0] == '#') continue;
        if (const std::string why = read_line(line, table.keys_); !why.empty()) {
            return base::fail(fmt::format("psk_file {}:{}: {}.", file_name, number, why));
        }
    }
    return table;
}

base::Result<PskTable, std::string> PskTable::read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return base::fail(
            fmt::format("psk_file '{}': {}.", path, std::generic_category().message(errno)));
    }
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (file.bad() || text.size() > file_bytes_max) {
        return base::fail(
            fmt::format("psk_file '{}' cannot be read, or is longer than {} "
                        "bytes.",
                        path, file_bytes_max));
    }
    return parse(text, path);
}

base::Bytes PskTable::find(std::string_view identity) const {
    const auto found = keys_.find(std::string(identity));
    return found == keys_.end() ? base::Bytes() : base::Bytes(found->second);
}

}  // namespace net
