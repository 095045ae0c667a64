#include "net/stream.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <span>
#include <system_error>
#include <utility>

#include "base/assert.h"
#include "net/event_loop.h"

namespace net {

std::string CloseReason::text() const {
    switch (kind) {
        case Kind::local:
            return "Closed by us";
        case Kind::peer:
            return "Connection closed by the peer";
        case Kind::error:
            return std::generic_category().message(error);
        case Kind::layer:
            return layer_error;
    }
    return {};
}

// ---- What on_bytes() left over

struct Stream::Kept {
    std::size_t size = 0;
    std::size_t capacity = 0;
    std::uint8_t* data() { return reinterpret_cast<std::uint8_t*>(this + 1); }
    base::Bytes bytes() { return {data(), size}; }
    void append(base::Bytes more) {
        if (!more.empty()) std::memcpy(data() + size, more.data(), more.size());
        size += more.size();
    }
};

void Stream::FreeKept::operator()(Kept* kept) const {
    ::operator delete(kept);
}

// A little is kept in as many bytes. More than that is about to be filled up: with what the handler
// expects, but at most doubling, so that memory is spent on bytes that have arrived, not announced.
std::size_t Stream::capacity_for(std::size_t size) const {
    if (size <= EventLoop::carry_bytes_max && expect_ <= EventLoop::read_bytes_max) return size;
    const std::size_t doubled = std::max(2 * size, EventLoop::read_bytes_max);
    return expect_ > size ? std::min<std::size_t>(expect_, doubled) : doubled;
}

// Keeps `rest`, which is not part of what is kept so far, instead of that.
void Stream::keep(base::Bytes rest) {
    kept_.reset();
    const std::size_t capacity = capacity_for(rest.size());
    if (rest.empty() && expect_ == 0) return;
    kept_.reset(new (::operator new(sizeof(Kept) + capacity)) Kept);
    kept_->capacity = capacity;
    kept_->append(rest);
}

// ---- What stands before the socket

struct Stream::Layered {
    Layered(std::unique_ptr<Layer> its, base::ChunkPool& pool)
        : layer(std::move(its)), wire(pool) {}
    std::unique_ptr<Layer> layer;
    base::OutputQueue wire;
    Layer::Status status = Layer::Status::open;  // Of the last receive().
    bool finished = false;                       // It has said goodbye.
};

void Stream::FreeLayered::operator()(Layered* layered) const {
    delete layered;
}

PeerFacts Stream::facts() const {
    return layered_ ? layered_->layer->facts() : PeerFacts{};
}

CloseReason Stream::close_reason() const {
    CloseReason reason{close_kind_, close_error_};
    if (reason.kind == CloseReason::Kind::layer) reason.layer_error = layered_->layer->error();
    return reason;
}

// ---- Life

Stream::Stream(EventLoop& loop, DetachedStream&& from, StreamHandler* handler)
    : output_(loop.chunks_),
      loop_(&loop),
      handler_(handler),
      peer_(from.peer),
      fd_(from.fd.release()),
      local_port_(Address::local_of(fd_).port()) {
    if (!from.layer) return;
    layered_.reset(new Layered(std::move(from.layer), loop.chunks_));
    layered_->wire.append(from.unsent_wire);
    layered_->status = from.layer_status;
}

void Stream::begin() {
    const int error = uv_poll_init(&loop_->uv_, &poll_, fd_);
    if (error != 0) {
        end({CloseReason::Kind::error, -error});
        return;
    }
    poll_.data = this;
    polled_ = true;
    watch();
}

void Stream::watch() {
    const int events =
        (paused_ || state_ != State::open ? 0 : UV_READABLE) | (stuck_ ? UV_WRITABLE : 0);
    watching_write_ = stuck_;
    const int error = uv_poll_start(&poll_, events, [](uv_poll_t* poll, int status, int ready) {
        static_cast<Stream*>(poll->data)->on_ready(status, ready);
    });
    ASSERT(error == 0);
}

void Stream::leave() {
    output_.clear();
    if (layered_) layered_->wire.clear();
    kept_.reset();
    drain_timer_.reset();
    if (polled_) {
        uv_close(reinterpret_cast<uv_handle_t*>(&poll_), EventLoop::on_stream_handle_closed);
    }
    loop_->closing_.push_back(this);
}

void Stream::end(const CloseReason& reason) {
    if (!is_open()) return;
    state_ = State::closing;
    close_kind_ = reason.kind;
    close_error_ = reason.error;
    leave();
}

void Stream::abort() {
    end({CloseReason::Kind::local, 0});
}

void Stream::close_when_flushed() {
    if (state_ != State::open) return;
    state_ = State::draining;
    if (stuck_) {
        watch();
    } else {
        enlist_dirty();
    }
    const auto give_up = [](base::Timer&, void* self) { static_cast<Stream*>(self)->abort(); };
    drain_timer_ = std::make_unique<base::Timer>(give_up, this);
    loop_->timers_.add(*drain_timer_, loop_->now_ms() + EventLoop::drain_ms);
}

namespace {

void take_all(base::OutputQueue& queue, std::vector<std::uint8_t>& into) {
    while (!queue.empty()) {
        std::array<iovec, 16> vectors{};
        const std::size_t count = queue.gather(vectors);
        std::size_t size = 0;
        for (const iovec& one : std::span(vectors).first(count)) {
            const auto* data = static_cast<const std::uint8_t*>(one.iov_base);
            into.insert(into.end(), data, data + one.iov_len);
            size += one.iov_len;
        }
        queue.consume(size);
    }
}

}  // namespace

DetachedStream Stream::detach(std::size_t consumed) {
    ASSERT(is_open());
    DetachedStream out;
    out.peer = peer_;
    if (loop_->handing_.stream == this) {
        const EventLoop::Handing& now = loop_->handing_;
        out.unread.assign(now.bytes.begin() + static_cast<std::ptrdiff_t>(consumed),
                          now.bytes.end());
        out.unread.insert(out.unread.end(), now.more.begin(), now.more.end());
    } else if (kept_) {
        out.unread.assign(kept_->data(), kept_->data() + kept_->size);
    }
    take_all(output_, out.unsent);
    if (layered_) {
        take_all(layered_->wire, out.unsent_wire);
        out.layer = std::move(layered_->layer);
        out.layer_status = layered_->status;
        layered_.reset();
    }
    state_ = State::detached;
    handler_ = nullptr;
    leave();  // Before the descriptor has a new owner, who may close it.
    out.fd = Fd(std::exchange(fd_, -1));
    return out;
}

// ---- Reading

void Stream::pause_reading() {
    if (paused_) return;
    paused_ = true;
    if (is_open()) watch();
}

void Stream::resume_reading() {
    if (!paused_) return;
    paused_ = false;
    if (!is_open()) return;
    watch();
    if (kept_) enlist_replay();
}

void Stream::on_ready(int status, int events) {
    if (!is_open()) return;
    if (status < 0) {
        on_error();
        return;
    }
    if ((events & UV_WRITABLE) != 0 && stuck_) {
        stuck_ = false;
        enlist_dirty();
    }
    if ((events & UV_READABLE) != 0 && state_ == State::open && !paused_) read();
}

// libuv has stopped watching, for the socket is in error. Bytes may have come before it.
void Stream::on_error() {
    if (state_ == State::open && !paused_) read();
    if (!is_open()) return;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    end({CloseReason::Kind::error, error != 0 ? error : ECONNRESET});
}

// One read a turn, of up to 64 KiB. A little that was left over goes to the front of the shared
// buffer, so that it and what follows are one run of bytes. More than that is not copied again:
// the stream's own buffer is filled up.
void Stream::read() {
    if (replay_) {
        // What is kept comes first, for this read may meet the end.
        hand_over_kept({});
        if (state_ != State::open || paused_) return;
    }
    if (layered_) return read_through_layer();
    const bool much = kept_ && kept_->size > EventLoop::carry_bytes_max;
    if (much || expect_ > EventLoop::read_bytes_max) {
        read_into_kept();
    } else {
        read_into_shared();
    }
}

// True if bytes came; ends the stream if none ever will.
bool Stream::received(ssize_t count) {
    if (count > 0) return true;
    if (count == 0) {
        end({CloseReason::Kind::peer, 0});
    } else if (errno != EAGAIN && errno != EINTR) {
        end({CloseReason::Kind::error, errno});
    }
    return false;
}

void Stream::read_into_shared() {
    const std::size_t carried = kept_ ? kept_->size : 0;
    std::uint8_t* start = loop_->read_buffer_.get() + (EventLoop::carry_bytes_max - carried);
    const ssize_t count = ::recv(fd_, start + carried, EventLoop::read_bytes_max, MSG_DONTWAIT);
    if (!received(count)) return;
    if (carried > 0) std::memcpy(start, kept_->data(), carried);
    kept_.reset();
    const base::Bytes bytes(start, carried + static_cast<std::size_t>(count));
    const std::size_t left = hand_over(bytes, {});
    if (left > 0) keep(bytes.last(left));
}

// Once the stream's own buffer is as large as the handler expects, what follows goes to the shared
// buffer in the same system call: the packets behind a large one are not copied.
void Stream::read_into_kept() {
    if (!kept_ || kept_->size == kept_->capacity) {
        const KeptOwner old = std::move(kept_);
        keep(old ? old->bytes() : base::Bytes());
    }
    const bool complete = expect_ > kept_->size && expect_ <= kept_->capacity;
    const std::size_t room = (complete ? expect_ : kept_->capacity) - kept_->size;
    std::uint8_t* shared = loop_->read_buffer_.get();
    std::array<iovec, 2> into{
        {{kept_->data() + kept_->size, room}, {shared, EventLoop::read_bytes_max}}};
    msghdr message{};
    message.msg_iov = into.data();
    message.msg_iovlen = complete ? 2 : 1;
    const ssize_t count = ::recvmsg(fd_, &message, MSG_DONTWAIT);
    if (!received(count)) return;
    const auto size = static_cast<std::size_t>(count);
    kept_->size += std::min(size, room);
    hand_over_kept({shared, size > room ? size - room : 0});
}

void Stream::read_through_layer() {
    if (layered_->status != Layer::Status::open) return end_if_layer_has();
    std::uint8_t* raw = loop_->read_buffer_.get();
    const ssize_t count = ::recv(fd_, raw, EventLoop::read_bytes_max, MSG_DONTWAIT);
    if (!received(count)) return;
    ByteBuffer& plain = loop_->plain_;
    plain.clear();
    layered_->status =
        layered_->layer->receive({raw, static_cast<std::size_t>(count)}, plain, layered_->wire);
    if (has_more_to_write()) mark_dirty();
    take_plain(plain.bytes());
    end_if_layer_has();
}

// What came before the end is handed over first, however long a pause puts that off.
void Stream::end_if_layer_has() {
    if (state_ != State::open || layered_->status == Layer::Status::open) return;
    if (!paused_ || !kept_) end_by_layer(layered_->status);
}

// The input of a layer comes in pieces of its own size, so what is kept is filled up by copying.
void Stream::take_plain(base::Bytes plain) {
    if (plain.empty()) return;
    if (!kept_) {
        const std::size_t left = hand_over(plain, {});
        if (left > 0) keep(plain.last(left));
        return;
    }
    if (kept_->capacity - kept_->size < plain.size()) {
        const KeptOwner old = std::move(kept_);
        const std::size_t capacity = capacity_for(old->size + plain.size());
        kept_.reset(new (::operator new(sizeof(Kept) + capacity)) Kept);
        kept_->capacity = capacity;
        kept_->append(old->bytes());
    }
    kept_->append(plain);
    if (!paused_) hand_over_kept({});
}

// What the layer has to say about it is written if the socket takes it.
void Stream::end_by_layer(Layer::Status status) {
    if (!layered_->wire.empty()) write_once(layered_->wire);
    if (!is_open()) return;
    discard_input();
    end({status == Layer::Status::closed ? CloseReason::Kind::peer : CloseReason::Kind::layer});
}

void Stream::replay() {
    replay_ = false;
    if (state_ == State::open && !paused_) hand_over_kept({});
    if (layered_) end_if_layer_has();
}

void Stream::hand_over_kept(base::Bytes more) {
    if (!kept_ || kept_->size < expect_) return;
    // Out of reach of abort(), which frees what is kept: the handler still looks at it.
    KeptOwner old = std::move(kept_);
    const std::size_t left = hand_over(old->bytes(), more);
    if (state_ != State::open) return;
    if (left == old->size && more.empty()) {
        kept_ = std::move(old);  // A long packet that takes several turns is not copied for each.
        return;
    }
    if (left == 0 && !paused_ && !more.empty()) {
        const std::size_t left_more = hand_over(more, {});
        if (left_more > 0) keep(more.last(left_more));
        return;
    }
    // Rare: the handler stopped at a byte that it had not asked for.
    std::vector<std::uint8_t> rest(old->data() + (old->size - left), old->data() + old->size);
    rest.insert(rest.end(), more.begin(), more.end());
    if (!rest.empty()) keep(rest);
    if (!more.empty()) enlist_replay();
}

std::size_t Stream::hand_over(base::Bytes bytes, base::Bytes more) {
    if (bytes.size() < expect_) return bytes.size();
    expect_ = 0;
    if (!handler_) return 0;
    loop_->handing_ = {this, bytes, more};
    const std::size_t consumed = handler_->on_bytes(*this, bytes);
    loop_->handing_ = {};
    if (state_ != State::open) return 0;
    ASSERT(consumed <= bytes.size());
    return bytes.size() - consumed;
}

// ---- Writing

void Stream::enlist_dirty() {
    if (dirty_) return;
    dirty_ = true;
    loop_->dirty_.push_back(this);
}

void Stream::enlist_replay() {
    if (replay_) return;
    replay_ = true;
    loop_->replay_.push_back(this);
}

void Stream::flush() {
    dirty_ = false;
    if (!is_open()) return;
    if (layered_ ? !write_through_layer() : output_.sendable() > 0 && !write_once(output_)) {
        stuck_ = true;
        notify_ = true;
    }
    if (!is_open()) return;
    if (stuck_ != watching_write_) watch();
    if (stuck_) return;

    if (has_more_to_write()) enlist_dirty();  // More pieces than one call takes.
    if (notify_ && output_.size() <= writable_bytes_max && state_ == State::open) {
        notify_ = false;
        if (handler_) handler_->on_writable(*this);
    }
    if (state_ == State::draining && is_drained()) {
        discard_input();
        end({CloseReason::Kind::local, 0});
    }
}

bool Stream::has_more_to_write() const {
    if (!layered_) return output_.sendable() > 0;
    return !layered_->wire.empty() || (layered_->layer->is_ready() && output_.sendable() > 0);
}

bool Stream::is_drained() const {
    return layered_ ? layered_->finished && layered_->wire.empty() : output_.empty();
}

// What the socket does not take stays in output(), but for a little: there the limits count it.
bool Stream::write_through_layer() {
    constexpr std::size_t wire_bytes_max = std::size_t{64} << 10;
    Layer& layer = *layered_->layer;
    base::OutputQueue& wire = layered_->wire;
    const bool is_ready = layer.is_ready();
    if (is_ready && layer.send(output_, wire, wire_bytes_max) == Layer::Status::failed) {
        end_by_layer(Layer::Status::failed);
        return true;
    }
    const bool is_last = state_ == State::draining && (output_.empty() || !is_ready);
    if (is_last && !std::exchange(layered_->finished, true)) layer.finish(wire);
    return wire.empty() || write_once(wire);
}

bool Stream::write_once(base::OutputQueue& from) {
    std::array<iovec, 64> pieces;  // NOLINT(*-member-init): gather() fills what is used.
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = from.gather(pieces);
    std::size_t size = 0;
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) size += pieces[i].iov_len;

    const ssize_t count = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
        from.consume(static_cast<std::size_t>(count));
        return static_cast<std::size_t>(count) == size;
    }
    if (errno == EAGAIN || errno == EINTR) return false;
    end({CloseReason::Kind::error, errno});
    return true;
}

// Closing a socket that has unread bytes resets the connection, and the peer may lose the last
// thing that we have told it: the reason why. So what has come until now is taken, and dropped.
void Stream::discard_input() {
    for (int i = 0; i < 16; ++i) {
        const ssize_t count = ::recv(fd_, loop_->read_buffer_.get(), EventLoop::read_bytes_max,
                                     MSG_DONTWAIT | MSG_TRUNC);
        if (count <= 0) return;
    }
}

}  // namespace net
