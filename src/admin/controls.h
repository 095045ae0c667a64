// What a person may ask of the broker while it runs, and what it answers. The server implements
// it, and whatever asks (the control socket; one day a page) knows nothing else of the broker.
//
// Thread: shard 0's, for calls and answers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "broker/authenticator.h"

namespace admin {

// Would this client be let in, and may it do this?
struct Question {
    std::optional<std::string> user{};
    std::string client_id = "nightjar-ctl";
    std::string address = "127.0.0.1";  // Where it comes from, without a port.
    std::string listener{};             // Its port, or the path of a unix socket; empty: the first.
    broker::Access access = broker::Access::publish;
    std::string topic{};  // A filter to subscribe; valid.
};

struct Explanation {
    std::string listener{};  // Which one is meant.
    std::string client_id{};
    broker::Ruling login{};   // With the right password.
    broker::Ruling rights{};  // Once it is in.
};
// Or a sentence that says what is wrong with the question.
using OnExplanation = std::function<void(base::Result<Explanation, std::string>)>;

// All of the new configuration is in force, or nothing of it.
struct ReloadOutcome {
    std::string error{};                       // Empty: it is. As the log says it.
    std::vector<std::string> changed{};        // Options that have a new value.
    std::vector<std::string> needs_restart{};  // Options that have one in the file only.
    std::vector<std::string> warnings{};
};

struct Status {
    std::string version{};
    std::uint64_t uptime_s = 0;
    std::size_t threads = 0;
    std::uint64_t clients_connected = 0;
    std::uint64_t sessions = 0;  // Of those that are away, too.
    std::uint64_t subscriptions = 0;
    std::vector<std::string> listeners{};
};

class Controls {
public:
    virtual ~Controls() = default;
    virtual ReloadOutcome reload() = 0;
    virtual Status status() const = 0;
    // `done` is called once, at once or later, or never if the broker ends before.
    virtual void explain(const Question& question, const OnExplanation& done) = 0;
};

}  // namespace admin
