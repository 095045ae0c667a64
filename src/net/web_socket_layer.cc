#include "net/web_socket_layer.h"

#if defined(NIGHTJAR_WSLAY) && defined(NIGHTJAR_OPENSSL)

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <wslay/wslay.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "net/http_upgrade.h"

namespace net {
namespace {

constexpr std::uint16_t protocol_error = WSLAY_CODE_PROTOCOL_ERROR;

// RFC 6455, section 4.2.2: that the key has been understood.
std::string accept_of(std::string_view key) {
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    ASSERT(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1);
    std::array<unsigned char, std::size_t{2} * EVP_MAX_MD_SIZE> coded{};
    const int coded_size = EVP_EncodeBlock(coded.data(), digest.data(), static_cast<int>(size));
    return {reinterpret_cast<char*>(coded.data()), static_cast<std::size_t>(coded_size)};
}

using Mask = std::array<std::uint8_t, 4>;

// Nobody shall know it before (RFC 6455, section 10.3).
Mask random_mask() {
    Mask mask{};
    ASSERT(RAND_bytes(mask.data(), static_cast<int>(mask.size())) == 1);
    return mask;
}

std::string random_key() {
    std::array<unsigned char, 16> bytes{};
    ASSERT(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
    std::array<unsigned char, 2 * bytes.size()> coded{};
    const int size = EVP_EncodeBlock(coded.data(), bytes.data(), static_cast<int>(bytes.size()));
    return {reinterpret_cast<char*>(coded.data()), static_cast<std::size_t>(size)};
}

// Of one binary frame; a client's has a mask.
void append_header(base::OutputQueue& wire, std::uint64_t size, const Mask* mask) {
    constexpr std::uint8_t final_binary = 0x82;
    constexpr std::uint8_t length_in_2_bytes = 126;
    constexpr std::uint8_t length_in_8_bytes = 127;
    std::array<std::uint8_t, 10> header{final_binary};
    std::size_t length_bytes = 0;
    if (size < length_in_2_bytes) {
        header[1] = static_cast<std::uint8_t>(size);
    } else {
        length_bytes = size <= UINT16_MAX ? 2 : 8;
        header[1] = length_bytes == 2 ? length_in_2_bytes : length_in_8_bytes;
    }
    for (std::size_t i = 0; i < length_bytes; ++i) {
        header[2 + i] = static_cast<std::uint8_t>(size >> (8 * (length_bytes - 1 - i)));
    }
    if (mask) header[1] |= 0x80;
    wire.append(base::Bytes(header).first(2 + length_bytes));
    if (mask) wire.append(*mask);
}

// `at` is where in its frame `bytes` begins.
void append_masked(base::OutputQueue& wire, base::Bytes bytes, const Mask& mask, std::size_t at) {
    std::array<std::uint8_t, 4096> part;  // NOLINT(*-member-init): filled as far as it is used.
    while (!bytes.empty()) {
        const std::size_t size = std::min(bytes.size(), part.size());
        for (std::size_t i = 0; i < size; ++i) part[i] = bytes[i] ^ mask[(at + i) % mask.size()];
        wire.append(base::Bytes(part).first(size));
        bytes = bytes.subspan(size);
        at += size;
    }
}

// What speaks to us that is not HTTP, by its first byte.
std::string_view stranger(std::uint8_t first_byte) {
    constexpr std::uint8_t tls_handshake = 0x16;
    constexpr std::uint8_t mqtt_connect = 0x10;
    if (first_byte == tls_handshake) {
        return "speaks TLS, but this listener has neither certfile nor psk_hint";
    }
    if (first_byte == mqtt_connect) return "speaks MQTT to a listener that wants WebSocket";
    return {};
}

}  // namespace

// ---- How wslay calls back

struct WebSocketCalls {
    static ssize_t receive(wslay_event_context_ptr frames, std::uint8_t* into, std::size_t size,
                           int /*flags*/, void* self) {
        auto* layer = static_cast<WebSocketLayer*>(self);
        const std::size_t count = std::min(size, layer->incoming_.size());
        if (count == 0) {
            wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
            return -1;
        }
        std::memcpy(into, layer->incoming_.data(), count);
        layer->incoming_ = layer->incoming_.subspan(count);
        return static_cast<ssize_t>(count);
    }
    static ssize_t send(wslay_event_context_ptr, const std::uint8_t* from, std::size_t size,
                        int /*flags*/, void* self) {
        static_cast<WebSocketLayer*>(self)->wire_->append({from, size});
        return static_cast<ssize_t>(size);
    }
    static int mask(wslay_event_context_ptr, std::uint8_t* into, std::size_t size, void*) {
        return RAND_bytes(into, static_cast<int>(size)) == 1 ? 0 : -1;
    }
    static void frame_begins(wslay_event_context_ptr,
                             const wslay_event_on_frame_recv_start_arg* frame, void* self) {
        auto* layer = static_cast<WebSocketLayer*>(self);
        layer->is_data_ = !wslay_is_ctrl_frame(frame->opcode);
        if (frame->opcode == WSLAY_TEXT_FRAME) {  // [MQTT-6.0.0-1]
            layer->is_data_ = false;
            layer->close_with(WSLAY_CODE_UNSUPPORTED_DATA, "a text frame");
        } else if (frame->payload_length > WebSocketLayer::frame_bytes_max) {
            layer->is_data_ = false;
            layer->close_with(WSLAY_CODE_MESSAGE_TOO_BIG, "a frame longer than any packet");
        }
    }
    static void chunk(wslay_event_context_ptr, const wslay_event_on_frame_recv_chunk_arg* chunk,
                      void* self) {
        auto* layer = static_cast<WebSocketLayer*>(self);
        if (layer->is_data_) layer->plain_->append({chunk->data, chunk->data_length});
    }
};

// ---- Life

struct WebSocketLayer::Asked {
    WebSocketTarget target;
    std::string key = random_key();
};

void WebSocketLayer::FreeFrames::operator()(wslay_event_context* frames) const {
    wslay_event_context_free(frames);
}

WebSocketLayer::WebSocketLayer(const std::vector<std::string>& origins) : origins_(&origins) {}
WebSocketLayer::WebSocketLayer(WebSocketTarget target)
    : asked_(std::make_unique<Asked>(Asked{std::move(target)})) {}
WebSocketLayer::~WebSocketLayer() = default;

bool WebSocketLayer::open() {
    constexpr wslay_event_callbacks calls{
        .recv_callback = WebSocketCalls::receive,
        .send_callback = WebSocketCalls::send,
        .genmask_callback = WebSocketCalls::mask,
        .on_frame_recv_start_callback = WebSocketCalls::frame_begins,
        .on_frame_recv_chunk_callback = WebSocketCalls::chunk,
        .on_frame_recv_end_callback = nullptr,
        .on_msg_recv_callback = nullptr};
    wslay_event_context_ptr frames = nullptr;
    const auto init = asked_ ? wslay_event_context_client_init : wslay_event_context_server_init;
    if (init(&frames, &calls, this) != 0) return false;
    frames_.reset(frames);
    wslay_event_config_set_no_buffering(frames, 1);
    is_open_ = true;
    return true;
}

Layer::Status WebSocketLayer::fail(std::string error) {
    error_ = std::move(error);
    return Status::failed;
}

void WebSocketLayer::close_with(std::uint16_t code, std::string_view why) {
    error_ = fmt::format("sent {} in its WebSocket", why);
    wslay_event_queue_close(frames_.get(), code, reinterpret_cast<const std::uint8_t*>(why.data()),
                            why.size());
    wslay_event_shutdown_read(frames_.get());
}

// ---- Bytes

Layer::Status WebSocketLayer::receive(base::Bytes bytes, ByteBuffer& plain,
                                      base::OutputQueue& wire) {
    if (is_open_) return read_frames(bytes, plain, wire);
    const Status status = read_head(bytes, wire);
    if (!is_open_ || status != Status::open) return status;
    const ByteBuffer head = std::exchange(head_, {});
    return incoming_.empty() ? status : read_frames(incoming_, plain, wire);
}

Layer::Status WebSocketLayer::start(base::OutputQueue& wire) {
    const WebSocketTarget& target = asked_->target;
    wire.append(
        base::as_bytes(upgrade_request(target.host, target.path, asked_->key, target.subprotocol)));
    return Status::open;
}

// Leaves what follows the head in incoming_; head_ keeps it alive.
Layer::Status WebSocketLayer::read_head(base::Bytes bytes, base::OutputQueue& wire) {
    if (head_.empty() && !asked_) {
        if (const auto what = stranger(bytes[0]); !what.empty()) return fail(std::string(what));
    }
    head_.append(bytes);
    return asked_ ? read_answer() : read_request(wire);
}

Layer::Status WebSocketLayer::read_request(base::OutputQueue& wire) {
    const UpgradeResult result = read_upgrade(head_.bytes(), *origins_);
    if (result.kind == UpgradeResult::Kind::incomplete) return Status::open;
    if (result.kind == UpgradeResult::Kind::refused) {
        wire.append(base::as_bytes(refusal_answer(result.status, result.why)));
        return fail(
            fmt::format("asked for a WebSocket in vain: {}: {}", result.status, result.why));
    }
    if (!open()) return fail("there is no memory for a WebSocket");
    const std::string accept = accept_of(result.request.key);
    wire.append(base::as_bytes(upgrade_answer(accept, result.request.subprotocol)));
    incoming_ = head_.bytes().subspan(result.size);
    return Status::open;
}

Layer::Status WebSocketLayer::read_answer() {
    UpgradeAnswer answer =
        read_upgrade_answer(head_.bytes(), accept_of(asked_->key), asked_->target.subprotocol);
    if (answer.kind == UpgradeAnswer::Kind::incomplete) return Status::open;
    if (answer.kind == UpgradeAnswer::Kind::refused) {
        return fail("no WebSocket: " + std::move(answer.why));
    }
    if (!open()) return fail("there is no memory for a WebSocket");
    incoming_ = head_.bytes().subspan(answer.size);
    return Status::open;
}

// What wslay answers by itself (pongs, the echo of a close, the close for an error) goes out at
// once.
Layer::Status WebSocketLayer::read_frames(base::Bytes bytes, ByteBuffer& plain,
                                          base::OutputQueue& wire) {
    incoming_ = bytes;
    plain_ = &plain;
    wire_ = &wire;
    wslay_event_context* const frames = frames_.get();
    int result = 0;
    while (result == 0 && wslay_event_want_read(frames) != 0 && !incoming_.empty()) {
        result = wslay_event_recv(frames);
    }
    constexpr std::string_view broken = "sent frames that are not those of a WebSocket";
    if (result != 0 || wslay_event_send(frames) != 0) {
        // wslay has found the head of a frame to be none, and would close without a code.
        constexpr std::array<std::uint8_t, 4> close{0x88, 2, protocol_error >> 8,
                                                    protocol_error & 0xFF};
        if (!asked_) wire.append(close);  // A client just goes.
        return fail(std::string(broken));
    }
    if (wslay_event_get_close_received(frames) != 0) return Status::closed;
    if (wslay_event_get_close_sent(frames) == 0) return Status::open;
    if (error_.empty()) error_ = broken;
    return Status::failed;
}

// One frame for all that goes now.
Layer::Status WebSocketLayer::send(base::OutputQueue& plain, base::OutputQueue& wire,
                                   std::size_t wire_bytes_max) {
    if (wire.size() >= wire_bytes_max || plain.sendable() == 0) return Status::open;
    std::size_t left = std::min(plain.sendable(), wire_bytes_max);
    const Mask mask = asked_ ? random_mask() : Mask{};
    append_header(wire, left, asked_ ? &mask : nullptr);
    std::size_t at = 0;
    while (left > 0) {
        std::array<iovec, 1> piece{};
        plain.gather(piece);
        const std::size_t size = std::min(left, piece[0].iov_len);
        const base::Bytes bytes{static_cast<const std::uint8_t*>(piece[0].iov_base), size};
        if (asked_) {
            append_masked(wire, bytes, mask, at);
        } else {
            wire.append(bytes);
        }
        at += size;
        plain.consume(size);
        left -= size;
    }
    return Status::open;
}

void WebSocketLayer::finish(base::OutputQueue& wire) {
    if (!is_open_) return;
    wire_ = &wire;
    wslay_event_queue_close(frames_.get(), WSLAY_CODE_NORMAL_CLOSURE, nullptr, 0);
    wslay_event_send(frames_.get());
}

}  // namespace net

#else

namespace net {

void WebSocketLayer::FreeFrames::operator()(wslay_event_context*) const {}
struct WebSocketLayer::Asked {};
WebSocketLayer::WebSocketLayer(const std::vector<std::string>& origins) : origins_(&origins) {}
WebSocketLayer::WebSocketLayer(WebSocketTarget) {}
WebSocketLayer::~WebSocketLayer() = default;
Layer::Status WebSocketLayer::start(base::OutputQueue&) {
    return Status::failed;
}
Layer::Status WebSocketLayer::receive(base::Bytes, ByteBuffer&, base::OutputQueue&) {
    return Status::failed;
}
Layer::Status WebSocketLayer::send(base::OutputQueue&, base::OutputQueue&, std::size_t) {
    return Status::failed;
}
void WebSocketLayer::finish(base::OutputQueue&) {}

}  // namespace net

#endif
