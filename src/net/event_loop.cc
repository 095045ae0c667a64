#include "net/event_loop.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace net {

// ---- The turn

void EventLoop::run(TurnHandler& handler) {
    while (!stopping_.load(std::memory_order_acquire)) run_turn(handler);
    stopping_.store(false, std::memory_order_release);
}

// Input first, output last: between them everything that this turn's input has caused finds its way
// into the outputs, so that each is written once. The store gets its changes before the writes, so
// that it can work while we are in the system calls. Connections close after the writes, so that no
// handler meets one that is gone; new ones come last, since those that exist go first.
void EventLoop::run_turn(TurnHandler& handler, bool wait) {
    wait_and_read(wait);  // now_ms() stands still from here: the whole turn happens "now".

    inbox_.run_all();  // What other threads have sent.
    replay_kept_bytes();
    if (timers_.fire_due(now_ms(), timers_per_turn_max)) again_ = true;

    handler.end_of_turn();

    flush_dirty_streams();
    close_finished_streams();
    accept_connections();
}

void EventLoop::wait_and_read(bool wait) {
    const bool busy = again_ || !dirty_.empty() || !replay_.empty() || !closing_.empty();
    again_ = false;
    const bool may_wait = wait && !busy && !stopping_.load(std::memory_order_acquire);
    if (may_wait) arm_wake_up();
    // libuv calls Stream::on_ready() for each socket that is ready.
    uv_run(&uv_, may_wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

// Sets libuv's one timer to when the wheel wants its next turn. Left alone while that has not
// changed; when it is early, because a timer was cancelled, it costs one empty turn.
void EventLoop::arm_wake_up() {
    const std::uint64_t next = timers_.next_deadline_ms().value_or(0);
    if (next == alarm_ms_) return;
    alarm_ms_ = next;
    if (next == 0) {
        uv_timer_stop(&alarm_);
        return;
    }
    uv_update_time(&uv_);
    const std::uint64_t now = now_ms();
    const auto ring = [](uv_timer_t* timer) {
        static_cast<EventLoop*>(timer->data)->alarm_ms_ = 0;
    };
    uv_timer_start(&alarm_, ring, next > now ? next - now : 0, 0);
}

// What the calls below put on the same list again waits for the next turn, which then does not
// sleep.
void EventLoop::replay_kept_bytes() {
    batch_.swap(replay_);
    for (Stream* stream : batch_) stream->replay();
    batch_.clear();
}

void EventLoop::flush_dirty_streams() {
    batch_.swap(dirty_);
    for (Stream* stream : batch_) stream->flush();
    batch_.clear();
}

void EventLoop::close_finished_streams() {
    // By index: on_closed() may end other streams.
    for (std::size_t i = 0; i < closing_.size(); ++i) {
        Stream& stream = *closing_[i];
        if (stream.state_ == Stream::State::closing) {
            StreamHandler* handler = std::exchange(stream.handler_, nullptr);
            if (handler) handler->on_closed(stream, stream.close_reason());
            ::close(stream.fd_);  // Stream::leave() has told libuv to let go of it.
        }
        release(stream);
    }
    closing_.clear();
}

void EventLoop::accept_connections() {
    // By index: on_connection() may listen elsewhere too.
    for (std::size_t i = 0; i < listeners_.size(); ++i) listeners_[i]->accept_ready();
    std::erase_if(listeners_, [](const auto& listener) { return listener->is_shut(); });
}

// ---- Streams

Stream& EventLoop::adopt(DetachedStream&& from, StreamHandler& handler) {
    const std::vector<std::uint8_t> unsent = std::move(from.unsent);
    const std::vector<std::uint8_t> unread = std::move(from.unread);
    const bool layer_has_ended = from.layer_status != Layer::Status::open;
    auto* stream = new Stream(*this, std::move(from), &handler);
    ++stream_count_;
    stream->begin();
    if (!stream->is_open()) return *stream;
    stream->keep(unread);
    if (stream->kept_ || layer_has_ended) stream->enlist_replay();
    stream->output_.append(unsent);
    if (stream->has_more_to_write()) stream->mark_dirty();
    return *stream;
}

// The last step of a stream's end, or the last but one: libuv calls on_stream_handle_closed() from
// within uv_run(), in this turn if the stream ended there, otherwise in the next.
void EventLoop::release(Stream& stream) {
    if (stream.dirty_) std::erase(dirty_, &stream);
    if (stream.replay_) std::erase(replay_, &stream);
    stream.state_ = Stream::State::released;
    --stream_count_;
    again_ = true;  // on_closed() may have caused work after the end_of_turn() of this turn.
    if (!stream.polled_) delete &stream;
}

void EventLoop::on_stream_handle_closed(uv_handle_t* handle) {
    auto* stream = static_cast<Stream*>(handle->data);
    stream->polled_ = false;
    if (stream->state_ == Stream::State::released) delete stream;
}

// ---- Listeners

base::Result<Listener*, std::string> EventLoop::listen(const ListenOptions& options,
                                                       AcceptHandler& handler) {
    auto sockets = ListenSockets::open(options);
    if (!sockets) return base::fail(std::move(sockets).error());
    return listen(options, std::move(*sockets), handler);
}

base::Result<Listener*, std::string> EventLoop::listen(const ListenOptions& options,
                                                       ListenSockets sockets,
                                                       AcceptHandler& handler) {
    std::unique_ptr<Listener> listener(new Listener(*this, options, std::move(sockets), handler));
    if (auto started = listener->start(); !started) return base::fail(std::move(started.error()));
    listeners_.push_back(std::move(listener));
    return listeners_.back().get();
}

void EventLoop::close(Listener& listener) {
    // Deleted at the end of a turn, since this may be called from one of its own callbacks.
    listener.shut();
    again_ = true;
}

// ---- Life

EventLoop::EventLoop()
    : timers_(uv_hrtime() / 1'000'000),
      inbox_([](void* self) { uv_async_send(&static_cast<EventLoop*>(self)->wake_); }, this),
      read_buffer_(new std::uint8_t[carry_bytes_max + read_bytes_max]) {}

base::Result<std::unique_ptr<EventLoop>, std::string> EventLoop::create() {
    std::unique_ptr<EventLoop> loop(new EventLoop);
    if (const int error = uv_loop_init(&loop->uv_)) {
        return base::fail(std::string("event loop: ") + uv_strerror(error));
    }
    // The inbox is looked into every turn; waking up is all that this has to do.
    if (const int error = uv_async_init(&loop->uv_, &loop->wake_, [](uv_async_t*) {})) {
        uv_loop_close(&loop->uv_);
        return base::fail(std::string("event loop: ") + uv_strerror(error));
    }
    uv_timer_init(&loop->uv_, &loop->alarm_);
    loop->alarm_.data = loop.get();
    loop->initialized_ = true;
    return loop;
}

EventLoop::~EventLoop() {
    if (!initialized_) return;
    listeners_.clear();
    const auto end = [](uv_handle_t* handle, void*) {
        if (uv_is_closing(handle)) return;
        // The listeners' handles are closing: what is left to poll are streams.
        if (handle->type == UV_POLL) {
            static_cast<Stream*>(handle->data)->abort();
        } else {
            uv_close(handle, nullptr);
        }
    };
    uv_walk(&uv_, end, nullptr);
    for (Stream* stream : closing_) stream->handler_ = nullptr;
    close_finished_streams();
    uv_run(&uv_, UV_RUN_DEFAULT);  // Runs the close callbacks.
    ASSERT(uv_loop_close(&uv_) == 0);
}

void EventLoop::stop() {
    stopping_.store(true, std::memory_order_release);
    uv_async_send(&wake_);
}

}  // namespace net
