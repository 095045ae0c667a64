#include "net/http_upgrade.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace net {
namespace {

using Kind = UpgradeResult::Kind;

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view head_end = "\r\n\r\n";

UpgradeResult refuse(int status, std::string_view why) {
    return {.kind = Kind::refused, .status = status, .why = why};
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view one, std::string_view other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t";
    const std::size_t begin = std::min(text.find_first_not_of(blanks), text.size());
    text.remove_prefix(begin);
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

bool is_token(std::string_view text) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        const char small = lower(c);
        return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') ||
               others.find(c) != std::string_view::npos;
    });
}

bool is_printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        constexpr char del = 0x7F;
        return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != del);
    });
}

// Calls `each` for the words of a list that commas separate, until it says true.
template <typename Each>
bool any_of_list(std::string_view list, Each&& each) {
    for (;;) {
        const std::size_t comma = std::min(list.find(','), list.size());
        if (each(trimmed(list.substr(0, comma)))) return true;
        if (comma == list.size()) return false;
        list.remove_prefix(comma + 1);
    }
}

bool list_has(std::string_view list, std::string_view word) {
    return any_of_list(list, [&](std::string_view each) { return same_word(each, word); });
}

// 16 bytes in base 64.
bool is_key(std::string_view key) {
    constexpr std::size_t key_size = 24;
    const auto is_digit = [](char c) {
        const char small = lower(c);
        return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    };
    return key.size() == key_size && key.ends_with("==") &&
           std::all_of(key.begin(), key.end() - 2, is_digit);
}

struct Fields {
    std::string_view host, upgrade, connection, key, version, origin, subprotocols;
    bool has_body = false;
};

// A header that matters, and where its value goes.
struct Known {
    std::string_view name;
    std::string_view* value;
};

// Keeps what matters of one line; an empty answer if nothing is wrong with it.
std::string_view read_field(std::string_view line, std::span<const Known> known) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
        return "a header line is malformed";
    }
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (!is_printable(value)) return "a header has control characters";
    for (const Known& each : known) {
        if (!same_word(name, each.name)) continue;
        if (value.empty()) return "a header is there without a value";
        if (!each.value->empty()) return "a header is there twice";
        *each.value = value;
    }
    return {};
}

// Takes the first line off; there is one.
std::string_view take_line(std::string_view& text) {
    const std::size_t size = text.find(line_end);
    const std::string_view line = text.substr(0, size);
    text.remove_prefix(size + line_end.size());
    return line;
}

// All lines of a head behind its first.
std::string_view read_fields(std::string_view lines, std::span<const Known> known) {
    while (!lines.empty()) {
        if (const auto why = read_field(take_line(lines), known); !why.empty()) return why;
    }
    return {};
}

std::string_view read_request_fields(std::string_view lines, Fields& fields) {
    std::string_view length;
    std::string_view coding;
    const std::array<Known, 9> known{{{"Host", &fields.host},
                                      {"Upgrade", &fields.upgrade},
                                      {"Connection", &fields.connection},
                                      {"Sec-WebSocket-Key", &fields.key},
                                      {"Sec-WebSocket-Version", &fields.version},
                                      {"Origin", &fields.origin},
                                      {"Sec-WebSocket-Protocol", &fields.subprotocols},
                                      {"Content-Length", &length},
                                      {"Transfer-Encoding", &coding}}};
    const std::string_view why = read_fields(lines, known);
    fields.has_body = (!length.empty() && length != "0") || !coding.empty();
    return why;
}

UpgradeResult judge(const Fields& fields, std::span<const std::string> origins) {
    if (!list_has(fields.upgrade, "websocket") || !list_has(fields.connection, "Upgrade")) {
        return refuse(426, "this is an MQTT broker: ask for an upgrade to a WebSocket");
    }
    if (fields.version != "13") return refuse(426, "Sec-WebSocket-Version must be 13");
    if (fields.host.empty()) return refuse(400, "there is no Host");
    if (fields.has_body) return refuse(400, "a request with a body opens no WebSocket");
    if (!is_key(fields.key)) return refuse(400, "Sec-WebSocket-Key is not 16 bytes in base 64");
    const auto is_same = [&](const std::string& each) { return same_word(each, fields.origin); };
    if (!origins.empty() && !fields.origin.empty() &&
        std::none_of(origins.begin(), origins.end(), is_same)) {
        return refuse(403, "websockets_origin does not allow this Origin");
    }
    UpgradeResult result{.kind = Kind::accepted};
    any_of_list(fields.subprotocols, [&](std::string_view each) {
        if (each == "mqtt" || each == "mqttv3.1") result.request.subprotocol = each;
        return !result.request.subprotocol.empty();
    });
    if (result.request.subprotocol.empty()) {
        return refuse(400, "Sec-WebSocket-Protocol must offer mqtt");  // [MQTT-6.0.0-3]
    }
    result.request.key = fields.key;
    result.request.origin = fields.origin;
    return result;
}

