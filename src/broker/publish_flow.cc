// Connection: what clients publish, what they are sent, and the acknowledgements of both.
#include <algorithm>

#include "broker/connection.h"
#include "broker/reason_text.h"
#include "broker/shard.h"
#include "mqtt/topic.h"
#include "mqtt/utf8.h"

namespace broker {

using base::LogType;
using mqtt::PacketType;
using mqtt::Qos;
using mqtt::ReasonCode;

namespace {

constexpr std::size_t shared_payload_min = 4096;

// Tells apart the encodings that one publication can have; 0 = not to be reused.
std::uint32_t encoding_key(const OutgoingPublish& packet, const Publication& publication) {
    if (packet.dup || (packet.ids && !packet.ids->empty())) return 0;
    // What was taken off the topic is the listener's mount point.
    const std::size_t mount_size = publication.topic.size() - packet.topic.size();
    return 1U | static_cast<std::uint32_t>(packet.version == mqtt::Version::v5) << 1 |
           static_cast<std::uint32_t>(packet.qos) << 2 |
           static_cast<std::uint32_t>(packet.retain) << 4 |
           static_cast<std::uint32_t>(packet.alias.number != 0) << 5 |
           static_cast<std::uint32_t>(packet.alias.is_known) << 6 |
           static_cast<std::uint32_t>(mount_size) << 7;
}

}  // namespace

void Connection::handle_publish(const mqtt::Frame& frame) {
    auto packet = mqtt::decode_publish(frame.flags, frame.body, version_);
    if (!packet) return fail(packet.error(), broken(PacketType::publish));
    shard_.counters().publish_received.add();
    shard_.counters().publish_bytes_received.add(packet->payload.size());
    if (shard_.is_debugging()) {
        shard_.log().print(
            LogType::debug, "Received PUBLISH from {} (d{}, q{}, r{}, m{}, '{}', ... ({} bytes))",
            session_->client_id(), packet->dup ? 1 : 0, static_cast<int>(packet->qos),
            packet->retain ? 1 : 0, packet->id, packet->topic, packet->payload.size());
    }
    if (fails_by_number_of(packet->properties.user)) return;
    if (!resolve_topic(*packet) || !is_within_limits(*packet)) return;
    const ReasonCode verdict = judge(*packet);
    switch (packet->qos) {
        case Qos::at_most_once:
            if (verdict == ReasonCode::success) route(*packet);
            return;
        case Qos::at_least_once:
            return acknowledge(PacketType::puback, *packet,
                               verdict == ReasonCode::success ? route(*packet) : verdict);
        case Qos::exactly_once:
            return handle_qos2_publish(*packet, verdict);
    }
}

// What CONNACK has told the client not to send.
bool Connection::is_within_limits(mqtt::Publish& packet) {
    const auto refuse = [&](ReasonCode reason, std::string_view why) {
        fail(reason, why);
        return false;
    };
    if (!fits_mount_point(packet.topic)) {
        return refuse(ReasonCode::topic_name_invalid,
                      "the topic is too long below the listener's mount point");
    }
    if (packet.qos > listener_->qos_max) {
        return refuse(ReasonCode::qos_not_supported,
                      fmt::format("QoS {} is above max_qos {}", static_cast<int>(packet.qos),
                                  static_cast<int>(listener_->qos_max)));
    }
    if (packet.retain && !shard_.options().retain_available) {
        if (is_v5()) return refuse(ReasonCode::retain_not_supported, "retain_available is false");
        packet.retain = false;
    }
    return true;
}

// Method B of section 4.3.3: the message is routed when it arrives, and its identifier is kept
// until PUBREL, so that a repeat is not routed again. A repeat is confirmed whatever is thought of
// it by now: a refusal would free an identifier that is still kept.
void Connection::handle_qos2_publish(const mqtt::Publish& packet, ReasonCode verdict) {
    if (session_->is_received(packet.id)) return send_ack(PacketType::pubrec, packet.id);
    if (verdict != ReasonCode::success && is_v5()) {
        return acknowledge(PacketType::pubrec, packet, verdict);
    }
    if (!tolerates_one_more_qos2()) {
        // [MQTT-3.3.4-7]. The identifier is not kept: the message is new when sent again.
        return fail(ReasonCode::receive_maximum_exceeded,
                    fmt::format("more than {} QoS 2 messages without PUBREL "
                                "(max_inflight_messages)",
                                receive_maximum_));
    }
    const Durability level = shard_.options().durability.of(with_mount_point(packet.topic));
    session_->keep_received(packet.id, level);
    if (verdict == ReasonCode::success) verdict = route(packet);
    // The refusal is the end of the exchange.
    if (is_v5() && mqtt::is_failure(verdict)) session_->release_received(packet.id);
    acknowledge(PacketType::pubrec, packet, verdict);
}

bool Connection::tolerates_one_more_qos2() {
    if (!is_v5() || session_->received_qos2().size() < receive_maximum_) return true;
    if (shard_.options().enforce_receive_maximum) return false;
    if (!has_been_warned_) {
        shard_.log().print(LogType::warning,
                           "Warning: Client {} has more than {} QoS 2 messages without PUBREL, "
                           "which is its Receive Maximum.",
                           session_->client_id(), receive_maximum_);
    }
    has_been_warned_ = true;
    return true;
}

// Sets or uses a topic alias (section 3.3.2.3.4). The alias belongs to this connection only.
bool Connection::resolve_topic(mqtt::Publish& packet) {
    if (packet.topic_alias == 0) return true;
    if (packet.topic_alias > listener_->topic_alias_max) {
        fail(ReasonCode::topic_alias_invalid,
             fmt::format("topic alias {} is above max_topic_alias {}", packet.topic_alias,
                         listener_->topic_alias_max));
        return false;
    }
    if (!aliases_) aliases_ = std::make_unique<std::vector<std::string>>();
    if (aliases_->size() < packet.topic_alias) aliases_->resize(packet.topic_alias);
    std::string& topic = (*aliases_)[packet.topic_alias - 1U];
    if (!packet.topic.empty()) {
        topic = packet.topic;
    } else if (topic.empty()) {
        fail(ReasonCode::protocol_error,
             fmt::format("topic alias {} stands for no topic yet", packet.topic_alias));
        return false;
    }
    packet.topic = topic;
    return true;
}

// success, or why nobody gets it.
ReasonCode Connection::judge(const mqtt::Publish& packet) {
    const Options& options = shard_.options();
    if (options.message_size_max != 0 && packet.payload.size() > options.message_size_max) {
        shard_.counters().dropped_packet_size.add();
        return ReasonCode::quota_exceeded;
    }
    if (options.validate_payload_format && packet.properties.payload_format == 1 &&
        !mqtt::is_valid_utf8_payload(base::as_text(packet.payload))) {
        shard_.counters().dropped_payload_format.add();
        return ReasonCode::payload_format_invalid;
    }
    if (packet.qos == Qos::at_least_once && is_id_in_use(packet.id)) {
        return ReasonCode::packet_id_in_use;
    }
    if (packet.topic.starts_with("$SYS/")) {
        note_denied("PUBLISH", Access::publish, packet.topic, of_the_broker);
        return ReasonCode::not_authorized;
    }
    const std::string_view topic = with_mount_point(packet.topic);
    if (session_->may(Access::publish, topic)) return ReasonCode::success;
    note_denied("PUBLISH", Access::publish, topic);
    return ReasonCode::not_authorized;
}

void Connection::note_denied(std::string_view what, Access access, std::string_view topic,
                             std::string_view rule) {
    shard_.refusals().print_lazily(Refusal::not_authorized, session_->client_id(), [&] {
        return fmt::format("Denied {} from {} (user '{}', {}): topic {} ({}).", what,
                           session_->client_id(), session_->user_name(), wire_.peer(),
                           quoted(topic),
                           rule.empty() ? session_->explain(access, topic) : std::string(rule));
    });
}

std::string Connection::explain(const mqtt::Publish& packet, ReasonCode reason) const {
    const std::uint32_t size_max = shard_.options().message_size_max;
    switch (reason) {
        case ReasonCode::quota_exceeded:
            if (size_max == 0 || packet.payload.size() <= size_max) {
                const Store& store = shard_.broker().store();
                if (store.has_failed()) return "the store has failed";
                if (store.is_out_of_space()) return "the store has no space left";
                return "max_retained_messages or max_retained_bytes is reached";
            }
            return fmt::format("payload of {} bytes: message_size_limit is {}",
                               packet.payload.size(), size_max);
        case ReasonCode::payload_format_invalid:
            return "the payload is not the UTF-8 that its format indicator promises";
        case ReasonCode::packet_id_in_use:
            return fmt::format("packet identifier {} belongs to a QoS 2 message without PUBREL",
                               packet.id);
        default:
            return fmt::format("not authorised to publish to {}", quoted(packet.topic));
    }
}

// Before 5.0 an acknowledgement says that the message has arrived, and nothing else.
void Connection::acknowledge(PacketType type, const mqtt::Publish& packet, ReasonCode reason) {
    if (!is_v5()) return send_ack(type, packet.id);
    if (!mqtt::is_failure(reason) || !wants_reason_strings_) {
        return send_ack(type, packet.id, reason);
    }
    send_ack(type, packet.id, reason, explain(packet, reason));
}

// success, that nobody has subscribed to it, or why nobody gets it.
ReasonCode Connection::route(const mqtt::Publish& packet) {
    Publication publication;
    publication.topic = with_mount_point(packet.topic);
    publication.payload = packet.payload;
    publication.qos = packet.qos;
    publication.retain = packet.retain;
    publication.source = shard_.source_of(*session_);
    if (packet.retain) publication.publisher = session_->publisher().get();
    publication.durability = shard_.options().durability.of(publication.topic);
    publication.must_arrive =
        packet.qos == Qos::exactly_once && publication.is_promised() && session_->is_recorded();
    if (is_v5()) {
        auto& properties = shard_.scratch().properties;
        properties.clear();
        mqtt::Writer out(properties);
        mqtt::write_forwarded(out, packet.properties);
        publication.properties = properties;
        if (packet.properties.message_expiry_s) {
            publication.expiry_wall_ms =
                shard_.wall_ms() + std::int64_t{*packet.properties.message_expiry_s} * 1000;
        }
    }
    if (is_v5() && shard_.is_beyond_store(publication)) {
        shard_.refusals().print(
            Refusal::store_failed, session_->client_id(),
            "Client {}: the message to {} is refused, it cannot be kept: the "
            "store {}.",
            session_->client_id(), packet.topic,
            shard_.broker().store().has_failed() ? "has failed" : "has no space left");
        return ReasonCode::quota_exceeded;
    }
    if (publication.retain && !shard_.retain(publication)) {
        shard_.refusals().print(Refusal::retained_limit, session_->client_id(),
                                "Client {}: the message to {} is refused, max_retained_messages "
                                "or max_retained_bytes is reached.",
                                session_->client_id(), packet.topic);
        return ReasonCode::quota_exceeded;
    }
    if (shard_.broker().message_sink()) {
        shard_.give_to_sink(publication, session_->client_id(), session_->user_name());
    }
    return shard_.route(publication) ? ReasonCode::success : ReasonCode::no_matching_subscribers;
}

void Connection::handle_ack(const mqtt::Frame& frame) {
    const auto packet = mqtt::decode_ack(frame.type, frame.body, version_);
    if (!packet) return fail(packet.error(), broken(frame.type));
    if (fails_by_number_of(packet->user)) return;
    switch (frame.type) {
        case PacketType::puback:
            session_->on_puback(packet->id);
            return;
        case PacketType::pubrec:
            // An unknown identifier is answered all the same, so that the client lets go of it.
            if (!session_->on_pubrec(packet->id, mqtt::is_failure(packet->reason))) {
                send_ack(PacketType::pubrel, packet->id,
                         is_v5() ? ReasonCode::packet_id_not_found : ReasonCode::success);
            }
            return;
        case PacketType::pubrel:
            return handle_pubrel(*packet);
        default:
            session_->on_pubcomp(packet->id);
            return;
    }
}

void Connection::handle_pubrel(const mqtt::Ack& packet) {
    const bool known = session_->release_received(packet.id);
    send_ack(PacketType::pubcomp, packet.id,
             known || !is_v5() ? ReasonCode::success : ReasonCode::packet_id_not_found);
}

// The packet but for its quality of service, which is the session's to know.
OutgoingPublish Connection::outgoing(const Publication& publication,
                                     const DeliveryTerms& terms) const {
    OutgoingPublish packet;
    // A session may have subscribed by way of another listener.
    const bool mounted = publication.topic.starts_with(listener_->mount_point);
    const std::size_t mount_size = mounted ? listener_->mount_point.size() : 0;
    packet.topic = publication.topic.substr(mount_size);
    packet.payload = publication.payload;
    packet.retain = terms.retain;
    packet.version = version_;
    if (is_v5()) {
        packet.properties = publication.properties;
        packet.ids = &terms.ids;
        if (publication.expiry_wall_ms != 0) {
            const std::int64_t left_ms = publication.expiry_wall_ms - shard_.wall_ms();
            packet.expiry_left_s =
                static_cast<std::uint32_t>(std::max<std::int64_t>(0, (left_ms + 999) / 1000));
        }
    }
    return packet;
}

// Encodes the packet, or copies what the previous subscriber got if it is the same; returns its
// size.
std::size_t Connection::write(OutgoingPublish& packet, Publication& publication) {
    EncodingCache& cache = shard_.encoding_cache();
    const std::uint32_t key = encoding_key(packet, publication);
    if (key != 0 && key == cache.key) {
        append_copy(wire_.output(), cache.encoded, packet.id, packet.alias.number);
        return cache.encoded.size;
    }
    const bool shares = shard_.recipients() > 1;
    if (shares && packet.payload.size() >= shared_payload_min) {
        packet.shared_payload = publication.message().get();
        packet.payload = packet.shared_payload->payload();
    }
    const EncodedPublish encoded = encode(wire_.output(), packet);
    if (encoded.bytes && key != 0 && shares) cache = {key, encoded};
    return encoded.size;
}

// A client's Maximum Packet Size [MQTT-3.1.2-24].
bool Connection::fits(const OutgoingPublish& packet) const {
    return packet_size_max_ == 0 || encoded_size(packet) <= packet_size_max_;
}

// The table is told of what is sent, and nothing else: a number that the client is not told must
// not become known.
Alias Connection::choose_alias(const OutgoingPublish& packet, Publication& publication) {
    if (!outgoing_aliases_) outgoing_aliases_ = std::make_unique<AliasTable>(outgoing_alias_max_);
    bool may_define = true;
    if (packet_size_max_ != 0) {
        OutgoingPublish defining = packet;
        defining.alias = {1, false};
        may_define = fits(defining);
    }
    return outgoing_aliases_->choose(packet.topic, publication.hash_of_topic(), may_define);
}

bool Connection::send_publish(Publication& publication, const DeliveryTerms& terms, Qos qos,
                              mqtt::PacketId id, bool dup) {
    OutgoingPublish packet = outgoing(publication, terms);
    packet.id = id;
    packet.qos = qos;
    packet.dup = dup;
    if (outgoing_alias_max_ != 0) packet.alias = choose_alias(packet, publication);
    if (!fits(packet)) {  // Not sent, and done with [MQTT-3.1.2-25].
        shard_.counters().dropped_packet_size.add();
        return false;
    }
    // What is logged under $SYS/broker/log must not be logged again when it is sent.
    if (shard_.is_debugging() && !packet.topic.starts_with("$SYS/broker/log/")) {
        shard_.log().print(LogType::debug,
                           "Sending PUBLISH to {} (d{}, q{}, r{}, m{}, '{}', ... ({} bytes))",
                           session_->client_id(), dup ? 1 : 0, static_cast<int>(qos),
                           terms.retain ? 1 : 0, id, packet.topic, packet.payload.size());
    }
    const std::size_t size = write(packet, publication);
    shard_.counters().publish_sent.add();
    shard_.counters().publish_bytes_sent.add(publication.payload.size());
    sent(size);
    return true;
}

}  // namespace broker
