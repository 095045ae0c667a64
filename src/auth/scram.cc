#include "auth/scram.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "auth/base64.h"
#include "mqtt/utf8.h"

namespace auth {
namespace {

using base::as_bytes;

// What a wrong password and an unknown name have in common.
constexpr std::string_view wrong_words = "user name or password is wrong";

auto failure(std::string_view words) {
    return base::fail(fmt::format("SCRAM-SHA-256: {}", words));
}

// Takes what precedes the next comma, and the comma, off the front.
std::string_view next_field(std::string_view& rest) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view field = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return field;
}

// The value of "x=value"; nothing if the field is another.
std::optional<std::string_view> value_of(std::string_view field, char attribute) {
    if (field.size() < 2 || field[0] != attribute || field[1] != '=') return std::nullopt;
    return field.substr(2);
}

// "=2C" is a comma, "=3D" is "=", and there is no other "=".
std::optional<std::string> decode_name(std::string_view text) {
    std::string name;
    while (!text.empty()) {
        const bool is_comma = text.starts_with("=2C");
        if (!is_comma && text[0] == '=' && !text.starts_with("=3D")) return std::nullopt;
        name += is_comma ? ',' : text[0];
        text.remove_prefix(text[0] == '=' ? 3 : 1);
    }
    if (!is_prepared(name)) return std::nullopt;
    return name;
}

bool is_nonce(std::string_view text) {
    const auto is_printable = [](char c) { return c > ' ' && c <= '~' && c != ','; };
    return !text.empty() && std::all_of(text.begin(), text.end(), is_printable);
}

// Why the flag and the name to act as, which stand before the client's first message, will not do;
// empty if they will.
std::string_view judge_gs2_header(std::string_view flag, std::string_view authzid) {
    if (flag.starts_with("p=")) return "channel binding is not supported";
    if (flag != "n" && flag != "y") return "malformed channel binding flag";
    if (!authzid.empty() && !value_of(authzid, 'a')) return "malformed name to act as";
    return {};
}

}  // namespace

ScramKeys derive_keys(std::string_view password, std::vector<std::uint8_t> salt,
                      std::uint32_t iterations) {
    const Digest salted = pbkdf2_sha256(password, salt, iterations);
    ScramKeys keys;
    keys.iterations = iterations;
    keys.salt = std::move(salt);
    keys.stored_key = sha256(hmac_sha256(salted, as_bytes("Client Key")));
    keys.server_key = hmac_sha256(salted, as_bytes("Server Key"));
    return keys;
}

bool is_prepared(std::string_view text) {
    const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7F'; };
    return !text.empty() && mqtt::is_valid_utf8(text) &&
           std::none_of(text.begin(), text.end(), is_control);
}

//     message := flag "," [ "a=" name ] "," bare
//     bare    := "n=" name ",r=" nonce [ "," extension ]...
base::Result<std::string, std::string> ScramServer::read_first(std::string_view message) {
    if (message.size() > scram_message_bytes_max) return failure("first message too long");
    std::string_view rest = message;
    const std::string_view flag = next_field(rest);
    const std::string_view authzid = next_field(rest);
    if (const auto why = judge_gs2_header(flag, authzid); !why.empty()) return failure(why);
    gs2_header_ = message.substr(0, message.size() - rest.size());
    client_first_bare_ = rest;

    const std::string_view first = next_field(rest);
    if (value_of(first, 'm')) return failure("unknown mandatory extension");
    const auto name_text = value_of(first, 'n');
    const auto name = name_text ? decode_name(*name_text) : std::nullopt;
    if (!name) return failure("malformed user name");
    if (!authzid.empty() && decode_name(authzid.substr(2)) != name) {
        return failure("acting as another user is not supported");
    }
    const auto nonce = value_of(next_field(rest), 'r');
    if (!nonce || !is_nonce(*nonce)) return failure("malformed nonce");
    nonce_.insert(0, *nonce);
    return *name;
}

std::string ScramServer::challenge(ScramKeys keys) {
    keys_ = std::move(keys);
    server_first_ =
        fmt::format("r={},s={},i={}", nonce_, encode_base64(keys_.salt), keys_.iterations);
    return server_first_;
}

//     message := "c=" base64 of the first message's head ",r=" nonce [ "," extension ]... ",p="
//     proof
base::Result<std::string, std::string> ScramServer::read_final(std::string_view message) {
    if (message.size() > scram_message_bytes_max) return failure("final message too long");
    const std::size_t end = message.rfind(",p=");
    if (end == std::string_view::npos) return failure("final message without proof");
    const std::string_view without_proof = message.substr(0, end);
    const auto proof = decode_base64(message.substr(end + 3));
    std::string_view rest = without_proof;
    const auto binding = value_of(next_field(rest), 'c');
    const auto nonce = value_of(next_field(rest), 'r');
    if (!proof || !binding || !nonce) return failure("malformed final message");
    if (*binding != encode_base64(as_bytes(gs2_header_))) {
        return failure("channel binding differs from the first message's");
    }
    if (*nonce != nonce_) return failure("nonce differs from the challenge's");
    const std::string answer = check_proof(*proof, without_proof);
    if (answer.empty()) return failure(wrong_words);
    return answer;
}

// The server's own proof; empty if the client's is wrong.
std::string ScramServer::check_proof(base::Bytes proof,
                                     std::string_view message_without_proof) const {
    Digest client_key;
    if (proof.size() != client_key.size()) return {};
    const std::string text =
        fmt::format("{},{},{}", client_first_bare_, server_first_, message_without_proof);
    const Digest signature = hmac_sha256(keys_.stored_key, as_bytes(text));
    for (std::size_t i = 0; i < client_key.size(); ++i) {
        client_key[i] = static_cast<std::uint8_t>(proof[i] ^ signature[i]);
    }
    if (!is_equal_secret(sha256(client_key), keys_.stored_key)) return {};
    return "v=" + encode_base64(hmac_sha256(keys_.server_key, as_bytes(text)));
}

}  // namespace auth
