#include "support/fake_wire.h"

#include <algorithm>
#include <array>

namespace support {

void FakeWire::complain(const std::string& sentence) {
    if (violation.empty()) violation = sentence;
}

void FakeWire::mark_dirty() {
    if (is_closing) complain("wrote to a closed wire");
}

void FakeWire::close() {
    if (is_closing) complain("closed a wire twice");
    is_closing = true;
    size_at_close_ = queue_.size();
}

bool FakeWire::flush() {
    if (is_closing && queue_.size() > size_at_close_) complain("queued bytes on a closed wire");
    bool moved = false;
    while (room > 0 && queue_.sendable() > 0) {
        std::array<iovec, 8> vectors{};
        const std::size_t count = queue_.gather(vectors);
        std::size_t taken = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t size = std::min(room - taken, vectors[i].iov_len);
            const auto* from = static_cast<const std::uint8_t*>(vectors[i].iov_base);
            bytes_.insert(bytes_.end(), from, from + size);
            taken += size;
        }
        queue_.consume(taken);
        if (room != no_limit) room -= taken;
        moved = true;
    }
    is_backed_up = queue_.sendable() > 0;
    size_at_close_ = std::min(size_at_close_, queue_.size());
    if (moved) decode();
    return moved;
}

// As a client does: the topic of an alias is what it stood for last, on this connection.
void FakeWire::resolve_alias(Packet& packet) {
    if (packet.alias == 0) return;
    if (packet.alias > alias_max) complain("sent an alias above the Topic Alias Maximum");
    std::string& topic = aliases_[packet.alias];
    if (!packet.topic.empty()) topic = packet.topic;
    if (topic.empty()) complain("sent an alias that stands for nothing");
    packet.topic = topic;
}

void FakeWire::decode() {
    std::size_t position = 0;
    for (;;) {
        const auto next = mqtt::next_frame(base::Bytes(bytes_).subspan(position), 0, version);
        if (next.status == mqtt::FrameResult::Status::incomplete) break;
        if (next.status == mqtt::FrameResult::Status::refused) {
            complain("sent bytes that are not MQTT");
            position = bytes_.size();
            break;
        }
        position += next.frame.size;
        auto packet = decode_from_server(next.frame, version);
        if (!packet) {
            complain("sent a packet that does not decode, type " +
                     std::to_string(static_cast<int>(next.frame.type)));
            continue;
        }
        if (packet_size_max != 0 && packet->size > packet_size_max) {
            complain("sent more than the client's Maximum Packet Size: " + to_text(*packet));
        }
        if (packet->type == mqtt::PacketType::publish) resolve_alias(*packet);
        if (!on_packet || on_packet(*packet)) received.push_back(*packet);
    }
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(position));
}

}  // namespace support
