#include "net/proxy_header.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace net {
namespace {

using Kind = ProxyResult::Kind;
using namespace std::string_literals;

std::string big_endian(std::size_t size) {
    return {static_cast<char>(size >> 8), static_cast<char>(size)};
}

std::string v2(const std::string& body, char command = 0x21, char kind = 0x11) {
    return "\r\n\r\n\0\r\nQUIT\n"s + command + kind + big_endian(body.size()) + body;
}

std::string tlv(char type, const std::string& value) {
    return type + big_endian(value.size()) + value;
}

const std::string address4 = "\x01\x02\x03\x04\x05\x06\x07\x08\x9C\x40\x07\x5B"s;
const std::string good_tls = "\x03\0\0\0\0"s + tlv(0x21, "TLSv1.3") + tlv(0x22, "ann");

std::string shown(const ProxyResult& result) {
    if (result.kind == Kind::incomplete) return "incomplete";
    if (result.kind == Kind::refused) return "refused: " + std::string(result.why);
    const ProxyHeader& header = result.header;
    return (header.source ? header.source->text_with_port() : "?") + (header.is_local ? " l" : "") +
           (header.has_tls ? " tls" : "") + (header.has_certificate ? " cert" : "") +
           (header.common_name.empty() ? "" : " " + header.common_name);
}

struct Row {
    std::string sentence;
    int version;
    std::string text, want;
};

TEST(ProxyHeader, WhatIsRead) {
    const std::string address6 =
        std::string(15, '\0') + "\x01" + std::string(16, 'x') + "\0\x09\0\0"s;
    const std::vector<Row> rows = {
        {"v1, IPv4", 1, "PROXY TCP4 1.2.3.4 5.6.7.8 40000 1883\r\n", "1.2.3.4:40000"},
        {"v1, IPv6", 1, "PROXY TCP6 ::1 ::2 1 2\r\n", "[::1]:1"},
        {"v1, unknown", 1, "PROXY UNKNOWN what ever\r\n", "?"},
        {"v2, IPv4", 2, v2(address4), "1.2.3.4:40000"},
        {"v2, IPv6", 2, v2(address6, 0x21, 0x21), "[::1]:9"},
        {"v2, a unix socket", 2, v2(std::string(216, 'x'), 0x21, 0x31), "?"},
        {"v2, the proxy itself", 2, v2("what ever", 0x20, 0x11), "? l"},
        {"v2, nothing known", 2, v2("", 0x21, 0x00), "?"},
        {"v2, a field of another kind", 2, v2(address4 + tlv(1, "h2")), "1.2.3.4:40000"},
        {"v2, a certificate", 2, v2(address4 + tlv(0x20, good_tls)), "1.2.3.4:40000 tls cert ann"},
        {"v2, one that is not good", 2, v2(address4 + tlv(0x20, "\x03\0\0\0\x01"s)),
         "1.2.3.4:40000 tls"},
        {"v2, TLS without one", 2, v2(address4 + tlv(0x20, "\x01\0\0\0\0"s)), "1.2.3.4:40000 tls"},
        {"v2, one without TLS", 2, v2(address4 + tlv(0x20, "\x02\0\0\0\0"s)), "1.2.3.4:40000"},
    };
    for (const Row& row : rows) {
        const ProxyResult result =
            read_proxy_header(row.version, base::as_bytes(row.text + "client's"));
        EXPECT_EQ(shown(result), row.want) << row.sentence;
        EXPECT_EQ(result.size, row.text.size()) << row.sentence;
        for (std::size_t size = 0; size < row.text.size(); ++size) {
            const std::string part = row.text.substr(0, size);
            EXPECT_EQ(shown(read_proxy_header(row.version, base::as_bytes(part))), "incomplete");
        }
    }
}

TEST(ProxyHeader, WhatIsRefused) {
    const std::string addresses = "refused: an address or a port is none";
    const std::vector<Row> rows = {
        {"none", 1, "\x10\x0C", "refused: there is none"},
        {"the other version", 1, v2(address4), "refused: there is none"},
        {"and the reverse", 2, "PROXY TCP4", "refused: there is none"},
        {"no end", 1, "PROXY " + std::string(107, 'x'), "refused: its line does not end"},
        {"a datagram", 1, "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
         "refused: it is neither TCP4, TCP6 nor UNKNOWN"},
        {"an address cut off", 1, "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n", addresses},
        {"of the other family", 1, "PROXY TCP4 ::1 ::2 1 2\r\n", addresses},
        {"a large port", 1, "PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n", addresses},
        {"a port with a zero", 1, "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n", addresses},
        {"too much", 1, "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n", addresses},
        {"v2, version 3", 2, v2(address4, 0x31), "refused: its version or command is unknown"},
        {"v2, command 2", 2, v2(address4, 0x22), "refused: its version or command is unknown"},
        {"v2, a datagram", 2, v2(address4, 0x21, 0x12), "refused: it is not about a stream"},
        {"v2, an address cut off", 2, v2("\x01\x02"), "refused: its address is cut off"},
        {"v2, longer than it may be", 2, v2(std::string(4081, 'x')),
         "refused: it is longer than 4096 bytes"},
        {"v2, a field beyond the end", 2, v2(address4 + "\x20\0\x05x"s),
         "refused: its fields do not fit"},
        {"v2, half a field", 2, v2(address4 + "\x20"), "refused: its fields do not fit"},
        {"v2, a field in TLS beyond it", 2, v2(address4 + tlv(0x20, "\x01\0\0\0\0\x22\0\x09x"s)),
         "refused: its fields do not fit"},
        {"v2, TLS cut off", 2, v2(address4 + tlv(0x20, "\x01")), "refused: its fields do not fit"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(shown(read_proxy_header(row.version, base::as_bytes(row.text))), row.want)
            << row.sentence;
    }
}

}  // namespace
}  // namespace net
