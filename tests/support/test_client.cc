#include "support/test_client.h"

#include <gtest/gtest.h>

#include "mqtt/ack.h"
#include "mqtt/auth.h"
#include "mqtt/ping.h"
#include "mqtt/unsubscribe.h"

namespace support {
namespace {

using Buffer = std::vector<std::uint8_t>;

// `user` is where the encoded user properties live.
mqtt::MessageProperties properties_of(const Properties& terms, Buffer& user) {
    mqtt::MessageProperties properties;
    properties.payload_format = terms.payload_format;
    properties.content_type = terms.content_type;
    properties.has_content_type = !terms.content_type.empty();
    properties.response_topic = terms.response_topic;
    properties.has_response_topic = !terms.response_topic.empty();
    properties.correlation_data = base::as_bytes(terms.correlation_data);
    properties.has_correlation_data = !terms.correlation_data.empty();
    mqtt::Writer out(user);
    for (const auto& [key, value] : terms.user) {
        out.u8(static_cast<std::uint8_t>(mqtt::PropertyId::user_property));
        out.text(key);
        out.text(value);
    }
    properties.user = mqtt::UserProperties(user);
    return properties;
}

mqtt::Will will_of(const WillTerms& terms, Buffer& user) {
    mqtt::Will will;
    will.topic = terms.topic;
    will.payload = base::as_bytes(terms.payload);
    will.qos = static_cast<mqtt::Qos>(terms.qos);
    will.retain = terms.retain;
    will.delay_s = terms.delay_s;
    will.properties = properties_of(terms.properties, user);
    will.properties.message_expiry_s = terms.expiry_s;
    return will;
}

}  // namespace

PacketId TestClient::new_id() {
    if (++next_id_ == 0) ++next_id_;
    return next_id_;
}

TestClient& TestClient::settled() {
    world_.settle();
    return *this;
}

TestClient& TestClient::send(base::Bytes bytes) {
    BrokerWorld::send(*wire_, bytes);
    return settled();
}

TestClient& TestClient::on(const broker::ListenerOptions& listener) {
    listener_ = &listener;
    return *this;
}

TestClient& TestClient::open(std::uint32_t shard) {
    wire_ = &world_.open(shard, *listener_);
    wire_->on_packet = [this](const Packet& packet) { return answer(packet); };
    unacknowledged_.clear();
    return *this;
}

TestClient& TestClient::connect(const ConnectTerms& terms) {
    open(terms.accepted_by);
    version_ = wire_->version = terms.version;
    mqtt::Connect packet;
    packet.version = terms.version;
    packet.is_bridge = terms.is_bridge;
    packet.clean_start = terms.clean_start;
    packet.keep_alive_s = terms.keep_alive_s;
    packet.client_id = client_id_;
    Buffer user;
    if (terms.will) packet.will = will_of(*terms.will, user);
    packet.user_name = terms.user_name;
    packet.session_expiry_s = terms.version == v5 ? terms.session_expiry_s : 0;
    packet.receive_maximum = terms.receive_maximum;
    packet.maximum_packet_size = terms.maximum_packet_size;
    packet.topic_alias_maximum = wire_->alias_max = terms.topic_alias_maximum;
    packet.request_problem_information = terms.request_problem_information;
    packet.request_response_information = terms.request_response_information;
    wire_->packet_size_max = terms.version == v5 ? terms.maximum_packet_size.value_or(0) : 0;
    packet.authentication_method = terms.authentication_method;
    packet.authentication_data = base::as_bytes(terms.authentication_data);
    Buffer bytes;
    mqtt::Writer out(bytes);
    mqtt::encode(out, packet);
    return send(bytes);
}

TestClient& TestClient::join(const ConnectTerms& terms, Where where) {
    return connect(terms).expect(connack, ReasonCode::success, where);
}

TestClient& TestClient::subscribe(std::string_view filter, int qos) {
    return subscribe(filter, SubscribeTerms{.qos = qos});
}

TestClient& TestClient::subscribe(std::string_view filter, const SubscribeTerms& terms) {
    mqtt::Subscribe packet;
    packet.id = new_id();
    packet.subscription_id = terms.id;
    mqtt::SubscribeEntry entry;
    entry.filter = filter;
    entry.options = {static_cast<mqtt::Qos>(terms.qos), terms.no_local, terms.retain_as_published,
                     terms.retain_handling};
    Buffer bytes;
    mqtt::Writer out(bytes);
    mqtt::encode_subscribe(out, packet, {&entry, 1}, version_);
    return send(bytes);
}

TestClient& TestClient::unsubscribe(std::string_view filter) {
    Buffer bytes;
    mqtt::Writer out(bytes);
    mqtt::Unsubscribe packet;
    packet.id = new_id();
    mqtt::encode_unsubscribe(out, packet, {&filter, 1}, version_);
    return send(bytes);
}

TestClient& TestClient::publish(std::string_view topic, std::string_view payload,
                                const PublishTerms& terms) {
    mqtt::Publish packet;
    packet.qos = static_cast<mqtt::Qos>(terms.qos);
    packet.retain = terms.retain;
    packet.dup = terms.dup;
    if (terms.qos > 0) packet.id = terms.id != 0 ? terms.id : new_id();
    packet.topic = topic;
    packet.payload = base::as_bytes(payload);
    packet.topic_alias = terms.alias;
    Buffer user;
    packet.properties = properties_of(terms.properties, user);
    packet.properties.message_expiry_s = terms.expiry_s;
    if (!terms.content_type.empty()) {
        packet.properties.content_type = terms.content_type;
        packet.properties.has_content_type = true;
    }
    Buffer bytes;
    mqtt::Writer out(bytes);
    mqtt::encode(out, packet, version_);
    return send(bytes);
}

void TestClient::queue_ack(PacketType type, PacketId id, ReasonCode reason) {
    Buffer bytes;
    mqtt::Writer out(bytes);
    mqtt::Ack packet;
    packet.type = type;
    packet.id = id;
    packet.reason = reason;
    mqtt::encode(out, packet, version_);
    BrokerWorld::send(*wire_, bytes);
}

TestClient& TestClient::ack(PacketType type, PacketId id, ReasonCode reason) {
    if (type == puback) std::erase(unacknowledged_, id);
    queue_ack(type, id, reason);
    return settled();
}

TestClient& TestClient::ping() {
    Buffer bytes;
    mqtt::Writer out(bytes);
    mqtt::encode_pingreq(out);
    return send(bytes);
}

TestClient& TestClient::disconnect(ReasonCode reason,
                                   std::optional<std::uint32_t> session_expiry_s) {
    Buffer bytes;
    mqtt::Writer out(bytes);
    mqtt::encode(out, mqtt::Disconnect{.reason = reason, .session_expiry_s = session_expiry_s},
                 version_);
    return send(bytes);
}

TestClient& TestClient::auth(ReasonCode reason, std::optional<std::string_view> method,
                             std::string_view data) {
    Buffer bytes;
    mqtt::Writer out(bytes);
    mqtt::encode(out, mqtt::Auth{.reason = reason,
                                 .authentication_method = method,
                                 .authentication_data = base::as_bytes(data)});
    return send(bytes);
}

TestClient& TestClient::drop() {
    world_.drop(*wire_);
    return *this;
}

TestClient& TestClient::manual_acks() {
    acks_by_itself_ = false;
    return *this;
}

TestClient& TestClient::auto_acks() {
    acks_by_itself_ = true;
    return *this;
}

TestClient& TestClient::take(std::size_t bytes) {
    wire_->room = bytes;
    return settled();
}

// The receiver's half of QoS 1 and 2. PUBREL is part of it, and not shown.
bool TestClient::answer(const Packet& packet) {
    if (!acks_by_itself_) {
        if (packet.type == publish_type && packet.qos == 1) unacknowledged_.push_back(packet.id);
        return true;
    }
    if (packet.type == pubrel) queue_ack(pubcomp, packet.id, ReasonCode::success);
    if (packet.type == publish_type && packet.qos == 1) {
        queue_ack(puback, packet.id, ReasonCode::success);
    }
    if (packet.type == publish_type && packet.qos == 2) {
        queue_ack(pubrec, packet.id, ReasonCode::success);
    }
    return packet.type != pubrel;
}

std::optional<Packet> TestClient::next(Where where, std::string_view wanted) {
    if (wire_->received.empty()) {
        ADD_FAILURE_AT(where.file, where.line)
            << client_id_ << " waits for " << wanted << " and got nothing"
            << (wire_->is_open() ? "" : "; closed");
        return std::nullopt;
    }
    last_ = wire_->received.front();
    wire_->received.pop_front();
    if (last_.type == publish_type) last_publish_id_ = last_.id;
    return last_;
}

TestClient& TestClient::expect(PacketType type, Where where) {
    Packet wanted;
    wanted.type = type;
    const auto packet = next(where, to_text(wanted));
    if (packet && packet->type != type) {
        ADD_FAILURE_AT(where.file, where.line)
            << client_id_ << " waits for " << to_text(wanted) << ", got " << to_text(*packet);
    }
    return *this;
}

TestClient& TestClient::expect(PacketType type, ReasonCode reason, Where where) {
    expect(type, where);
    const bool has_list = type == suback || type == unsuback;
    const ReasonCode got = !has_list               ? last_.reason
                           : last_.reasons.empty() ? ReasonCode::success
                                                   : static_cast<ReasonCode>(last_.reasons[0]);
    if (last_.type == type && got != reason) {
        ADD_FAILURE_AT(where.file, where.line)
            << client_id_ << " waits for reason " << mqtt::describe(reason) << ", got "
            << mqtt::describe(got);
    }
    return *this;
}

TestClient& TestClient::expect_publish(std::string_view topic, std::string_view payload, int qos,
                                       Where where) {
    Packet wanted;
    wanted.type = publish_type;
    wanted.topic = topic;
    wanted.payload = payload;
    wanted.qos = qos;
    const auto packet = next(where, to_text(wanted));
    if (!packet) return *this;
    if (packet->type != publish_type || packet->topic != topic || packet->payload != payload ||
        packet->qos != qos) {
        ADD_FAILURE_AT(where.file, where.line)
            << client_id_ << " waits for " << to_text(wanted) << ", got " << to_text(*packet);
    }
    return *this;
}

TestClient& TestClient::expect_nothing(Where where) {
    if (!wire_->received.empty()) {
        ADD_FAILURE_AT(where.file, where.line)
            << client_id_ << " got " << to_text(wire_->received.front()) << " of "
            << wire_->received.size();
    }
    return *this;
}

TestClient& TestClient::expect_closed(Where where) {
    expect_nothing(where);
    if (is_open()) ADD_FAILURE_AT(where.file, where.line) << client_id_ << " is still connected";
    return *this;
}

TestClient& TestClient::ignore_all() {
    wire_->received.clear();
    return *this;
}

}  // namespace support
