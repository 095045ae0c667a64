// The heart of a shard: waits until something is ready and gives everybody a turn.
//
// A turn is one batch. What arrives together is handled together, and a connection is written once
// a turn however many packets were queued on it; run_turn() in event_loop.cc shows the order. The
// loop stands on libuv's readiness (uv_poll_t): a stream is armed for reading once, and for writing
// only after a short write, so that the normal path makes no epoll_ctl call. An idle loop sleeps
// until a timer is due.
//
// Thread: everything belongs to the one thread that calls run(), but for stop() and inbox(), which
// any thread may use. Ownership: owns its streams and listeners; handlers are borrowed.
#pragma once

#include <uv.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/output_queue.h"
#include "base/result.h"
#include "base/timer_wheel.h"
#include "net/inbox.h"
#include "net/listener.h"
#include "net/stream.h"

namespace net {

// What the owner of a loop does with a turn, after input and before output.
class TurnHandler {
public:
    virtual ~TurnHandler() = default;
    // Hands the turn's changes to the store, and the outboxes to the other shards.
    virtual void end_of_turn() = 0;
};

class EventLoop {
public:
    static constexpr std::size_t read_bytes_max = std::size_t{64} << 10;  // A stream and turn.
    static constexpr std::size_t carry_bytes_max = std::size_t{4} << 10;  // Copied to the front.
    static constexpr std::size_t timers_per_turn_max = 1000;  // Those left out are next.
    static constexpr std::uint64_t drain_ms = 10'000;  // How long close_when_flushed() may take.

    // Fails if the system refuses the descriptors that a loop needs.
    static base::Result<std::unique_ptr<EventLoop>, std::string> create();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    // Closes what is left without telling the handlers.
    ~EventLoop();

    // Turns until stop().
    void run(TurnHandler& handler);
    // One turn; waits for something to do if `wait`.
    void run_turn(TurnHandler& handler, bool wait = true);
    // From any thread: run() returns at the end of its turn.
    void stop();

    // The monotonic time at which this turn woke up, in milliseconds.
    std::uint64_t now_ms() const { return uv_now(&uv_); }
    base::TimerWheel& timers() { return timers_; }
    // Other threads' way in.
    Inbox& inbox() { return inbox_; }
    base::ChunkPool& chunks() { return chunks_; }
    // The next turn shall not wait: there is work that no socket, timer or inbox announces.
    void request_turn() { again_ = true; }

    // Takes a socket in: from a listener, or detached from another loop. Its unread bytes are
    // handed over in this turn, never from within adopt(). Cannot fail: if the system refuses the
    // socket, on_closed() says so at the end of the turn.
    Stream& adopt(DetachedStream&& from, StreamHandler& handler);
    // Binds and listens at once; accepts in the turns to come. The loop owns the listener.
    base::Result<Listener*, std::string> listen(const ListenOptions& options,
                                                AcceptHandler& handler);
    // The same with sockets that were opened before, by `options`.
    base::Result<Listener*, std::string> listen(const ListenOptions& options, ListenSockets sockets,
                                                AcceptHandler& handler);
    // Stops listening and deletes it; its connections stay.
    void close(Listener& listener);

    std::size_t stream_count() const { return stream_count_; }
    // libuv's own loop, for what only libuv has: signals, DNS.
    uv_loop_t* uv() { return &uv_; }

private:
    friend class Stream;
    friend class Listener;
    // What on_bytes() is looking at, so that detach() can take it along.
    struct Handing {
        Stream* stream = nullptr;
        base::Bytes bytes;
        base::Bytes more;  // Bytes behind them that live elsewhere.
    };

    EventLoop();
    void wait_and_read(bool wait);
    void arm_wake_up();
    void replay_kept_bytes();
    void flush_dirty_streams();
    void close_finished_streams();
    void accept_connections();
    void release(Stream& stream);
    static void on_stream_handle_closed(uv_handle_t* handle);

    uv_loop_t uv_{};
    uv_async_t wake_{};
    uv_timer_t alarm_{};
    std::uint64_t alarm_ms_ = 0;  // What alarm_ is set to; 0: not set.
    std::atomic<bool> stopping_{false};
    bool again_ = false;
    bool initialized_ = false;

    base::TimerWheel timers_;
    Inbox inbox_;
    base::ChunkPool chunks_;
    std::unique_ptr<std::uint8_t[]> read_buffer_;  // carry_bytes_max + read_bytes_max.
    ByteBuffer plain_;                             // What a layer has made of it.
    Handing handing_;

    std::vector<Stream*> dirty_;    // To be written at the end of this turn.
    std::vector<Stream*> replay_;   // Have kept bytes to be handed over without a read.
    std::vector<Stream*> closing_;  // Ended in this turn.
    std::vector<Stream*> batch_;    // The list that is being worked through.
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::size_t stream_count_ = 0;
};

}  // namespace net
