#include "server/supervisor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

namespace server {
namespace {

using base::LogType;

std::uint64_t number_in(const char* variable) {
    const char* text = std::getenv(variable);
    if (!text) return 0;
    std::uint64_t number = 0;
    const char* end = text + std::strlen(text);
    const auto [rest, error] = std::from_chars(text, end, number);
    return error == std::errc() && rest == end ? number : 0;
}

// Half of the time after which the manager gives us up, or 0 if it does not watch this process.
std::uint64_t half_watchdog_ms() {
    const std::uint64_t pid = number_in("WATCHDOG_PID");
    if (pid != 0 && pid != static_cast<std::uint64_t>(getpid())) return 0;
    const std::uint64_t limit_us = number_in("WATCHDOG_USEC");
    if (limit_us == 0) return 0;
    return std::max<std::uint64_t>(limit_us / 2000, base::TimerWheel::tick_ms);
}

}  // namespace

Supervisor::Supervisor(const Shards& shards, base::Log& log)
    : shards_(shards),
      log_(log),
      beat_([](base::Timer&, void* self) { static_cast<Supervisor*>(self)->on_beat(); }, this) {
    const char* path = std::getenv("NOTIFY_SOCKET");
    if (!path) return;
    if (socket_.open(path)) {
        beat_ms_ = half_watchdog_ms();
        return;
    }
    log_.print(LogType::warning,
               "Warning: NOTIFY_SOCKET is \"{}\", which is not the path of a unix socket: the "
               "service manager is told nothing.",
               path);
}

void Supervisor::ready() {
    if (!socket_.is_open()) return;
    tell(fmt::format("READY=1\nSTATUS=Serving clients on {} thread{}.", shards_.size(),
                     shards_.size() == 1 ? "" : "s"),
         net::Patience::a_second);
    if (beat_ms_ != 0 && is_asked_.empty()) begin_watchdog();
}

void Supervisor::reloading() {
    if (!socket_.is_open()) return;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=Reading the configuration again.",
                     std::chrono::duration_cast<std::chrono::microseconds>(now).count()),
         net::Patience::a_second);
}

// The shards end one by one from here, so the end gets the watchdog's time in one piece.
void Supervisor::stopping() {
    beat_.cancel();
    tell("STOPPING=1\nWATCHDOG=1\nSTATUS=Telling the clients.", net::Patience::a_second);
}

void Supervisor::begin_watchdog() {
    is_asked_.resize(shards_.size());
    on_beat();
}

void Supervisor::on_beat() {
    net::EventLoop& loop = shards_[0]->loop();
    loop.timers().add(beat_, loop.now_ms() + beat_ms_);
    if (asked_ != 0) return report_hanging();
    asked_ = shards_.size();
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
        is_asked_[shard] = true;
        shards_[shard]->post([this, shard] { answer(shard); });
    }
}

void Supervisor::answer(std::size_t shard) {
    shards_[0]->post([this, shard] { on_answer(shard); });
}

void Supervisor::on_answer(std::size_t shard) {
    is_asked_[shard] = false;
    if (--asked_ == 0 && beat_.is_armed()) tell("WATCHDOG=1", net::Patience::none);
}

void Supervisor::report_hanging() {
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
        if (!is_asked_[shard]) continue;
        log_.print(LogType::warning,
                   "Warning: shard {} has not turned for {} ms. The service manager restarts the "
                   "broker if that lasts for its WatchdogSec.",
                   shard, beat_ms_);
    }
}

void Supervisor::tell(std::string_view state, net::Patience patience) {
    if (!socket_.is_open()) return;
    const int error = socket_.send(state, patience);
    if (error == 0) return;
    if (std::exchange(reported_, true)) return;
    log_.print(LogType::warning, "Warning: the service manager cannot be told \"{}\": {}.",
               state.substr(0, state.find('\n')), std::generic_category().message(error));
}

}  // namespace server
