// What a connection remembers of how its client is, or was, authenticated. Only those have one that
// named a method in CONNECT, or whose answer is late.
//
// Owned by its Connection. Thread: the shard's. Limits: one exchange at a time, and a CONNECT of
// connect_bytes_max; how much an exchange keeps is its own matter.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/authenticator.h"

namespace broker {

class Connection;

class Authentication : public AuthWaiter {
public:
    // The longest CONNECT that is kept for a client before it is known. Mosquitto takes no longer
    // one at all.
    static constexpr std::size_t connect_bytes_max = 100'000;

    explicit Authentication(Connection& connection) : connection_(connection) {}

    void on_answer(AuthAnswer answer) override;

    std::optional<std::string> method;       // CONNECT's.
    std::unique_ptr<AuthExchange> exchange;  // Null while none is going on.
    bool answer_due = false;                 // It was `later`.

    // Until CONNACK: the body of the CONNECT, to be read again, and the client id it came to.
    std::vector<std::uint8_t> connect;
    std::string client_id;
    std::string connack_data;  // For the CONNACK.

private:
    Connection& connection_;
};

}  // namespace broker
