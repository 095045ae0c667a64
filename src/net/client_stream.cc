#include "net/client_stream.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <limits>
#include <utility>

namespace net {
namespace {

using Done = base::Result<void, std::string>;

}  // namespace

ClientStream::ClientStream(ClientSocket socket, std::unique_ptr<Layer> layer)
    : socket_(std::move(socket)), layer_(std::move(layer)), plain_(pool_), wire_(pool_) {}

Done ClientStream::open(int timeout_ms) {
    using std::chrono::steady_clock;
    if (!layer_) return {};
    const auto end = steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    if (!std::exchange(has_started_, true)) status_ = layer_->start(wire_);
    for (;;) {
        if (status_ == Layer::Status::failed) return base::fail(layer_->error());
        if (auto done = flush(); !done) return base::fail(reason_for(done.error()));
        if (layer_->is_ready()) return {};
        if (at_end()) {
            return base::fail(std::string(
                "the server closes the connection in the handshake: is this the right port?"));
        }
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(end - steady_clock::now()).count();
        if (timeout_ms >= 0 && left <= 0) {
            return base::fail(
                std::string("the server does not answer the handshake: is this the right port?"));
        }
        socket_.wait(timeout_ms < 0 ? -1 : static_cast<int>(left), !wire_.empty());
        if (auto done = receive(); !done) return done;
    }
}

Readiness ClientStream::wait(int timeout_ms, bool want_write, int extra_fd) {
    const bool has_input = !unread_.empty() || status_ != Layer::Status::open;
    Readiness ready =
        socket_.wait(has_input ? 0 : timeout_ms, want_write || !wire_.empty(), extra_fd);
    ready.readable = ready.readable || has_input;
    return ready;
}

// Reads the socket once, into unread_; what the layer answers goes out at once.
Done ClientStream::receive() {
    if (status_ != Layer::Status::open) return {};
    std::array<std::uint8_t, 65'536> bytes;  // NOLINT(*-member-init): read() fills what is used.
    const auto size = socket_.read(bytes);
    if (!size) return base::fail(size.error());
    if (*size == 0) return {};
    status_ = layer_->receive(base::Bytes(bytes).first(*size), unread_, wire_);
    // The peer hears why, if it still listens.
    Done sent = flush();
    if (status_ == Layer::Status::failed) return base::fail(layer_->error());
    return sent;
}

// Why the socket takes nothing any more: what the peer has said last, an alert of TLS perhaps, is
// worth more than the system's word for its going.
std::string ClientStream::reason_for(std::string error) {
    const bool was_told = !receive() && has_failed();
    return was_told ? layer_->error() : std::move(error);
}

base::Result<std::size_t, std::string> ClientStream::read(std::span<std::uint8_t> into) {
    if (!layer_) return socket_.read(into);
    if (unread_.empty()) {
        Done done = receive();
        if (!done && unread_.empty()) return base::fail(std::move(done.error()));
    }
    const std::size_t size = std::min(into.size(), unread_.size());
    if (size == 0 && has_failed()) return base::fail(layer_->error());
    std::copy_n(unread_.data(), size, into.data());
    unread_.consume(size);
    return size;
}

base::Result<std::size_t, std::string> ClientStream::write(base::Bytes bytes) {
    if (!layer_) return socket_.write(bytes);
    if (auto done = flush(); !done) return base::fail(reason_for(done.error()));
    // Nothing follows the goodbye of either side.
    if (status_ != Layer::Status::open) {
        return base::fail(has_failed() ? layer_->error() : std::string("the server has closed"));
    }
    if (wire_.size() >= unsent_bytes_max) return std::size_t{0};
    const std::size_t size = std::min(bytes.size(), unsent_bytes_max - wire_.size());
    plain_.append(bytes.first(size));
    const auto sent = layer_->send(plain_, wire_, std::numeric_limits<std::size_t>::max());
    if (sent != Layer::Status::open) {
        status_ = sent;
        return base::fail(layer_->error());
    }
    if (auto done = flush(); !done) return base::fail(reason_for(done.error()));
    return size;
}

bool ClientStream::at_end() const {
    const bool has_ended = socket_.at_end() || status_ == Layer::Status::closed;
    return has_ended && unread_.empty();
}

void ClientStream::finish() {
    if (layer_ && status_ == Layer::Status::open) layer_->finish(wire_);
}

Done ClientStream::flush() {
    while (!wire_.empty()) {
        std::array<iovec, 1> piece{};
        wire_.gather(piece);
        const auto* const data = static_cast<const std::uint8_t*>(piece[0].iov_base);
        const auto taken = socket_.write({data, piece[0].iov_len});
        if (!taken) return base::fail(taken.error());
        if (*taken == 0) return {};
        wire_.consume(*taken);
    }
    return {};
}

}  // namespace net
