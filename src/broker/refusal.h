// Why the broker refuses what peers send: each cause has a counter, and a log line that is written
// once a minute for each offender, however often it offends.
//
// An offender is a client id, or an address for who has sent no CONNECT. RefusalLog remembers the
// latest `remembered` of them; since offenders can call themselves what they like, there are no
// more than `lines_max` lines a minute in all. What is not written is counted, and told by the next
// line of its kind.
//
// Owned by a Shard; thread: the shard's, so one offender may get a line from each.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "broker/counters.h"
#include "mqtt/reason_code.h"

namespace broker {

// The name under $SYS/broker/nightjar/refused/.
std::string_view name_of(Refusal cause);
// Under which cause a DISCONNECT with this reason counts.
Refusal refusal_of(mqtt::ReasonCode reason);
// "192.0.2.1:40000" without its port: an offender that comes again has another one.
std::string_view address_of(std::string_view peer);

class RefusalLog {
public:
    static constexpr std::size_t remembered = 512;
    static constexpr std::uint64_t quiet_ms = 60'000;
    static constexpr std::uint32_t lines_max = 300;

    RefusalLog(base::Log& log, const base::Clock& clock, Counters& counters)
        : log_(log), clock_(clock), counters_(counters) {}
    RefusalLog(const RefusalLog&) = delete;
    RefusalLog& operator=(const RefusalLog&) = delete;

    // Counts; writes the line if it is due.
    template <typename... Args>
    void print(Refusal cause, std::string_view offender, fmt::format_string<Args...> format,
               Args&&... args) {
        count(cause);
        if (!log_.enabled(base::LogType::notice)) return;
        const std::uint32_t silenced = begin_line(cause, offender);
        if (silenced == not_due) return;
        write(fmt::format(format, std::forward<Args>(args)...), silenced);
    }
    // The same, for a line that costs something: `line()` is asked for it only if it is due.
    template <typename Line>
    void print_lazily(Refusal cause, std::string_view offender, Line&& line) {
        count(cause);
        if (!log_.enabled(base::LogType::notice)) return;
        const std::uint32_t silenced = begin_line(cause, offender);
        if (silenced != not_due) write(line(), silenced);
    }
    void count(Refusal cause) { counters_.refused[static_cast<std::size_t>(cause)].add(); }

private:
    static constexpr std::uint32_t not_due = UINT32_MAX;

    struct Offence {
        std::uint64_t key = 0;  // Of the cause and the offender; 0 = nobody's.
        std::uint64_t quiet_until_ms = 0;
        std::uint32_t silenced = 0;
    };
    // How many lines were left out since the offender's last one, or not_due.
    std::uint32_t begin_line(Refusal cause, std::string_view offender);
    bool takes_line();
    void write(std::string line, std::uint32_t silenced);

    base::Log& log_;
    const base::Clock& clock_;
    Counters& counters_;
    std::array<Offence, remembered> offences_{};  // By key; two that collide forget each other.
    std::uint64_t minute_ends_ms_ = 0;
    std::uint32_t lines_ = 0;  // In this minute.
    std::uint64_t left_out_ = 0;
};

}  // namespace broker
