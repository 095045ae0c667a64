// One shard at work: its loop, its part of every listening port, its clients, and the inbox through
// which the other shards reach it.
//
// Owned by Server. Threads: run() makes the calling thread the shard's; post(), stop() and what is
// said to be so may be called from others, the rest only from the shard's.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/shard.h"
#include "net/event_loop.h"
#include "server/door.h"

namespace server {

class ShardThread : private net::TurnHandler,
                    private net::AcceptHandler,
                    private net::StreamHandler,
                    private broker::Peers {
public:
    // Bytes of messages that may be on their way from one shard to another.
    static constexpr std::size_t peer_bytes_max = std::size_t{16} << 20;

    // `shards` are all of them, this one included, in their order; complete before run().
    ShardThread(std::unique_ptr<net::EventLoop> loop, broker::Broker& broker, std::uint32_t number,
                base::Log& log, const std::vector<std::unique_ptr<ShardThread>>& shards);
    ShardThread(const ShardThread&) = delete;
    ShardThread& operator=(const ShardThread&) = delete;
    ~ShardThread() override;

    void run();

    broker::Shard& shard() { return *shard_; }
    net::EventLoop& loop() { return *loop_; }
    // From any thread: `task` runs in the shard's.
    void post(net::Task task) { loop_->inbox().post(std::move(task)); }

    // Lets clients in by these sockets, which were opened by `options`.
    void open(Door& door, const net::ListenOptions& options, net::ListenSockets sockets);
    // Who comes from now on comes in by `door`.
    void replace(const Door& before, Door& door, std::uint32_t accepts_per_second_max);
    // Nobody comes in any more; who is in stays.
    void close(const Door& door);
    // No new connections; tells every client, and run() returns when they are gone or did not go.
    void begin_stop();

    // A connection whose client belongs to another shard.
    void send_connection(std::uint32_t shard, Door& door, net::DetachedStream connection);
    void connection_closed(Door& door, const net::Address& peer);

private:
    // What one other shard has sent and this one has not handled yet.
    struct Backlog {
        std::atomic<std::size_t> bytes{0};
        std::atomic<bool> sender_waits{false};
    };
    class LoopClock : public base::Clock {
    public:
        explicit LoopClock(net::EventLoop& loop) : loop_(loop) {}
        std::uint64_t monotonic_ms() const override { return loop_.now_ms(); }
        std::int64_t wall_ms() const override;

    private:
        net::EventLoop& loop_;
    };

    void end_of_turn() override;
    void on_connection(net::Listener& listener, net::DetachedStream connection) override;
    void on_accept_paused(net::Listener& listener, std::string_view reason) override;
    void on_accept_throttled(net::Listener& listener) override;
    bool post(std::uint32_t from, std::uint32_t to, broker::RouteBatch& batch) override;
    void wake(std::uint32_t shard) override {
        shards_[shard]->post([] {});
    }
    void receive(std::uint32_t from, const broker::RouteBatch& batch);
    void adopt(Door& door, net::DetachedStream connection);
    void give_back(Door& door, const net::Address& peer);
    void refuse(broker::Refusal cause, const net::Address& peer, std::string_view limit);
    void refuse_proxy(const Door& door, const net::Address& peer);
    Door& door_of(const net::Listener& listener);

    // A stream has no Client for the moment between adopt() and the Client's making.
    std::size_t on_bytes(net::Stream&, base::Bytes) override { return 0; }
    void on_writable(net::Stream&) override {}
    void on_closed(net::Stream&, net::CloseReason) override {}

    struct Entrance {
        net::Listener* listener;
        Door* door;
    };

    std::unique_ptr<net::EventLoop> loop_;
    LoopClock clock_;
    base::Log& log_;
    std::uint32_t number_;
    const std::vector<std::unique_ptr<ShardThread>>& shards_;
    std::vector<Backlog> backlogs_;  // By sending shard.
    std::unique_ptr<broker::Shard> shard_;
    std::vector<Entrance> entrances_;
    base::Timer stop_timer_;
    bool stopping_ = false;
};

}  // namespace server
