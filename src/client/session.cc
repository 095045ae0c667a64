#include "client/session.h"

#include <algorithm>

#include "base/assert.h"
#include "mqtt/disconnect.h"
#include "mqtt/ping.h"
#include "mqtt/unsubscribe.h"

namespace client {

using mqtt::PacketId;
using mqtt::PacketType;
using mqtt::Qos;
using mqtt::ReasonCode;

namespace {

// Fixed header and packet id at their largest; a PUBLISH's properties are counted apart.
constexpr std::size_t publish_overhead = 5 + 2 + 2;

mqtt::Publish as_packet(const Message& message, PacketId id, bool dup) {
    mqtt::Publish packet;
    packet.qos = message.qos;
    packet.retain = message.retain;
    packet.dup = dup;
    packet.id = message.qos == Qos::at_most_once ? PacketId{0} : id;
    packet.topic = message.topic;
    packet.payload = base::as_bytes(message.payload);
    packet.topic_alias = message.topic_alias;
    packet.properties = message.properties.view();
    return packet;
}

}  // namespace

Session::Session(Options options) : options_(std::move(options)) {
    // So that a packet id is always free for a message.
    options_.queued_max = std::min<std::size_t>(options_.queued_max, 30'000);
    options_.in_flight_max = std::clamp<std::uint16_t>(options_.in_flight_max, 1, 30'000);
}

void Session::open(std::uint64_t now_ms) {
    now_ms_ = opened_ms_ = last_sent_ms_ = last_received_ms_ = now_ms;
    output_.clear();
    input_.clear();
    events_.clear();
    aliases_.clear();
    output_done_ = input_done_ = 0;
    ping_sent_ms_.reset();
    ids_in_use_.clear();  // Who waited for a SUBACK waits no more.
    for (const Outgoing& outgoing : in_flight_) ids_in_use_.insert(outgoing.id);
    for (const Outgoing& outgoing : queued_) ids_in_use_.insert(outgoing.id);
    keep_alive_ms_ = std::uint64_t{options_.keep_alive_s} * 1'000;
    in_flight_max_ = options_.in_flight_max;
    packet_size_max_ = mqtt::remaining_length_max + 5;
    maximum_qos_ = Qos::exactly_once;
    retain_available_ = true;
    state_ = State::connecting;
    send_connect();
}

void Session::send_connect() {
    mqtt::Connect packet;
    packet.version = options_.version;
    packet.is_bridge = options_.is_bridge;
    packet.clean_start = options_.clean_start;
    packet.keep_alive_s = options_.keep_alive_s;
    packet.client_id = options_.client_id;
    if (options_.will) {
        const Message& message = options_.will->message;
        packet.will = mqtt::Will{.topic = message.topic,
                                 .payload = base::as_bytes(message.payload),
                                 .qos = message.qos,
                                 .retain = message.retain,
                                 .delay_s = options_.will->delay_s,
                                 .properties = message.properties.view()};
    }
    if (options_.user_name) packet.user_name = *options_.user_name;
    if (options_.password) packet.password = base::as_bytes(*options_.password);
    packet.session_expiry_s = options_.session_expiry_s;
    packet.receive_maximum = options_.receive_maximum;
    packet.maximum_packet_size = options_.maximum_packet_size;
    packet.topic_alias_maximum = options_.topic_alias_maximum;
    packet.request_response_information = options_.request_response_information;
    packet.request_problem_information = options_.request_problem_information;
    if (options_.authentication_method) {
        packet.authentication_method = *options_.authentication_method;
    }
    packet.authentication_data = base::as_bytes(options_.authentication_data);
    packet.user = options_.user.view();
    mqtt::Writer out = writer();
    encode(out, packet);
    trace({.sent = true, .type = PacketType::connect});
}

void Session::transport_closed() {
    if (state_ != State::closed) end(Disconnected::Cause::lost);
}

void Session::receive(mqtt::Bytes bytes, std::uint64_t now_ms) {
    ASSERT(events_.empty());
    now_ms_ = now_ms;
    if (state_ == State::closed) return;
    last_received_ms_ = now_ms;
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(input_done_));
    input_done_ = 0;
    input_.insert(input_.end(), bytes.begin(), bytes.end());
}

std::optional<Event> Session::next_event() {
    while (events_.empty()) {
        if (!decode_next()) return std::nullopt;
    }
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
}

void Session::consume(std::size_t size) {
    output_done_ += size;
    ASSERT(output_done_ <= output_.size());
    if (output_done_ == output_.size()) {
        output_.clear();
        output_done_ = 0;
    }
}

std::uint64_t Session::next_deadline() const {
    if (state_ == State::connecting) {
        return options_.connack_timeout_ms == 0 ? never : opened_ms_ + options_.connack_timeout_ms;
    }
    if (state_ == State::closed || keep_alive_ms_ == 0) return never;
    if (ping_sent_ms_) return *ping_sent_ms_ + keep_alive_ms_;
    return std::min(last_sent_ms_, last_received_ms_) + keep_alive_ms_;
}

void Session::tick(std::uint64_t now_ms) {
    now_ms_ = now_ms;
    if (now_ms < next_deadline()) return;
    if (state_ == State::connecting || ping_sent_ms_) {
        end(Disconnected::Cause::timed_out, ReasonCode::keep_alive_timeout);
        return;
    }
    // [MQTT-3.1.2-20]: a client that has nothing to say within the keep alive sends PINGREQ.
    mqtt::Writer out = writer();
    mqtt::encode_pingreq(out);
    ping_sent_ms_ = now_ms;
    trace({.sent = true, .type = PacketType::pingreq});
}

mqtt::Result<PacketId> Session::publish(Message message) {
    if (message.qos > maximum_qos_) return base::fail(ReasonCode::qos_not_supported);
    if (message.retain && !retain_available_) return base::fail(ReasonCode::retain_not_supported);
    const std::size_t size = publish_overhead + message.topic.size() + message.payload.size() +
                             forwarded_size(message.properties.view());
    if (size > packet_size_max_) return base::fail(ReasonCode::packet_too_large);
    if (message.qos == Qos::at_most_once) {
        if (state_ != State::connected) return base::fail(ReasonCode::server_unavailable);
        if (output_.size() - output_done_ > options_.output_bytes_max) {
            return base::fail(ReasonCode::quota_exceeded);
        }
        const PacketId id = next_id();
        send_publish(message, id, false);
        events_.emplace_back(Published{.id = id});
        return id;
    }
    if (queued_.size() >= options_.queued_max) return base::fail(ReasonCode::quota_exceeded);
    const PacketId id = next_id();
    ids_in_use_.insert(id);
    const Stage stage = message.qos == Qos::exactly_once ? Stage::wait_pubrec : Stage::wait_puback;
    queued_.push_back({std::move(message), id, stage});
    send_queued();
    return id;
}

void Session::send_publish(const Message& message, PacketId id, bool dup) {
    mqtt::Writer out = writer();
    encode(out, as_packet(message, id, dup), options_.version);
    trace({.sent = true,
           .type = PacketType::publish,
           .id = id,
           .dup = dup,
           .retain = message.retain,
           .qos = message.qos,
           .topic = message.topic,
           .payload_size = message.payload.size()});
}

// [MQTT-3.3.4-9]: never more in flight than the server's receive maximum.
void Session::send_queued() {
    while (state_ == State::connected && !queued_.empty() && in_flight_.size() < in_flight_max_) {
        in_flight_.push_back(std::move(queued_.front()));
        queued_.pop_front();
        send_publish(in_flight_.back().message, in_flight_.back().id, false);
    }
}

PacketId Session::subscribe(std::span<const Subscription> subscriptions,
                            std::uint32_t subscription_id, const UserProperties& user) {
    const PacketId id = next_id();
    if (id == 0 || state_ != State::connected || subscriptions.empty()) return 0;
    ids_in_use_.insert(id);
    std::vector<mqtt::SubscribeEntry> entries;
    for (const Subscription& one : subscriptions) {
        entries.push_back({one.filter, one.options});
    }
    mqtt::Subscribe packet;
    packet.id = id;
    packet.version = options_.version;
    packet.subscription_id = subscription_id;
    packet.user = user.view();
    mqtt::Writer out = writer();
    encode_subscribe(out, packet, entries, options_.version);
    for (const Subscription& one : subscriptions) {
        const int options = (one.options.no_local ? 4 : 0) |
                            (one.options.retain_as_published ? 8 : 0) |
                            static_cast<int>(one.options.retain_handling) << 4;
        trace({.sent = true,
               .type = PacketType::subscribe,
               .id = id,
               .qos = one.options.qos,
               .options = static_cast<std::uint8_t>(options),
               .topic = one.filter});
    }
    return id;
}

PacketId Session::unsubscribe(std::span<const std::string> filters, const UserProperties& user) {
    const PacketId id = next_id();
    if (id == 0 || state_ != State::connected || filters.empty()) return 0;
    ids_in_use_.insert(id);
    const std::vector<std::string_view> views(filters.begin(), filters.end());
    mqtt::Unsubscribe packet;
    packet.id = id;
    packet.user = user.view();
    mqtt::Writer out = writer();
    encode_unsubscribe(out, packet, views, options_.version);
    for (const std::string& filter : filters) {
        trace({.sent = true, .type = PacketType::unsubscribe, .id = id, .topic = filter});
    }
    return id;
}

void Session::disconnect(const mqtt::Disconnect& packet) {
    if (state_ == State::closed) return;
    if (state_ == State::connected) {
        mqtt::Writer out = writer();
        encode(out, packet, options_.version);
        trace({.sent = true,
               .type = PacketType::disconnect,
               .reason = static_cast<std::uint8_t>(packet.reason)});
    }
    end(Disconnected::Cause::by_us, packet.reason);
}

void Session::refuse(ReasonCode reason) {
    if (options_.version == mqtt::Version::v5 && state_ == State::connected) {
        mqtt::Disconnect packet;
        packet.reason = reason;
        mqtt::Writer out = writer();
        encode(out, packet, options_.version);
        trace({.sent = true,
               .type = PacketType::disconnect,
               .reason = static_cast<std::uint8_t>(reason)});
    }
    end(Disconnected::Cause::protocol_error, reason);
}

void Session::end(Disconnected::Cause cause, ReasonCode reason) {
    state_ = State::closed;
    input_done_ = input_.size();  // What came after it has no meaning any more.
    events_.emplace_back(Disconnected{.cause = cause, .reason = reason});
}

void Session::trace(Traced traced) {
    if (traced.sent) last_sent_ms_ = now_ms_;
    if (options_.trace) events_.emplace_back(std::move(traced));
}

// [MQTT-2.2.1-3]: an id that is not in use; 0 if there is none.
PacketId Session::next_id() {
    for (int tries = 0; tries <= 0xFFFF; ++tries) {
        ++last_id_;
        if (last_id_ != 0 && !ids_in_use_.contains(last_id_)) return last_id_;
    }
    return 0;
}

}  // namespace client
