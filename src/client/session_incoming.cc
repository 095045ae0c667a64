// What the session does with each packet from the server.
#include <algorithm>

#include "base/assert.h"
#include "client/session.h"
#include "mqtt/disconnect.h"
#include "mqtt/ping.h"
#include "mqtt/unsubscribe.h"

namespace client {

using mqtt::PacketId;
using mqtt::PacketType;
using mqtt::Qos;
using mqtt::ReasonCode;

namespace {

// The property section of a PUBLISH that decode_publish() has found to be right.
mqtt::Bytes properties_of(mqtt::Bytes body, Qos qos) {
    mqtt::Reader in(body);
    in.binary();
    if (qos != Qos::at_most_once) in.u16();
    return in.take(in.variable_int());
}

std::vector<ReasonCode> reasons_of(mqtt::Bytes bytes) {
    std::vector<ReasonCode> reasons;
    for (const std::uint8_t byte : bytes) reasons.push_back(static_cast<ReasonCode>(byte));
    return reasons;
}

}  // namespace

// False if there is no whole packet.
bool Session::decode_next() {
    if (state_ == State::closed) return false;
    const mqtt::Bytes rest = mqtt::Bytes(input_).subspan(input_done_);
    const mqtt::FrameResult found =
        mqtt::next_frame(rest, options_.maximum_packet_size.value_or(0), options_.version);
    if (found.status == mqtt::FrameResult::Status::incomplete) return false;
    if (found.status == mqtt::FrameResult::Status::refused) {
        refuse(found.reason);
        return true;
    }
    input_done_ += found.frame.size;
    on_frame(found.frame);
    return true;
}

void Session::on_frame(const mqtt::Frame& frame) {
    // [MQTT-3.2.0-1]: the first packet from the server is CONNACK, and there is only one.
    if ((frame.type == PacketType::connack) == (state_ == State::connected)) {
        return refuse(ReasonCode::protocol_error);
    }
    switch (frame.type) {
        case PacketType::connack:
            return on_connack(frame.body);
        case PacketType::publish:
            return on_publish(frame);
        case PacketType::puback:
        case PacketType::pubrec:
        case PacketType::pubrel:
        case PacketType::pubcomp:
            return on_ack(frame.type, frame.body);
        case PacketType::suback:
            return on_suback(frame.body);
        case PacketType::unsuback:
            return on_unsuback(frame.body);
        case PacketType::pingresp:
            if (!mqtt::is_valid_ping(frame.body)) return refuse(ReasonCode::malformed_packet);
            ping_sent_ms_.reset();
            return trace({.type = PacketType::pingresp});
        case PacketType::disconnect:
            return on_disconnect(frame.body);
        default:
            // What only a client sends; and AUTH, which we never asked for [MQTT-4.12.0-6].
            return refuse(ReasonCode::protocol_error);
    }
}

void Session::on_connack(mqtt::Bytes body) {
    const mqtt::Result<mqtt::Connack> connack = mqtt::decode_connack(body, options_.version);
    if (!connack) return refuse(connack.error());
    const bool is_v5 = options_.version == mqtt::Version::v5;
    const std::uint8_t code =
        is_v5 ? static_cast<std::uint8_t>(connack->reason) : connack->return_code_v3;
    if (connack->assigned_client_id) options_.client_id = *connack->assigned_client_id;
    trace({.type = PacketType::connack, .reason = code});
    if (code != 0) {
        end(Disconnected::Cause::refused, connack->reason);
        std::get<Disconnected>(events_.back()).connack = *connack;
        return;
    }
    state_ = State::connected;
    accept_limits(*connack);
    events_.emplace_back(Connected{*connack});
    resume(connack->session_present);
}

void Session::accept_limits(const mqtt::Connack& connack) {
    if (connack.server_keep_alive_s) {  // [MQTT-3.1.2-21]
        keep_alive_ms_ = std::uint64_t{*connack.server_keep_alive_s} * 1'000;
    }
    if (connack.receive_maximum) {
        in_flight_max_ = std::min<std::size_t>(in_flight_max_, *connack.receive_maximum);
    }
    if (connack.maximum_qos) maximum_qos_ = static_cast<Qos>(*connack.maximum_qos);
    retain_available_ = connack.retain_available.value_or(true);
    if (connack.maximum_packet_size) packet_size_max_ = *connack.maximum_packet_size;
}

// [MQTT-4.4.0-1]: with the session there, PUBLISH is sent again with DUP and its old id, and
// PUBREL; without it, a message that the server may not have is sent as new.
void Session::resume(bool session_present) {
    if (!session_present) incoming_.clear();
    std::deque<Outgoing> unfinished = std::move(in_flight_);
    in_flight_.clear();
    for (Outgoing& outgoing : unfinished) {
        if (outgoing.stage != Stage::wait_pubcomp) {
            send_publish(outgoing.message, outgoing.id, session_present);
        } else if (session_present) {
            send_ack(PacketType::pubrel, outgoing.id, ReasonCode::success);
        } else {
            ids_in_use_.erase(outgoing.id);  // The server took it over with its PUBREC.
            events_.emplace_back(Published{.id = outgoing.id});
            continue;
        }
        in_flight_.push_back(std::move(outgoing));
    }
    send_queued();
}

bool Session::resolve_alias(mqtt::Publish& publish) {
    if (publish.topic_alias == 0) return true;
    if (publish.topic_alias > options_.topic_alias_maximum) return false;  // [MQTT-3.3.2-11]
    if (!publish.topic.empty()) {
        aliases_[publish.topic_alias] = publish.topic;
        return true;
    }
    const auto known = aliases_.find(publish.topic_alias);
    if (known == aliases_.end()) return false;
    publish.topic = known->second;
    return true;
}

void Session::on_publish(const mqtt::Frame& frame) {
    mqtt::Result<mqtt::Publish> publish =
        mqtt::decode_publish(frame.flags, frame.body, options_.version, true);
    if (!publish) return refuse(publish.error());
    const bool only_alias = publish->topic.empty();
    if (!resolve_alias(*publish)) return refuse(ReasonCode::topic_alias_invalid);
    trace({.type = PacketType::publish,
           .id = publish->id,
           .dup = publish->dup,
           .retain = publish->retain,
           .qos = publish->qos,
           .topic = std::string(publish->topic),
           .payload_size = publish->payload.size()});
    if (publish->qos == Qos::exactly_once) {
        // [MQTT-4.3.3-10]: the same id before its PUBREL is the same message.
        const bool is_new = !incoming_.contains(publish->id);
        const bool is_full =
            options_.version == mqtt::Version::v5 && incoming_.size() >= options_.receive_maximum;
        if (is_new && is_full) {
            return refuse(ReasonCode::receive_maximum_exceeded);  // [MQTT-3.3.4-7]
        }
        if (is_new) {
            incoming_[publish->id] = {frame.flags,
                                      only_alias ? std::string(publish->topic) : std::string(),
                                      {frame.body.begin(), frame.body.end()}};
        }
        return send_ack(PacketType::pubrec, publish->id, ReasonCode::success);
    }
    if (publish->qos == Qos::at_least_once) {
        send_ack(PacketType::puback, publish->id, ReasonCode::success);  // [MQTT-4.3.2-4]
    }
    const mqtt::Bytes properties = options_.version == mqtt::Version::v5
                                       ? properties_of(frame.body, publish->qos)
                                       : mqtt::Bytes();
    events_.emplace_back(Received{*publish, properties});
}

void Session::on_pubrel(const mqtt::Ack& ack) {
    const auto waiting = incoming_.find(ack.id);
    const bool known = waiting != incoming_.end();
    // [MQTT-4.3.3-11]: PUBCOMP answers every PUBREL.
    send_ack(PacketType::pubcomp, ack.id,
             known ? ReasonCode::success : ReasonCode::packet_id_not_found);
    if (!known) return;
    releasing_ = std::move(waiting->second);
    incoming_.erase(waiting);
    mqtt::Result<mqtt::Publish> publish =
        mqtt::decode_publish(releasing_.flags, releasing_.body, options_.version, true);
    ASSERT(publish.has_value());  // on_publish() has decoded the same bytes.
    if (publish->topic.empty()) publish->topic = releasing_.topic;
    const mqtt::Bytes properties = options_.version == mqtt::Version::v5
                                       ? properties_of(releasing_.body, publish->qos)
                                       : mqtt::Bytes();
    events_.emplace_back(Received{*publish, properties});
}

void Session::on_ack(PacketType type, mqtt::Bytes body) {
    const mqtt::Result<mqtt::Ack> ack = mqtt::decode_ack(type, body, options_.version);
    if (!ack) return refuse(ack.error());
    trace({.type = type, .id = ack->id, .reason = static_cast<std::uint8_t>(ack->reason)});
    if (type == PacketType::pubrel) return on_pubrel(*ack);

    const auto outgoing = std::find_if(in_flight_.begin(), in_flight_.end(),
                                       [&](const Outgoing& one) { return one.id == ack->id; });
    const bool known = outgoing != in_flight_.end();
    if (type == PacketType::pubrec) {
        if (!known) return send_ack(PacketType::pubrel, ack->id, ReasonCode::packet_id_not_found);
        if (outgoing->stage == Stage::wait_puback) return refuse(ReasonCode::protocol_error);
        if (is_failure(ack->reason)) return finish(outgoing, *ack);
        outgoing->stage = Stage::wait_pubcomp;
        outgoing->message = {};  // The server owns it now [MQTT-4.3.3-6].
        return send_ack(PacketType::pubrel, ack->id, ReasonCode::success);
    }
    if (!known) return;  // A late answer to what an earlier connection finished.
    const Stage wanted = type == PacketType::puback ? Stage::wait_puback : Stage::wait_pubcomp;
    if (outgoing->stage != wanted) return refuse(ReasonCode::protocol_error);
    finish(outgoing, *ack);
}

void Session::finish(const std::deque<Outgoing>::iterator& outgoing, const mqtt::Ack& ack) {
    in_flight_.erase(outgoing);
    ids_in_use_.erase(ack.id);
    events_.emplace_back(Published{
        .id = ack.id, .reason = ack.reason, .reason_string = ack.reason_string.value_or("")});
    send_queued();
}

void Session::send_ack(PacketType type, PacketId id, ReasonCode reason) {
    mqtt::Ack packet;
    packet.type = type;
    packet.id = id;
    packet.reason = reason;
    mqtt::Writer out = writer();
    encode(out, packet, options_.version);
    trace({.sent = true, .type = type, .id = id, .reason = static_cast<std::uint8_t>(reason)});
}

void Session::on_suback(mqtt::Bytes body) {
    const mqtt::Result<mqtt::Suback> suback = mqtt::decode_suback(body, options_.version);
    if (!suback) return refuse(suback.error());
    trace({.type = PacketType::suback, .id = suback->id});
    if (ids_in_use_.erase(suback->id) == 0) return refuse(ReasonCode::protocol_error);
    events_.emplace_back(Subscribed{suback->id, reasons_of(suback->reasons)});
}

void Session::on_unsuback(mqtt::Bytes body) {
    const mqtt::Result<mqtt::Unsuback> unsuback = mqtt::decode_unsuback(body, options_.version);
    if (!unsuback) return refuse(unsuback.error());
    trace({.type = PacketType::unsuback, .id = unsuback->id});
    if (ids_in_use_.erase(unsuback->id) == 0) return refuse(ReasonCode::protocol_error);
    events_.emplace_back(Unsubscribed{unsuback->id, reasons_of(unsuback->reasons)});
}

void Session::on_disconnect(mqtt::Bytes body) {
    if (options_.version != mqtt::Version::v5) return refuse(ReasonCode::protocol_error);
    const mqtt::Result<mqtt::Disconnect> packet = mqtt::decode_disconnect(body, options_.version);
    if (!packet) return refuse(packet.error());
    trace({.type = PacketType::disconnect, .reason = static_cast<std::uint8_t>(packet->reason)});
    end(Disconnected::Cause::by_server, packet->reason);
}

}  // namespace client
