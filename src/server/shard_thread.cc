#include "server/shard_thread.h"

#include <algorithm>
#include <chrono>
#include <functional>

#include "server/client.h"

namespace server {
namespace {

constexpr std::uint64_t stop_patience_ms = 2000;

// Takes one place under a limit; false if there is none.
bool take_place(std::atomic<std::int64_t>& count, std::int64_t max) {
    if (count.fetch_add(1, std::memory_order_relaxed) < max || max < 0) return true;
    count.fetch_sub(1, std::memory_order_relaxed);
    return false;
}

}  // namespace

ShardThread::ShardThread(std::unique_ptr<net::EventLoop> loop, broker::Broker& broker,
                         std::uint32_t number, base::Log& log,
                         const std::vector<std::unique_ptr<ShardThread>>& shards)
    : loop_(std::move(loop)),
      clock_(*loop_),
      log_(log),
      number_(number),
      shards_(shards),
      backlogs_(broker.shard_count()),
      shard_(std::make_unique<broker::Shard>(
          broker, number,
          broker::ShardEnvironment{
              .clock = clock_, .log = log, .timers = loop_->timers(), .peers = *this})),
      stop_timer_([](base::Timer&, void* self) { static_cast<ShardThread*>(self)->loop_->stop(); },
                  this) {}

ShardThread::~ShardThread() = default;

std::int64_t ShardThread::LoopClock::wall_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

void ShardThread::open(Door& door, const net::ListenOptions& options, net::ListenSockets sockets) {
    if (stopping_) return;
    auto listener = loop_->listen(options, std::move(sockets), *this);
    if (listener) return entrances_.push_back({*listener, &door});
    log_.print(base::LogType::error, "Error: nobody can come in by {}: {}.", door.place(),
               listener.error());
}

void ShardThread::replace(const Door& before, Door& door, std::uint32_t accepts_per_second_max) {
    for (Entrance& entrance : entrances_) {
        if (entrance.door != &before) continue;
        entrance.door = &door;
        entrance.listener->set_accepts_per_second_max(accepts_per_second_max);
    }
}

void ShardThread::close(const Door& door) {
    const auto leads_in = [&](const Entrance& entrance) { return entrance.door == &door; };
    for (const Entrance& entrance : entrances_) {
        if (leads_in(entrance)) entrance.listener->accept_waiting();
    }
    const auto rest = std::partition(entrances_.begin(), entrances_.end(), std::not_fn(leads_in));
    for (auto gone = rest; gone != entrances_.end(); ++gone) loop_->close(*gone->listener);
    entrances_.erase(rest, entrances_.end());
}

void ShardThread::run() {
    loop_->run(*this);
}

void ShardThread::end_of_turn() {
    if (shard_->end_of_turn()) loop_->request_turn();
    if (stopping_ && loop_->stream_count() == 0) loop_->stop();
}

Door& ShardThread::door_of(const net::Listener& listener) {
    for (const Entrance& entrance : entrances_) {
        if (entrance.listener == &listener) return *entrance.door;
    }
    ASSERT(false && "a connection came in by a listener that is not ours");
}

void ShardThread::on_connection(net::Listener& listener, net::DetachedStream connection) {
    Door& door = door_of(listener);
    const net::Address& peer = connection.peer;
    if (!door.trusts(peer)) return refuse_proxy(door, peer);
    if (!take_place(door.counts.connections, door.connections_max)) {
        refuse(broker::Refusal::connection_limit, peer, "max_connections");
        return;
    }
    if (!take_place(door.all->count, door.all->max)) {
        door.counts.connections.fetch_sub(1, std::memory_order_relaxed);
        refuse(broker::Refusal::connection_limit, peer, "global_max_connections");
        return;
    }
    if (!door.addresses->take(peer)) {
        door.counts.connections.fetch_sub(1, std::memory_order_relaxed);
        door.all->count.fetch_sub(1, std::memory_order_relaxed);
        refuse(broker::Refusal::connection_limit, peer, "max_connections_per_address");
        return;
    }
    if (const std::string_view limit = door.dress(connection); !limit.empty()) {
        give_back(door, peer);
        refuse(broker::Refusal::handshake_limit, peer, limit);
        return;
    }
    if (shard_->options().connection_messages) {
        log_.print(base::LogType::notice, "New connection from {} on {}.", name_of(peer),
                   door.place());
    }
    shard_->counters().connections_opened.add();
    adopt(door, std::move(connection));
}

void ShardThread::give_back(Door& door, const net::Address& peer) {
    door.counts.connections.fetch_sub(1, std::memory_order_relaxed);
    door.all->count.fetch_sub(1, std::memory_order_relaxed);
    door.addresses->give_back(peer);
}

void ShardThread::refuse(broker::Refusal cause, const net::Address& peer, std::string_view limit) {
    const std::string address = peer.is_unix() ? name_of(peer) : peer.text();
    shard_->refusals().print(cause, address, "Client connection from {} denied: {} exceeded.",
                             address, limit);
}

void ShardThread::refuse_proxy(const Door& door, const net::Address& peer) {
    const std::string address = peer.text();
    shard_->refusals().print(broker::Refusal::untrusted_proxy, address,
                             "Client connection from {} denied: {} takes PROXY headers from "
                             "proxy_protocol_trusted only.",
                             address, door.place());
}

void ShardThread::on_accept_paused(net::Listener&, std::string_view reason) {
    log_.print(base::LogType::warning,
               "Warning: Unable to accept new connections, trying again every second: {}. Raise "
               "the limit of open files (ulimit -n) or set max_connections.",
               reason);
}

void ShardThread::on_accept_throttled(net::Listener& listener) {
    const std::string place = door_of(listener).place();
    shard_->refusals().print(broker::Refusal::connection_rate, place,
                             "Connections to {} have to wait: max_connection_rate is reached.",
                             place);
}

void ShardThread::adopt(Door& door, net::DetachedStream connection) {
    net::Stream& stream = loop_->adopt(std::move(connection), *this);
    new Client(*this, door, stream);  // Deletes itself with the stream.
}

void ShardThread::send_connection(std::uint32_t shard, Door& door, net::DetachedStream connection) {
    ShardThread& target = *shards_[shard];
    target.post([&target, &door, moved = std::move(connection)]() mutable {
        target.adopt(door, std::move(moved));
    });
}

void ShardThread::connection_closed(Door& door, const net::Address& peer) {
    give_back(door, peer);
    if (stopping_) loop_->request_turn();
}

// One task a turn and target. The bytes on the way are bounded: beyond, the sender keeps its batch
// and is woken when there is room.
bool ShardThread::post(std::uint32_t from, std::uint32_t to, broker::RouteBatch& batch) {
    ShardThread& target = *shards_[to];
    Backlog& backlog = target.backlogs_[from];
    if (backlog.bytes.load() > peer_bytes_max) {
        backlog.sender_waits.store(true);
        // It may have caught up before it could see that we wait.
        if (backlog.bytes.load() > peer_bytes_max) return false;
    }
    backlog.bytes.fetch_add(batch.bytes());
    target.post([&target, from, sent = std::move(batch)] { target.receive(from, sent); });
    batch = {};
    return true;
}

void ShardThread::receive(std::uint32_t from, const broker::RouteBatch& batch) {
    shard_->receive(from, batch);
    Backlog& backlog = backlogs_[from];
    backlog.bytes.fetch_sub(batch.bytes());
    if (backlog.sender_waits.exchange(false)) {
        shards_[from]->post([] {});  // Its turn ends with another try.
    }
}

void ShardThread::begin_stop() {
    if (stopping_) return;
    stopping_ = true;
    for (const Entrance& entrance : entrances_) loop_->close(*entrance.listener);
    entrances_.clear();
    shard_->disconnect_all(mqtt::ReasonCode::server_shutting_down);
    if (loop_->stream_count() == 0) return loop_->stop();
    loop_->timers().add(stop_timer_, loop_->now_ms() + stop_patience_ms);
}

}  // namespace server
