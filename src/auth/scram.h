// SCRAM-SHA-256 (RFC 5802, RFC 7677): the server's half of one exchange, as a state machine over
// messages. No I/O, no table of users, no clock; its randomness is an argument.
//
//     ScramServer server(nonce);
//     user      = server.read_first(client-first-message)
//     challenge = server.challenge(keys of that user)        -> server-first-message
//     proof     = server.read_final(client-final-message)    -> server-final-message: it is the
//     user
//
// The server keeps keys by which it can check a password, but which do not let it, or a thief of
// its file, log in elsewhere. It never hashes a password: a login costs it five HMACs.
//
// Channel binding is not offered: a client that supports it ("y") or not ("n") goes on without, one
// that insists ("p=") is refused. Names and passwords of ASCII are what SASLprep (RFC 4013) makes
// of them, and control characters are refused as it does; others are taken as they are, without
// normalisation, so both sides must have them in the same form (NFKC, as clients with SASLprep do).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/crypto.h"
#include "base/result.h"

namespace auth {

inline constexpr std::size_t scram_message_bytes_max = 4096;
// RFC 7677 asks for no fewer; more than the limit would stop a small client for minutes.
inline constexpr std::uint32_t scram_iterations_min = 4096;
inline constexpr std::uint32_t scram_iterations_max = 10'000'000;

struct ScramKeys {
    std::uint32_t iterations = 0;
    std::vector<std::uint8_t> salt;
    Digest stored_key{};
    Digest server_key{};
};

// Costs `iterations`: see pbkdf2_sha256().
ScramKeys derive_keys(std::string_view password, std::vector<std::uint8_t> salt,
                      std::uint32_t iterations);

// Whether SASLprep leaves it as it is, as far as we know SASLprep: not empty, UTF-8, no ASCII
// control characters.
bool is_prepared(std::string_view text);

// The functions are called once each, in their order.
class ScramServer {
public:
    // `nonce`: printable ASCII without comma, new for each exchange.
    explicit ScramServer(std::string nonce) : nonce_(std::move(nonce)) {}

    // Fails, as read_final() does, with words for the log, which do not say what was secret.
    base::Result<std::string, std::string> read_first(std::string_view message);
    std::string challenge(ScramKeys keys);
    base::Result<std::string, std::string> read_final(std::string_view message);

private:
    std::string check_proof(base::Bytes proof, std::string_view message_without_proof) const;

    std::string nonce_;  // After read_first(): the client's and ours.
    std::string gs2_header_;
    std::string client_first_bare_;
    std::string server_first_;
    ScramKeys keys_;
};

}  // namespace auth
