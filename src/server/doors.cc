#include "server/doors.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "net/web_socket_layer.h"
#include "server/settings.h"
#include "server/tls_options.h"

namespace server {
namespace {

using base::LogType;

auto place_of(const config::Listener& listener) {
    return std::tie(listener.port, listener.host, listener.unix_path, listener.bind_interface,
                    listener.socket_domain);
}

// "listener 8883", as errors name it.
std::string name_of(const config::Listener& listener) {
    if (!listener.unix_path.empty()) return fmt::format("listener 0 {}", listener.unix_path);
    if (listener.host.empty()) return fmt::format("listener {}", listener.port);
    return fmt::format("listener {} {}", listener.port, listener.host);
}

}  // namespace

Doors::Doors(const config::Config& config, base::Log& log,
             const std::vector<std::unique_ptr<ShardThread>>& shards)
    : address_limit_(static_cast<std::uint32_t>(config.max_connections_per_address)),
      log_(log),
      shards_(shards) {
    connection_limit_.max = config.global_max_connections;
}

// Those that cannot be opened are left out.
std::vector<Doors::Step> Doors::match(const config::Config& config) const {
    std::vector<Step> steps;
    std::vector<Door*> left = open_;
    for (const config::Listener& listener : config.listeners) {
        if (!listener.unavailable_because.empty()) continue;
        Step& step = steps.emplace_back(Step{.listener = &listener});
        const auto same = std::find_if(left.begin(), left.end(), [&](const Door* door) {
            return place_of(door->configured) == place_of(listener);
        });
        if (same == left.end()) continue;
        step.before = *same;
        left.erase(same);
    }
    return steps;
}

Realms Doors::realms(const config::Config& config, const Realms& before) const {
    std::vector<RealmWanted> wanted;
    for (const Step& step : match(config)) {
        const std::uint32_t realm = step.before ? step.before->options.realm : 0;
        wanted.push_back({&step.listener->security, realm});
    }
    return renumbered(before, wanted, !config.per_listener_settings);
}

base::Result<Doors::Change, std::string> Doors::prepare(const config::Config& config,
                                                        const Realms& realms) {
    for (const config::Listener& listener : config.listeners) {
        if (listener.unavailable_because.empty()) continue;
        log_.print(LogType::error, "Error: {} is not opened: {}", name_of(listener),
                   listener.unavailable_because);
    }
    Change change;
    std::vector<Step> steps = match(config);
    for (Door* door : open_) {
        const bool stays = std::any_of(steps.begin(), steps.end(),
                                       [&](const Step& step) { return step.before == door; });
        if (!stays) change.closing.push_back(door);
    }
    std::string error = "Error: none of the listeners can be opened.";
    for (std::size_t i = 0; i < steps.size(); ++i) {
        auto prepared = prepare(steps[i], config, realms.of_listener[i], change);
        if (prepared) {
            change.steps.push_back(std::move(steps[i]));
            continue;
        }
        error = std::move(prepared.error());
        // One of the two families is enough: not every machine has IPv6.
        if (!config.local_only) return base::fail(std::move(error));
    }
    if (change.steps.empty()) return base::fail(std::move(error));
    return change;
}

base::Result<void, std::string> Doors::prepare(Step& step, const config::Config& config,
                                               std::uint32_t realm, const Change& change) {
    const config::Listener& listener = *step.listener;
    if (listener.protocol == config::Protocol::websockets && !net::has_web_socket) {
        return base::fail(fmt::format("Error: {}: this build has no wslay, so it has no WebSocket.",
                                      name_of(listener)));
    }
    if (listener.tls.is_on()) {
        auto made = net::TlsContext::make(tls_options(listener, name_of(listener)));
        if (!made) return base::fail(std::move(made.error()));
        step.tls = std::move(*made);
    }
    const Door* const before = step.before;
    const bool is_same = before && before->configured == listener && before->options.realm == realm;
    if (is_same) return {};
    step.after = std::make_unique<Door>(step.before);
    Door& door = *step.after;
    door.options = door_options(listener, realm);
    door.configured = listener;
    door.connections_max = listener.max_connections;
    door.all = &connection_limit_;
    door.addresses = &address_limit_;
    door.has_tls = listener.tls.is_on();
    door.user_from = user_from(listener.tls);
    step.options = listen_options(listener, config, shards_.size());
    if (!before) return open(step, change);
    door.options.port = before->options.port;
    return {};
}

base::Result<void, std::string> Doors::open(Step& step, const Change& change) {
    // What is about to be closed may have the port for another address, and lets it be shared.
    step.options.joins =
        std::any_of(change.closing.begin(), change.closing.end(), [&](const Door* door) {
            return step.options.port != 0 && door->options.port == step.options.port;
        });
    const bool is_unix = !step.options.unix_path.empty();
    for (std::size_t i = 0; i < (is_unix ? 1 : shards_.size()); ++i) {
        auto sockets = net::ListenSockets::open(step.options);
        if (!sockets) return base::fail(std::move(sockets.error()));
        // Known only now if it was 0.
        step.options.port = step.after->options.port = sockets->port();
        step.options.joins = true;
        step.sockets.push_back(std::move(*sockets));
    }
    return {};
}

void Doors::apply(Change change) {
    open_.clear();
    for (Step& step : change.steps) apply(step);
    for (Door* door : change.closing) {
        log_.print(LogType::information, "Closing listen socket: {}.", door->place());
        tell_shards([door](ShardThread& shard) { shard.close(*door); });
    }
}

void Doors::apply(Step& step) {
    Door* const door = step.after ? step.after.get() : step.before;
    if (step.tls) door->set_tls(std::move(step.tls));
    open_.push_back(door);
    if (!step.after) return;
    doors_.push_back(std::move(step.after));
    if (!step.before) return hand_over(step, *door);
    const std::uint32_t rate = step.options.accepts_per_second_max;
    tell_shards([door, before = step.before, rate](ShardThread& shard) {
        shard.replace(*before, *door, rate);
    });
}

void Doors::hand_over(Step& step, Door& door) {
    log_addresses(step);
    for (std::size_t i = 0; i < step.sockets.size(); ++i) {
        shards_[i]->post([target = shards_[i].get(), &door, options = step.options,
                          sockets = std::move(step.sockets[i])]() mutable {
            target->open(door, options, std::move(sockets));
        });
    }
}

// Each in its own thread, soon.
void Doors::tell_shards(const std::function<void(ShardThread&)>& task) {
    for (const auto& shard : shards_) {
        shard->post([target = shard.get(), task] { task(*target); });
    }
}

void Doors::log_addresses(const Step& step) {
    if (!step.options.unix_path.empty()) {
        return log_.print(LogType::information, "Opening unix listen socket on path {}.",
                          step.options.unix_path);
    }
    for (const net::Address& address : step.sockets[0].addresses()) {
        log_.print(LogType::information, "Opening {} listen socket on port {}.",
                   address.family() == AF_INET6 ? "ipv6" : "ipv4", address.port());
    }
}

}  // namespace server
