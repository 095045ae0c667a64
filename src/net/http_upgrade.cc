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

// Keeps what matters of one line; an empty answer if nothing is wrong with it.
std::string_view read_field(std::string_view line, Fields& fields) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
        return "a header line is malformed";
    }
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (!is_printable(value)) return "a header has control characters";
    if (same_word(name, "Content-Length") || same_word(name, "Transfer-Encoding")) {
        fields.has_body = fields.has_body || value != "0";
    }
    struct Known {
        std::string_view name;
        std::string_view* value;
    };
    const std::array<Known, 7> known{{{"Host", &fields.host},
                                      {"Upgrade", &fields.upgrade},
                                      {"Connection", &fields.connection},
                                      {"Sec-WebSocket-Key", &fields.key},
                                      {"Sec-WebSocket-Version", &fields.version},
                                      {"Origin", &fields.origin},
                                      {"Sec-WebSocket-Protocol", &fields.subprotocols}}};
    for (const Known& each : known) {
        if (!same_word(name, each.name)) continue;
        if (!each.value->empty()) return "a header is there twice";
        *each.value = value;
    }
    return {};
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
    const auto next_line = [&] {
        const std::size_t size = rest.find(line_end);
        const std::string_view line = rest.substr(0, size);
        rest.remove_prefix(size + line_end.size());
        return line;
    };
    if (auto refused = judge_request_line(next_line()); refused.kind == Kind::refused) {
        return refused;
    }
    Fields fields;
    while (!rest.empty()) {
        if (const auto why = read_field(next_line(), fields); !why.empty()) {
            return refuse(400, why);
        }
    }
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

}  // namespace net
