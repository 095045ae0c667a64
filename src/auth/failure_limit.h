// Keeps addresses from guessing names and passwords: asks the authenticator behind it only for
// those that have not failed too often (auth_failure_limit; see LoginFailures).
//
// Owned by server/, and outlives the connections; the authenticator behind it outlives it. Threads:
// begin() by every shard, set_limit() by any. Without a limit nothing is counted and nothing is
// locked; with one a mutex is held for a look-up.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "auth/login_failures.h"
#include "base/guarded.h"
#include "broker/authenticator.h"

namespace auth {

class FailureLimit : public broker::Authenticator {
public:
    using Clock = std::function<std::uint64_t()>;  // Milliseconds, monotonic; from any thread.

    explicit FailureLimit(broker::Authenticator& behind, Clock now_ms = {});

    // 0 = none.
    void set_limit(std::uint32_t failures) { limit_.store(failures, std::memory_order_relaxed); }
    // Who names no user and no method, and has no password, does not guess; a unix socket has no
    // address.
    broker::AuthBegun begin(const broker::Credentials& credentials) override;

    // The answer to somebody from there.
    void note(const std::string& address, const broker::AuthAnswer& answer);

private:
    broker::Authenticator& behind_;
    Clock now_ms_;
    std::atomic<std::uint32_t> limit_{0};
    base::Guarded<LoginFailures> failures_;
};

}  // namespace auth
