#include "net/http_upgrade.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace net {
namespace {

using Kind = UpgradeResult::Kind;

constexpr std::string_view good =
    "GET /mqtt?x=1 HTTP/1.1\r\nhost: h\r\nUpgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: chat ,mqttv3.1\r\nOrigin: https://Site\r\n\r\n";

// `good` with one part replaced.
std::string with(std::string_view part, std::string_view by) {
    std::string text(good);
    const std::size_t at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    return text.replace(at, part.size(), by);
}

UpgradeResult read(std::string_view text, const std::vector<std::string>& origins = {}) {
    return read_upgrade(base::as_bytes(text), origins);
}

TEST(HttpUpgrade, WhatIsAccepted) {
    const std::string with_frames = std::string(good) + "frames";
    const UpgradeResult result = read(with_frames, {"http://other", "https://site"});
    ASSERT_EQ(result.kind, Kind::accepted) << result.why;
    EXPECT_EQ(result.size, good.size());
    EXPECT_EQ(result.request.key, "dGhlIHNhbXBsZSBub25jZQ==");
    EXPECT_EQ(result.request.subprotocol, "mqttv3.1");
    EXPECT_EQ(read(with("chat ,mqttv3.1", "mqtt, mqttv3.1")).request.subprotocol, "mqtt");
    EXPECT_EQ(read(with("Origin: https://Site\r\n", ""), {"https://site"}).kind, Kind::accepted);
}

TEST(HttpUpgrade, EachShorterOneIsIncomplete) {
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_EQ(read(good.substr(0, size)).kind, Kind::incomplete) << size;
    }
}

TEST(HttpUpgrade, WhatIsRefused) {
    struct Row {
        std::string sentence, text;
        int status;
    };
    const std::vector<Row> rows = {
        {"an old HTTP", with("HTTP/1.1", "HTTP/1.0"), 400},
        {"two blanks", with("GET /", "GET  /"), 400},
        {"an absolute address", with("/mqtt", "http://h/"), 400},
        {"another method", with("GET", "PUT"), 405},
        {"no method", with("GET", ""), 400},
        {"a line without colon", with("host: h", "host"), 400},
        {"a blank before the colon", with("host:", "host :"), 400},
        {"a folded line", with("host: h", "host: h\r\n more"), 400},
        {"a bare line feed", with("host: h", "host: h\nX: y"), 400},
        {"a NUL", with("host: h", std::string("host: h\0", 8)), 400},
        {"no host", with("host: h\r\n", ""), 400},
        {"two keys", with("host: h", "host: h\r\nSec-WebSocket-Key: x"), 400},
        {"a body", with("host: h", "host: h\r\nContent-Length: 5"), 400},
        {"a body in chunks", with("host: h", "host: h\r\nTransfer-Encoding: chunked"), 400},
        {"no upgrade", with("Upgrade: WebSocket", "X: y"), 426},
        {"to something else", with("WebSocket", "h2c"), 426},
        {"no connection", with("upgrade\r\n", "close\r\n"), 426},
        {"another version", with("13", "14"), 426},
        {"a key that is too long", with("ZQ==", "ZQZQ=="), 400},
        {"a key with other digits", with("dGhl", "dG-l"), 400},
        {"no subprotocol of MQTT", with("mqttv3.1", "mqtts"), 400},
    };
    for (const Row& row : rows) {
        const UpgradeResult result = read(row.text);
        EXPECT_EQ(result.kind, Kind::refused) << row.sentence;
        EXPECT_EQ(result.status, row.status) << row.sentence << ": " << result.why;
    }
    EXPECT_EQ(read(good, {"https://other"}).status, 403);
}

TEST(HttpUpgrade, ARequestThatDoesNotEndIsRefused) {
    const std::string endless = "GET / HTTP/1.1\r\nX: " + std::string(10'000, 'x');
    EXPECT_EQ(read(endless.substr(0, 8191)).kind, Kind::incomplete);
    EXPECT_EQ(read(endless).status, 431);
}

}  // namespace
}  // namespace net
