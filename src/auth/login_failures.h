// Failed logins by address, and for how long each address has to wait because of them.
//
// `limit` failures, no two of them more than a minute apart, close the address for a second; each
// one after that for twice as long, to five minutes. Ten minutes without a failure forget it. A
// login that succeeds forgets nothing: who guesses may have an account of his own.
//
// Not for several threads. Limit: addresses_max; while all are taken others are not counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"

namespace auth {

class LoginFailures {
public:
    static constexpr std::size_t addresses_max = 65'536;
    static constexpr std::uint64_t window_ms = 60'000;
    static constexpr std::uint64_t first_wait_ms = 1'000;
    static constexpr std::uint64_t longest_wait_ms = 300'000;
    static constexpr std::uint64_t forget_ms = 600'000;

    // How much longer the address has to wait; 0: it need not. Times are monotonic.
    std::uint64_t wait_ms(std::string_view address, std::uint64_t now_ms) const;
    void failed(std::string_view address, std::uint32_t limit, std::uint64_t now_ms);
    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        std::uint32_t failures = 0;
        std::uint64_t last_ms = 0;
        std::uint64_t closed_until_ms = 0;
    };
    bool make_room(std::uint64_t now_ms);

    std::unordered_map<std::string, Entry, base::TextHash, std::equal_to<>> entries_;
    std::uint64_t next_sweep_ms_ = 0;
};

}  // namespace auth