// "GET /mqtt HTTP/1.1"; an empty answer if that is what it is.
UpgradeResult judge_request_line(std::string_view line) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    const bool has_three_parts = first != std::string_view::npos && last > first + 1 &&
                                 line.find(' ', first + 1) == last && is_printable(line) &&
                                 is_token(line.substr(0, first));
    if (!has_three_parts || line[first + 1] != '/' || line.substr(last + 1) != "HTTP/1.1") {
        return refuse(400, "this is no request of HTTP/1.1");
    }
    if (line.substr(0, first) != "GET") return refuse(405, "a WebSocket is opened by GET");
    return {};
}

std::string_view reason_of(int status) {
    switch (status) {
        case 403:
            return "Forbidden";
        case 405:
            return "Method Not Allowed";
        case 426:
            return "Upgrade Required";
        case 431:
            return "Request Header Fields Too Large";
        default:
            return "Bad Request";
    }
}

}  // namespace

UpgradeResult read_upgrade(base::Bytes bytes, std::span<const std::string> origins) {
    const std::string_view text = base::as_text(bytes);
    const std::size_t end = text.substr(0, UpgradeRequest::request_bytes_max).find(head_end);
    if (end == std::string_view::npos) {
        if (text.size() < UpgradeRequest::request_bytes_max) return {};
        return refuse(431, "the request is longer than 8192 bytes");
    }
    std::string_view rest = text.substr(0, end + line_end.size());
    if (auto refused = judge_request_line(take_line(rest)); refused.kind == Kind::refused) {
        return refused;
    }
    Fields fields;
    if (const auto why = read_request_fields(rest, fields); !why.empty()) return refuse(400, why);
    UpgradeResult result = judge(fields, origins);
    result.size = end + head_end.size();
    return result;
}

std::string upgrade_answer(std::string_view accept, std::string_view subprotocol) {
    return fmt::format(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: {}\r\n\r\n",
        accept, subprotocol);
}

std::string refusal_answer(int status, std::string_view why) {
    const std::string_view more = status == 426   ? "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                                    "Sec-WebSocket-Version: 13\r\n"
                                  : status == 405 ? "Allow: GET\r\nConnection: close\r\n"
                                                  : "Connection: close\r\n";
    return fmt::format(
        "HTTP/1.1 {} {}\r\n{}Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{}\n", status,
        reason_of(status), more, why.size() + 1, why);
}

// ---- The side that asks

std::string upgrade_request(std::string_view host, std::string_view path, std::string_view key,
                            std::string_view subprotocol) {
    return fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: {}\r\n\r\n",
        path, host, key, subprotocol);
}

namespace {

UpgradeAnswer refuse_answer(std::string why) {
    return {.kind = UpgradeAnswer::Kind::refused, .why = std::move(why)};
}

// Any answer but 101; `line` is the server's, and goes to a person's terminal.
UpgradeAnswer other_status(std::string_view line) {
    constexpr std::string_view http = "HTTP/1.";
    if (!line.starts_with(http) || !is_printable(line)) {
        return refuse_answer("the server does not speak HTTP on this port");
    }
    return refuse_answer(fmt::format("the server answers '{}'", line));
}

std::string_view judge_answer(std::string_view lines, std::string_view accept,
                              std::string_view subprotocol) {
    std::string_view upgrade, connection, accepted, extensions, chosen;
    const std::array<Known, 5> known{{{"Upgrade", &upgrade},
                                      {"Connection", &connection},
                                      {"Sec-WebSocket-Accept", &accepted},
                                      {"Sec-WebSocket-Extensions", &extensions},
                                      {"Sec-WebSocket-Protocol", &chosen}}};
    if (const auto why = read_fields(lines, known); !why.empty()) return why;
    if (!same_word(upgrade, "websocket") || !list_has(connection, "Upgrade")) {
        return "the server upgrades to something else than a WebSocket";
    }
    if (accepted != accept) return "the server's Sec-WebSocket-Accept is not that of our key";
    if (!extensions.empty()) return "the server uses an extension that we have not offered";
    // [MQTT-6.0.0-3] and [MQTT-6.0.0-4]
    if (chosen != subprotocol) return "the server does not speak MQTT in its WebSocket";
    return {};
}

}  // namespace

UpgradeAnswer read_upgrade_answer(base::Bytes bytes, std::string_view accept,
                                  std::string_view subprotocol) {
    const std::string_view text = base::as_text(bytes);
    const std::size_t end = text.substr(0, UpgradeRequest::request_bytes_max).find(head_end);
    if (end == std::string_view::npos) {
        constexpr std::string_view http = "HTTP/1.";
        const std::size_t size = std::min(text.size(), http.size());
        if (text.substr(0, size) != http.substr(0, size)) return other_status(text.substr(0, 1));
        if (text.size() < UpgradeRequest::request_bytes_max) return {};
        return refuse_answer("the answer to our request is longer than 8192 bytes");
    }
    std::string_view rest = text.substr(0, end + line_end.size());
    const std::string_view status = take_line(rest);
    if (status != "HTTP/1.1 101" && !status.starts_with("HTTP/1.1 101 ")) {
        return other_status(status);
    }
    if (const auto why = judge_answer(rest, accept, subprotocol); !why.empty()) {
        return refuse_answer(std::string(why));
    }
    return {.kind = UpgradeAnswer::Kind::accepted, .size = end + head_end.size()};
}

}  // namespace net
