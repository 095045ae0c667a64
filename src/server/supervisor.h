// What a service manager (systemd) hears of us: ready, reading the configuration again, stopping,
// and, if it watches, that every shard's loop still turns.
//
// Each is a datagram to the unix socket that $NOTIFY_SOCKET names; without one, nobody is told. The
// watchdog asks every shard by a task in its inbox, twice in the time that $WATCHDOG_USEC grants,
// and feeds the manager when all have answered: one shard that hangs, the asking one included, is
// enough to be restarted.
//
// Owned by Server. Thread: shard 0's, and the starting one before shards run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/timer_wheel.h"
#include "net/datagram_socket.h"
#include "server/shard_thread.h"

namespace server {

class Supervisor {
public:
    // Complete before ready(); the first of them runs in our thread.
    using Shards = std::vector<std::unique_ptr<ShardThread>>;

    Supervisor(const Shards& shards, base::Log& log);
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    // Clients are served from now on. The first time, the watchdog begins.
    void ready();
    // ready() follows, whether the configuration was taken or not.
    void reloading();
    void stopping();

private:
    void begin_watchdog();
    void on_beat();
    void answer(std::size_t shard);  // From its thread.
    void on_answer(std::size_t shard);
    void report_hanging();
    void tell(std::string_view state, net::Patience patience);

    const Shards& shards_;
    base::Log& log_;
    net::DatagramSocket socket_;  // Not open: there is no manager.
    std::uint64_t beat_ms_ = 0;   // 0: nobody watches.
    base::Timer beat_;
    std::vector<bool> is_asked_;  // By shard: it has not answered yet.
    std::size_t asked_ = 0;
    bool reported_ = false;  // That the manager cannot be told.
};

}  // namespace server
