#include "net/proxy_header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace net {
namespace {

using Kind = ProxyResult::Kind;

ProxyResult refuse(std::string_view why) {
    return {.kind = Kind::refused, .why = why};
}

std::optional<Address> make_address(int family, const void* bytes, std::uint16_t port) {
    sockaddr_storage storage{};
    if (family == AF_INET) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&v4.sin_addr, bytes, sizeof v4.sin_addr);
        std::memcpy(&storage, &v4, sizeof v4);
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        std::memcpy(&v6.sin6_addr, bytes, sizeof v6.sin6_addr);
        std::memcpy(&storage, &v6, sizeof v6);
    }
    return Address(reinterpret_cast<const sockaddr*>(&storage));
}

// ---- Version 1: "PROXY TCP4 192.0.2.1 192.0.2.2 40000 1883\r\n"

std::string_view take_word(std::string_view& rest) {
    const std::size_t size = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, size);
    rest.remove_prefix(std::min(size + 1, rest.size()));
    return word;
}

bool read_port(std::string_view text, std::uint16_t& port) {
    if (text.size() > 1 && text[0] == '0') return false;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, port);
    return read.ec == std::errc() && read.ptr == end;
}

ProxyResult read_line(std::string_view line) {
    ProxyResult result{.kind = Kind::accepted};
    const std::string_view kind = take_word(line);
    if (kind == "UNKNOWN") return result;  // What follows counts for nothing.
    if (kind != "TCP4" && kind != "TCP6") return refuse("it is neither TCP4, TCP6 nor UNKNOWN");
    const int family = kind == "TCP4" ? AF_INET : AF_INET6;
    const std::string source(take_word(line));
    const std::string target(take_word(line));
    const std::string_view source_port = take_word(line);
    std::array<std::uint8_t, 16> bytes{};
    std::array<std::uint8_t, 16> ignored{};
    std::uint16_t port = 0;
    std::uint16_t ignored_port = 0;
    const bool is_good = ::inet_pton(family, target.c_str(), ignored.data()) == 1 &&
                         ::inet_pton(family, source.c_str(), bytes.data()) == 1 &&
                         read_port(source_port, port) && read_port(line, ignored_port);
    if (!is_good) return refuse("an address or a port is none");
    result.header.source = make_address(family, bytes.data(), port);
    return result;
}

ProxyResult read_v1(base::Bytes bytes) {
    constexpr std::string_view start = "PROXY ";
    constexpr std::string_view end = "\r\n";
    const std::string_view text =
        base::as_text(bytes.first(std::min(bytes.size(), ProxyHeader::v1_bytes_max)));
    const std::size_t known = std::min(text.size(), start.size());
    if (text.substr(0, known) != start.substr(0, known)) return refuse("there is none");
    const std::size_t size = text.find(end);
    if (size == std::string_view::npos) {
        if (text.size() < ProxyHeader::v1_bytes_max) return {};
        return refuse("its line does not end");
    }
    if (size < start.size()) return refuse("its line is empty");
    ProxyResult result = read_line(text.substr(start.size(), size - start.size()));
    result.size = size + end.size();
    return result;
}

// ---- Version 2

constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t fixed_size = 16;

std::uint16_t read_u16(base::Bytes bytes) {
    return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}

// Calls `each(type, value)`; false if they do not fill `bytes` exactly.
template <typename Each>
bool for_each_tlv(base::Bytes bytes, Each&& each) {
    constexpr std::size_t head = 3;
    while (!bytes.empty()) {
        if (bytes.size() < head) return false;
        const std::size_t size = read_u16(bytes.subspan(1));
        if (bytes.size() - head < size) return false;
        if (!each(bytes[0], bytes.subspan(head, size))) return false;
        bytes = bytes.subspan(head + size);
    }
    return true;
}

// PP2_TYPE_SSL: flags, the outcome of the proxy's check, and what it knows in TLVs.
bool read_tls(base::Bytes value, ProxyHeader& header) {
    constexpr std::size_t head = 5;
    constexpr unsigned speaks_tls = 1;
    constexpr unsigned shown_certificate = 2 | 4;  // In this connection, or this session.
    if (value.size() < head) return false;
    const unsigned flags = value[0];
    const bool is_verified = std::all_of(value.begin() + 1, value.begin() + head,
                                         [](std::uint8_t byte) { return byte == 0; });
    std::string version;
    std::string cipher;
    const auto read = [&](std::uint8_t type, base::Bytes text) {
        constexpr int of_version = 0x21;
        constexpr int of_name = 0x22;
        constexpr int of_cipher = 0x23;
        if (type == of_version) version = base::as_text(text);
        if (type == of_name) header.common_name = base::as_text(text);
        if (type == of_cipher) cipher = base::as_text(text);
        return true;
    };
    if (!for_each_tlv(value.subspan(head), read)) return false;
    header.has_tls = (flags & speaks_tls) != 0;
    header.has_certificate = header.has_tls && is_verified && (flags & shown_certificate) != 0;
    if (header.has_tls) header.tls = version + (cipher.empty() ? "" : " cipher ") + cipher;
    return true;
}

// What an address takes, by family and protocol; nothing if they are not of a stream.
std::optional<std::size_t> address_size(std::uint8_t kind) {
    switch (kind) {
        case 0x00:
            return 0;
        case 0x11:
            return 12;
        case 0x21:
            return 36;
        case 0x31:
            return 216;
        default:
            return std::nullopt;
    }
}

ProxyResult read_body(std::uint8_t command, std::uint8_t kind, base::Bytes body) {
    ProxyResult result{.kind = Kind::accepted};
    result.header.is_local = command == 0;
    if (result.header.is_local) return result;
    const auto size = address_size(kind);
    if (!size) return refuse("it is not about a stream");
    if (body.size() < *size) return refuse("its address is cut off");
    constexpr std::uint8_t tcp4 = 0x11;
    constexpr std::uint8_t tcp6 = 0x21;
    if (kind == tcp4) {
        result.header.source = make_address(AF_INET, body.data(), read_u16(body.subspan(8)));
    } else if (kind == tcp6) {
        result.header.source = make_address(AF_INET6, body.data(), read_u16(body.subspan(32)));
    }
    const auto read = [&](std::uint8_t type, base::Bytes value) {
        constexpr std::uint8_t of_tls = 0x20;
        return type != of_tls || read_tls(value, result.header);
    };
    if (!for_each_tlv(body.subspan(*size), read)) return refuse("its fields do not fit");
    return result;
}

ProxyResult read_v2(base::Bytes bytes) {
    const std::size_t known = std::min(bytes.size(), signature.size());
    if (base::as_text(bytes.first(known)) != signature.substr(0, known)) {
        return refuse("there is none");
    }
    if (bytes.size() < fixed_size) return {};
    const auto version = static_cast<std::uint8_t>(bytes[12] >> 4);
    const auto command = static_cast<std::uint8_t>(bytes[12] & 15);
    if (version != 2 || command > 1) return refuse("its version or command is unknown");
    const std::size_t size = fixed_size + read_u16(bytes.subspan(14));
    if (size > ProxyHeader::v2_bytes_max) return refuse("it is longer than 4096 bytes");
    if (bytes.size() < size) return {};
    ProxyResult result =
        read_body(command, bytes[13], bytes.subspan(fixed_size, size - fixed_size));
    result.size = size;
    return result;
}

}  // namespace

ProxyResult read_proxy_header(int version, base::Bytes bytes) {
    return version == 1 ? read_v1(bytes) : read_v2(bytes);
}

}  // namespace net
