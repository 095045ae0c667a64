// The listeners that are open: those of the configuration at the start, and after each reload those
// of the new one.
//
//     change = prepare(config)    reads what TLS needs and opens what is new: all, or nothing
//     apply(change)               clients come in by it; what is gone is closed
//
// Clients stay, whatever becomes of the listener they came in by. A place that is still listened at
// keeps its sockets, whatever else has changed about it.
//
// Owned by Server. Thread: shard 0's, or before the shards run. Doors are never destroyed before
// the end (see Door): some hundred bytes for each listener that a reload changes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "config/config.h"
#include "server/door.h"
#include "server/realms.h"
#include "server/shard_thread.h"

namespace server {

class Doors {
public:
    // What one listener of the new configuration takes.
    struct Step {
        const config::Listener* listener = nullptr;
        Door* before = nullptr;         // Null: it is new.
        std::unique_ptr<Door> after{};  // Null: `before` stays as it is.
        base::Ref<net::TlsContext> tls{};
        net::ListenOptions options{};
        std::vector<net::ListenSockets> sockets{};  // For each shard; one for a unix socket.
    };
    // Until apply() nobody notices; destroyed without it, nothing has changed.
    struct Change {
        std::vector<Step> steps;
        std::vector<Door*> closing;
    };

    Doors(const config::Config& config, base::Log& log,
          const std::vector<std::unique_ptr<ShardThread>>& shards);

    // Of which realms `config` wants its listeners to be, those that cannot be opened left out.
    Realms realms(const config::Config& config, const Realms& before) const;
    // `config`, which outlives the change, and realms() of it. Fails with a sentence.
    base::Result<Change, std::string> prepare(const config::Config& config, const Realms& realms);
    void apply(Change change);
    // In the order of the configuration.
    const std::vector<Door*>& open() const { return open_; }

private:
    std::vector<Step> match(const config::Config& config) const;
    base::Result<void, std::string> prepare(Step& step, const config::Config& config,
                                            std::uint32_t realm, const Change& change);
    base::Result<void, std::string> open(Step& step, const Change& change);
    void apply(Step& step);
    void hand_over(Step& step, Door& door);
    void tell_shards(const std::function<void(ShardThread&)>& task);
    void log_addresses(const Step& step);

    ConnectionLimit connection_limit_;
    AddressLimit address_limit_;
    base::Log& log_;
    const std::vector<std::unique_ptr<ShardThread>>& shards_;
    std::vector<std::unique_ptr<Door>> doors_;  // All that there ever were.
    std::vector<Door*> open_;
};

}  // namespace server
