// One connected socket in an EventLoop.
//
// Bytes in: the loop reads each ready socket once a turn into a buffer that all streams share, and
// hands the bytes to the StreamHandler. What the handler does not consume is kept by the stream
// (and only that), and comes first the next time. Bytes out: append to output(), call mark_dirty();
// the loop writes once at the end of the turn. While the peer does not take its output the stream
// is "stuck": still read, written again as soon as the socket has room.
//
// Between socket and handler there may be a Layer: then the handler sees, and output() takes, what
// is inside of it.
//
// Ownership: the EventLoop owns the stream, and deletes it some time after on_closed() or detach();
// from then on nobody may touch it. Handler pointers are borrowed and must live until on_closed().
// Thread: the loop's. Size: some 300 bytes with libuv's handle; an idle stream holds no buffer.
#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/output_queue.h"
#include "base/timer_wheel.h"
#include "net/address.h"
#include "net/fd.h"
#include "net/layer.h"

namespace net {

class EventLoop;
class Stream;

// Why a stream ended.
struct CloseReason {
    enum class Kind : std::uint8_t { local, peer, error, layer };
    Kind kind = Kind::local;
    int error = 0;              // An errno value if kind is error.
    std::string layer_error{};  // Layer::error() if kind is layer.

    // "Connection reset by peer"; a sentence for the log.
    std::string text() const;
};

// What becomes of a stream. Everything here is called by the loop, in its thread; a callback may
// call any function of any stream, also abort() and detach() of its own.
class StreamHandler {
public:
    virtual ~StreamHandler() = default;
    // Bytes that have arrived, the kept ones first; returns how many of them are done with. They
    // are borrowed until the return. Not called again before more bytes are there than were left
    // over, or as many as Stream::expect() asked for.
    virtual std::size_t on_bytes(Stream& stream, base::Bytes bytes) = 0;
    // Output that had got stuck is (almost) all written: who stopped queueing may go on.
    virtual void on_writable(Stream& stream) = 0;
    // The last call for this stream, exactly once, also after abort(); not after detach().
    virtual void on_closed(Stream& stream, CloseReason reason) = 0;
};

// A connected socket outside of any loop: freshly accepted, or on its way from one loop to another.
// Dropping it closes the connection.
struct DetachedStream {
    Fd fd{};
    Address peer{};
    std::vector<std::uint8_t> unread{};       // Handed to the new handler before anything is read.
    std::vector<std::uint8_t> unsent{};       // Written by the new loop before anything else.
    std::unique_ptr<Layer> layer{};           // Null: none. `unread` and `unsent` are inside of it.
    std::vector<std::uint8_t> unsent_wire{};  // What it has made of output already.
    Layer::Status layer_status = Layer::Status::open;  // Its end follows what is unread.
};

class Stream {
public:
    // A stuck stream is writable again when at most this much of its output is left.
    static constexpr std::size_t writable_bytes_max = std::size_t{16} << 10;

    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    // Append here, then mark_dirty(). What is appended after the stream's end is never written.
    base::OutputQueue& output() { return output_; }
    // The loop shall write output() at the end of this turn.
    void mark_dirty() {
        if (!dirty_ && !stuck_ && state_ <= State::draining) enlist_dirty();
    }
    // True from a short write until the socket takes bytes again.
    bool is_stuck() const { return stuck_; }

    // Call from on_bytes(): not to be called again before `total` bytes (the left-over ones
    // included) have arrived. The buffer grows with what arrives, not with what is announced.
    void expect(std::size_t total) { expect_ = static_cast<std::uint32_t>(total); }
    // While paused nothing is read or handed over; the peer meets a closed window. resume_reading()
    // hands over what on_bytes() had left, in this turn or the next.
    void pause_reading();
    void resume_reading();
    bool is_paused() const { return paused_; }

    // Closes when all output is written, or the peer has not taken it in EventLoop::drain_ms.
    // Nothing more is read.
    void close_when_flushed();
    // Closes without writing what is left. on_closed() follows at the end of the turn.
    void abort();
    // False once the end has come: abort(), an error, or the peer's close; draining counts as open.
    bool is_open() const { return state_ <= State::draining; }

    // Takes the socket out of this loop, with what was not consumed or not written. Inside
    // on_bytes(), `consumed` says how many of the bytes just handed over are done with, and the
    // return value of on_bytes() no longer matters. The stream must be open, and ends here.
    DetachedStream detach(std::size_t consumed = 0);

    // nullptr: nobody wants to hear of it any more, on_closed() included.
    void set_handler(StreamHandler* handler) { handler_ = handler; }
    StreamHandler* handler() const { return handler_; }

    const Address& peer() const { return peer_; }
    PeerFacts facts() const;
    std::uint16_t local_port() const { return local_port_; }
    int fd() const { return fd_; }
    EventLoop& loop() const { return *loop_; }

private:
    friend class EventLoop;
    // In the order of a life. A closing or detached stream is in the loop's list of finished ones,
    // which releases it at the end of the turn. It is deleted when libuv has let go of poll_ too.
    enum class State : std::uint8_t { open, draining, closing, detached, released };
    struct Kept;     // Bytes that on_bytes() left over.
    struct Layered;  // A layer, and what it has made of output().
    struct FreeKept {
        void operator()(Kept* kept) const;
    };
    using KeptOwner = std::unique_ptr<Kept, FreeKept>;
    struct FreeLayered {
        void operator()(Layered* layered) const;
    };

    Stream(EventLoop& loop, DetachedStream&& from, StreamHandler* handler);
    ~Stream() = default;
    void begin();
    void enlist_dirty();
    void enlist_replay();
    void end(const CloseReason& reason);
    void leave();
    // Tells libuv what to wait for.
    void watch();

    void on_ready(int status, int events);
    void on_error();
    void read();
    void read_into_shared();
    void read_into_kept();
    void read_through_layer();
    void take_plain(base::Bytes plain);
    void end_by_layer(Layer::Status status);
    void end_if_layer_has();
    bool received(ssize_t count);
    // Hands over what is kept, without reading more.
    void replay();
    // Hands `bytes` over and returns how many are left, at their end; `more` follows them.
    std::size_t hand_over(base::Bytes bytes, base::Bytes more);
    void hand_over_kept(base::Bytes more);
    void keep(base::Bytes rest);
    std::size_t capacity_for(std::size_t size) const;
    void flush();
    // Sends what one system call takes; false if the socket took less than it was given.
    bool write_once(base::OutputQueue& from);
    bool write_through_layer();
    bool has_more_to_write() const;
    bool is_drained() const;
    CloseReason close_reason() const;
    void discard_input();

    uv_poll_t poll_{};
    base::OutputQueue output_;
    EventLoop* loop_;
    StreamHandler* handler_;
    KeptOwner kept_;
    std::unique_ptr<Layered, FreeLayered> layered_;  // Null: the plain socket.
    std::unique_ptr<base::Timer> drain_timer_;
    Address peer_;
    int fd_;
    std::uint32_t expect_ = 0;
    int close_error_ = 0;
    std::uint16_t local_port_;
    CloseReason::Kind close_kind_ = CloseReason::Kind::local;
    State state_ = State::open;
    bool dirty_ = false;           // In the loop's dirty list.
    bool replay_ = false;          // In the loop's list of streams to replay().
    bool stuck_ = false;           // Waits for room in the socket.
    bool notify_ = false;          // Owes the handler an on_writable().
    bool watching_write_ = false;  // libuv waits for that room.
    bool paused_ = false;
    bool polled_ = false;  // libuv knows poll_.
};

}  // namespace net
