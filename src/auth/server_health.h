// Whether a server that logins ask answers, a database or a service: when to leave it alone, and
// what asking it has cost.
//
// A server that is lost three times in a row is left alone for a second, then for two, up to half a
// minute; who wants to ask it meanwhile is told so at once. Then one tries again. An error that the
// server answers is none of that: a client could cause it.
//
// Owned by who asks. Threads: any; a mutex is held for a decision, figures are atomic.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/guarded.h"
#include "base/log.h"

namespace auth {

// When to leave a server alone that has failed. Times are monotonic. Threads: one at a time.
class CircuitBreaker {
public:
    static constexpr std::uint32_t failures_max = 3;
    static constexpr std::uint64_t first_rest_ms = 1000;
    static constexpr std::uint64_t longest_rest_ms = 30'000;

    // Whether to ask now. While it rests: one that tries, when the rest is over.
    bool may_ask(std::uint64_t now_ms);
    // True if that is news: it rests now, or no more.
    bool failed(std::uint64_t now_ms);
    bool succeeded();

private:
    std::uint32_t failures_ = 0;
    std::uint64_t rest_ms_ = 0;  // 0: it does not rest.
    std::uint64_t next_try_ms_ = 0;
    bool is_trying_ = false;
};

class ServerHealth {
public:
    struct Figures {
        std::uint64_t asked = 0;
        std::uint64_t errors = 0;
        std::uint64_t microseconds = 0;  // Of all that was asked together.
        std::uint64_t not_asked = 0;     // While it was left alone.
    };
    static constexpr const char* left_alone = "it has failed and is left alone for a while";

    // As the log names it: `kind` "database", `name` "mysql users@db.example".
    ServerHealth(std::string kind, std::string name, base::Log& log)
        : kind_(std::move(kind)), name_(std::move(name)), log_(log) {}

    bool may_ask(std::uint64_t now_us);
    // What became of a question that was asked at `began_us`.
    void answered(std::uint64_t began_us);
    // An error is said once a minute, since a client may cause it again and again.
    void failed(std::uint64_t began_us, const std::string& error, bool is_lost);

    const std::string& name() const { return name_; }
    Figures figures() const;

private:
    void count(std::uint64_t began_us, std::uint64_t ended_us);
    void note_success();
    void note_loss(std::uint64_t now_ms);
    void report(const std::string& error, std::uint64_t now_ms);

    const std::string kind_;
    const std::string name_;
    base::Log& log_;
    base::Guarded<CircuitBreaker> breaker_;
    std::atomic<std::uint64_t> asked_{0};
    std::atomic<std::uint64_t> errors_{0};
    std::atomic<std::uint64_t> microseconds_{0};
    std::atomic<std::uint64_t> not_asked_{0};
    std::atomic<std::uint64_t> reported_ms_{0};  // When an error was logged last.
};

}  // namespace auth
