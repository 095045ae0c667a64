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

// ---- What a client reads

using Answer = UpgradeAnswer::Kind;

constexpr std::string_view yes =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n"
    "Server: x\r\n\r\n";

UpgradeAnswer read_answer(std::string_view text) {
    return read_upgrade_answer(base::as_bytes(text), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "mqtt");
}

TEST(HttpUpgrade, AnAnswerIsAcceptedOnceItIsWhole) {
    for (std::size_t size = 0; size < yes.size(); ++size) {
        EXPECT_EQ(read_answer(yes.substr(0, size)).kind, Answer::incomplete) << size;
    }
    const UpgradeAnswer answer = read_answer(std::string(yes) + "frames");
    EXPECT_EQ(answer.kind, Answer::accepted) << answer.why;
    EXPECT_EQ(answer.size, yes.size());
    EXPECT_EQ(read_answer(upgrade_answer("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "mqtt")).kind,
              Answer::accepted);
}

TEST(HttpUpgrade, ARequestIsWhatAServerAccepts) {
    const std::string text =
        upgrade_request("h:1", "/mqtt", "dGhlIHNhbXBsZSBub25jZQ==", "mqttv3.1");
    const UpgradeResult result = read(text, {"https://site"});
    ASSERT_EQ(result.kind, Kind::accepted) << result.why;
    EXPECT_EQ(result.request.subprotocol, "mqttv3.1");
}

TEST(HttpUpgrade, WhichAnswersAreRefused) {
    const auto but = [](std::string_view part, std::string_view by) {
        std::string text(yes);
        return text.replace(text.find(part), part.size(), by);
    };
    struct Row {
        std::string sentence, text, why;
    };
    const std::vector<Row> rows = {
        {"MQTT", std::string("\x20\x02\x00\x00", 4), "the server does not speak HTTP on this port"},
        {"another status", but("101 Switching", "404 Not"),
         "the server answers 'HTTP/1.1 404 Not Protocols'"},
        {"an escape sequence", but("101 Switching", "404 \x1b[2J"),
         "the server does not speak HTTP on this port"},
        {"a status that begins with 101", but("101 ", "1011 "),
         "the server answers 'HTTP/1.1 1011 Switching Protocols'"},
        {"another key", but("s3p", "S3p"),
         "the server's Sec-WebSocket-Accept is not that of our key"},
        {"no key", but("Sec-WebSocket-Accept", "X"),
         "the server's Sec-WebSocket-Accept is not that of our key"},
        {"another protocol", but("WebSocket\r", "h2c\r"),
         "the server upgrades to something else than a WebSocket"},
        {"no connection", but("Connection", "X"),
         "the server upgrades to something else than a WebSocket"},
        {"compression", but("Server: x", "Sec-WebSocket-Extensions: permessage-deflate"),
         "the server uses an extension that we have not offered"},
        {"another subprotocol", but("mqtt", "chat"),
         "the server does not speak MQTT in its WebSocket"},
        {"no subprotocol", but("Sec-WebSocket-Protocol", "X"),
         "the server does not speak MQTT in its WebSocket"},
        {"no end", "HTTP/1.1 101 " + std::string(9'000, 'x'),
         "the answer to our request is longer than 8192 bytes"},
    };
    for (const Row& row : rows) {
        const UpgradeAnswer answer = read_answer(row.text);
        EXPECT_EQ(answer.kind, Answer::refused) << row.sentence;
        EXPECT_EQ(answer.why, row.why) << row.sentence;
    }
}

}  // namespace
}  // namespace net
