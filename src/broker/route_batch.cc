#include "broker/route_batch.h"

#include <cstring>

namespace broker {

// Plain bytes in the block; read back with memcpy, so that alignment does not matter.
struct RouteBatch::Header {
    std::int64_t expiry_wall_ms;
    SourceId source;
    std::uint32_t properties_size;
    std::uint32_t payload_size;
    std::uint16_t topic_size;
    std::uint8_t qos;
    std::uint8_t flags;
};

namespace {
constexpr std::uint8_t retain_flag = 1;
constexpr std::uint8_t kept_flag = 2;
constexpr std::uint8_t directed_flag = 4;
constexpr std::uint8_t must_arrive_flag = 8;
constexpr int durability_shift = 4;  // Two bits.

void put(std::uint8_t*& at, Bytes bytes) {
    if (bytes.empty()) return;
    std::memcpy(at, bytes.data(), bytes.size());
    at += bytes.size();
}
}  // namespace

void RouteBatch::add(Publication& publication, const SharedTarget* target) {
    const bool kept = publication.kept || publication.payload.size() > copied_payload_max;
    const Bytes topic = base::as_bytes(publication.topic);
    Header header{};
    header.expiry_wall_ms = publication.expiry_wall_ms;
    header.source = publication.source;
    header.qos = static_cast<std::uint8_t>(publication.qos);
    header.flags = static_cast<std::uint8_t>(
        (publication.retain ? retain_flag : 0) | (kept ? kept_flag : 0) |
        (target ? directed_flag : 0) | (publication.must_arrive ? must_arrive_flag : 0) |
        static_cast<int>(publication.durability) << durability_shift);
    std::size_t size = sizeof header + (target ? sizeof *target : 0);
    if (kept) {
        kept_.push_back(publication.message());
        kept_bytes_ += publication.payload.size() + topic.size();
    } else {
        header.topic_size = static_cast<std::uint16_t>(topic.size());
        header.properties_size = static_cast<std::uint32_t>(publication.properties.size());
        header.payload_size = static_cast<std::uint32_t>(publication.payload.size());
        size += topic.size() + publication.properties.size() + publication.payload.size();
    }
    const std::size_t start = block_.size();
    block_.resize(start + size);
    std::uint8_t* at = block_.data() + start;
    std::memcpy(at, &header, sizeof header);
    at += sizeof header;
    if (target) {
        std::memcpy(at, target, sizeof *target);
        at += sizeof *target;
    }
    ++count_;
    if (kept) return;
    put(at, topic);
    put(at, publication.properties);
    put(at, publication.payload);
}

RouteBatch::Entry RouteBatch::read(std::size_t& position, std::size_t& kept) const {
    Entry entry;
    Header header{};
    std::memcpy(&header, block_.data() + position, sizeof header);
    position += sizeof header;
    if (header.flags & directed_flag) {
        SharedTarget& target = entry.target.emplace();
        std::memcpy(&target, block_.data() + position, sizeof target);
        position += sizeof target;
    }
    Publication& publication = entry.publication;
    if (header.flags & kept_flag) {
        publication = Publication::of(kept_[kept++]);
        publication.qos = static_cast<mqtt::Qos>(header.qos);
        publication.retain = (header.flags & retain_flag) != 0;
        publication.must_arrive = (header.flags & must_arrive_flag) != 0;
        return entry;
    }
    const auto take = [&](std::size_t size) {
        const Bytes taken{block_.data() + position, size};
        position += size;
        return taken;
    };
    publication.topic = base::as_text(take(header.topic_size));
    publication.properties = take(header.properties_size);
    publication.payload = take(header.payload_size);
    publication.qos = static_cast<mqtt::Qos>(header.qos);
    publication.retain = (header.flags & retain_flag) != 0;
    publication.must_arrive = (header.flags & must_arrive_flag) != 0;
    publication.expiry_wall_ms = header.expiry_wall_ms;
    publication.source = header.source;
    publication.durability = static_cast<Durability>(header.flags >> durability_shift & 3);
    return entry;
}

}  // namespace broker
