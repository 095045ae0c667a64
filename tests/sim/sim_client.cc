#include "sim/sim_client.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "mqtt/disconnect.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"
#include "mqtt/unsubscribe.h"
#include "sim/topics.h"

namespace sim {
namespace {

using mqtt::PacketType;
using support::Packet;

constexpr mqtt::PacketId ids_max = 40;  // Few, so that each is used again soon.
constexpr std::size_t window = 10;

std::uint32_t number_in(std::string_view payload) {
    std::uint32_t number = 0;
    std::from_chars(payload.data(), payload.data() + payload.size(), number);
    return number;
}

}  // namespace

template <typename OnePacket>
void SimClient::send(const OnePacket& packet) {
    Buffer bytes;
    mqtt::Writer out(bytes);
    mqtt::encode(out, packet, who_.version);
    sent_.insert(sent_.end(), bytes.begin(), bytes.end());
}

void SimClient::violate(const std::string& sentence) {
    around_.oracle.violate(fmt::format("{}: {}", who_.name, sentence));
}

void SimClient::act() {
    Random& random = around_.random;
    notice_close();
    const std::size_t what = random.below(100);
    if (!wire_) {
        if (what < 40) connect(true);
    } else if (!is_connected_) {
        if (what < 3) connect_anew();
    } else if (what < 45) {
        if (unfinished_.size() < std::min(window, around_.receive_maximum)) publish();
    } else if (what < 80) {
        acknowledge(random.between(1, 4));
    } else if (what < 92) {
        if (!request_) request();
    } else if (what < 95) {
        connect_anew();
    } else if (what < 97) {
        disconnect();
    } else if (what < 98) {
        leave_wire();  // Comes back while this one is still open.
        connect(true);
    }
}

void SimClient::exchange() {
    if (notice_close() || !wire_) return;
    Random& random = around_.random;
    const bool is_all = random.percent(60);
    const std::size_t size = is_all ? sent_.size() : random.between(0, sent_.size());
    around_.world->send(*wire_, base::Bytes(sent_).first(size));
    sent_.erase(sent_.begin(), sent_.begin() + static_cast<std::ptrdiff_t>(size));
    wire_->room = random.percent(60) ? support::FakeWire::no_limit : random.below(200);
}

bool SimClient::finish() {
    notice_close();
    if (!wire_) connect(false);
    acknowledge(owed_acks_.size());
    const bool is_done = is_connected_ && sent_.empty() && unfinished_.empty() && !request_;
    around_.world->send(*wire_, sent_);
    sent_.clear();
    wire_->room = support::FakeWire::no_limit;
    return is_done;
}

void SimClient::lose_broker() {
    lose_connection();
}

void SimClient::lose_connection() {
    if (wire_) wire_->on_packet = [](const Packet&) { return false; };
    wire_ = nullptr;
    is_connected_ = false;
    sent_.clear();
    owed_acks_.clear();
    in_flight_.clear();
    request_.reset();
}

bool SimClient::notice_close() {
    if (!wire_ || wire_->is_open()) return false;
    around_.trace.line("{} is disconnected by the broker", who_.name);
    violate("the broker closed its connection");
    lose_connection();
    return true;
}

// The connection breaks; what is on its way is lost.
void SimClient::connect_anew() {
    around_.trace.line("{} loses its connection", who_.name);
    around_.world->cut(*wire_);
    lose_connection();
}

// What it has sent arrives, sooner or later; it does not look any more.
void SimClient::leave_wire() {
    around_.world->send(*wire_, sent_);
    wire_->room = support::FakeWire::no_limit;
    lose_connection();
}

void SimClient::disconnect() {
    around_.trace.line("{} sends DISCONNECT", who_.name);
    send(mqtt::Disconnect{});
    leave_wire();
}

void SimClient::connect(bool may_begin_anew) {
    Random& random = around_.random;
    is_clean_ = !who_.is_kept || must_be_clean_ || (may_begin_anew && random.percent(4));
    if (is_clean_) {
        must_be_clean_ = true;
        unfinished_.clear();
        unreleased_.clear();
        around_.oracle.end_session(who_.name);
    } else if (presence_ == Presence::none) {
        // The state of a session that has ended is no other's [MQTT-3.1.2-6].
        unfinished_.clear();
        unreleased_.clear();
        presence_ = Presence::maybe;
    }
    const auto shard = static_cast<std::uint32_t>(random.below(around_.world->shard_count()));
    wire_ = &around_.world->open(shard, around_.listener);
    wire_->version = who_.version;
    wire_->room = 0;
    wire_->on_packet = [this](const Packet& packet) { return on_packet(packet); };
    mqtt::Connect packet;
    packet.version = who_.version;
    packet.clean_start = is_clean_;
    packet.client_id = who_.name;
    packet.receive_maximum = who_.receive_maximum;
    packet.session_expiry_s = is_v5() && who_.is_kept ? who_.expiry_s : 0;
    packet.topic_alias_maximum = wire_->alias_max = is_v5() ? 5 : 0;
    add_will(packet);
    around_.trace.line("{} sends CONNECT{} to shard {}, will {}", who_.name,
                       is_clean_ ? ", clean" : "", shard, will_);
    const std::string topic = "w/" + who_.name;
    const std::string payload = std::to_string(will_);
    if (packet.will) packet.will->topic = topic;
    if (packet.will) packet.will->payload = base::as_bytes(payload);
    mqtt::Writer out(sent_);
    mqtt::encode(out, packet);
}

// Without its texts, which must live until it is encoded.
void SimClient::add_will(mqtt::Connect& packet) {
    Random& random = around_.random;
    will_ = 0;
    if (!random.percent(40)) return;
    const int qos = static_cast<int>(random.between(1, 2));
    will_ = around_.oracle.publish(who_.name, "w/" + who_.name, qos, false, false).number;
    packet.will.emplace();
    packet.will->qos = static_cast<mqtt::Qos>(qos);
    if (is_v5() && random.percent(60)) {
        packet.will->delay_s = static_cast<std::uint32_t>(random.below(100));
    }
}

void SimClient::break_off() {
    around_.trace.line("{} breaks off", who_.name);
    if (will_ != 0) around_.oracle.acknowledge(will_);
    around_.world->cut(*wire_);
    lose_connection();
}

void SimClient::expire() {
    if (!is_v5() || who_.expiry_s == mqtt::session_never_expires) return;
    around_.oracle.end_session(who_.name);
    presence_ = Presence::none;
}

mqtt::PacketId SimClient::new_id() {
    const auto is_used = [this](mqtt::PacketId id) {
        return (request_ && request_->id == id) ||
               std::ranges::any_of(unfinished_, [&](const Outgoing& one) { return one.id == id; });
    };
    do {
        last_id_ = static_cast<mqtt::PacketId>(last_id_ % ids_max + 1);
    } while (is_used(last_id_));
    return last_id_;
}

void SimClient::publish() {
    Random& random = around_.random;
    const bool retain = random.percent(20);
    const bool is_shared = !retain && random.percent(20);
    const std::string_view topic = retain      ? random.one_of(retained_topics)
                                   : is_shared ? random.one_of(shared_topics)
                                               : random.one_of(topics);
    const int qos = retain || random.percent(85) ? static_cast<int>(random.between(1, 2)) : 0;
    const Publication& one =
        around_.oracle.publish(who_.name, topic, qos, retain, retain && random.percent(25));
    Outgoing outgoing{.number = one.number};
    if (qos > 0) outgoing.id = new_id();
    send_publish(outgoing, false);
    if (qos > 0) unfinished_.push_back(outgoing);
}

void SimClient::send_publish(const Outgoing& one, bool dup) {
    const Publication& what = around_.oracle.publication(one.number);
    around_.trace.line("{} sends PUBLISH {} to {}, QoS {}, m{}{}{}", who_.name, one.number,
                       what.topic, what.qos, one.id, dup ? ", dup" : "",
                       what.is_clear ? ", clears" : "");
    std::string payload = std::to_string(one.number);
    if (one.number % 37 == 0) payload.resize(5000, ' ');  // Long enough to be shared.
    mqtt::Publish packet;
    packet.qos = static_cast<mqtt::Qos>(what.qos);
    packet.retain = what.retain;
    packet.dup = dup;
    packet.id = one.id;
    packet.topic = what.topic;
    if (!what.is_clear) packet.payload = base::as_bytes(payload);
    send(packet);
}

// What it is about; the QoS to ask for.
int SimClient::choose_filter(Request& request) {
    Random& random = around_.random;
    request.is_end = random.percent(35);
    if (who_.is_member && random.percent(20)) {
        request.filter = shared_filter;
        return shared_qos_of(who_.number);
    }
    const std::size_t choice = random.below(filters.size());
    request.filter = filters[choice];
    return qos_of(who_.number, choice);
}

void SimClient::request() {
    Request request;
    request.id = new_id();
    const int qos = choose_filter(request);
    Buffer bytes;
    mqtt::Writer out(bytes);
    if (request.is_end) {
        mqtt::Unsubscribe packet;
        packet.id = request.id;
        const std::string_view filter = request.filter;
        mqtt::encode_unsubscribe(out, packet, {&filter, 1}, who_.version);
        around_.oracle.ask_end(who_.name, request.filter);
    } else {
        mqtt::Subscribe packet;
        packet.id = request.id;
        mqtt::SubscribeEntry entry;
        entry.filter = request.filter;
        entry.options.qos = static_cast<mqtt::Qos>(qos);
        mqtt::encode_subscribe(out, packet, {&entry, 1}, who_.version);
        around_.oracle.ask_subscription(who_.name, request.filter, qos);
    }
    around_.trace.line("{} sends {} {}", who_.name, request.is_end ? "UNSUBSCRIBE" : "SUBSCRIBE",
                       request.filter);
    sent_.insert(sent_.end(), bytes.begin(), bytes.end());
    request_ = std::move(request);
}

// In the order in which the messages came [MQTT-4.6.0-2].
void SimClient::acknowledge(std::size_t count) {
    for (; count > 0 && !owed_acks_.empty(); --count) {
        const mqtt::Ack ack = owed_acks_.front();
        owed_acks_.pop_front();
        if (ack.type != PacketType::pubrec) in_flight_.erase(ack.id);
        send(ack);
    }
}

// [MQTT-4.4.0-1]
void SimClient::repeat() {
    for (const Outgoing& one : unfinished_) {
        if (one.is_received) {
            send(mqtt::Ack{.type = PacketType::pubrel, .id = one.id});
        } else {
            around_.oracle.repeat(one.number);
            send_publish(one, true);
        }
    }
}

// A store that has failed, or has no space, cannot keep what it is sent; there may be space again
// by the time that the client is told.
bool SimClient::is_refused(const Packet& packet) const {
    const bool is_answer = packet.type == PacketType::puback || packet.type == PacketType::pubrec;
    return is_answer && packet.reason == mqtt::ReasonCode::quota_exceeded &&
           (around_.world->broker().store().has_failed() || around_.was_disk_full);
}

bool SimClient::on_packet(const Packet& packet) {
    around_.trace.line("{} gets {}{}", who_.name, to_text(packet),
                       packet.session_present ? ", session present" : "");
    // A PUBREL whose PUBCOMP was lost names what the broker has forgotten.
    const bool is_repeated = packet.type == PacketType::pubcomp &&
                             packet.reason == mqtt::ReasonCode::packet_id_not_found;
    if (mqtt::is_failure(packet.reason) && !is_repeated && !is_refused(packet)) {
        violate("is told " + to_text(packet));
    }
    switch (packet.type) {
        case PacketType::connack:
            on_connack(packet);
            break;
        case PacketType::publish:
            on_publish(packet);
            break;
        case PacketType::puback:
        case PacketType::pubrec:
        case PacketType::pubcomp:
            on_publish_ack(packet);
            break;
        case PacketType::pubrel:
            on_pubrel(packet);
            break;
        case PacketType::suback:
        case PacketType::unsuback:
            on_request_ack(packet);
            break;
        default:
            violate("did not expect " + to_text(packet));
    }
    return false;
}

void SimClient::on_connack(const Packet& packet) {
    is_connected_ = true;
    if (packet.session_present && (is_clean_ || presence_ == Presence::none)) {
        violate("has a session that it cannot have");
    }
    if (!packet.session_present && !is_clean_ && presence_ == Presence::certain) {
        violate("its session is gone");
    }
    must_be_clean_ = false;
    const bool is_kept = is_v5() ? who_.is_kept : !is_clean_;
    if (!packet.session_present) {
        unfinished_.clear();
        unreleased_.clear();
    }
    if (!packet.session_present || presence_ != Presence::certain) {
        around_.oracle.begin_session(who_.name, is_kept);
    }
    presence_ = is_kept ? Presence::certain : Presence::none;
    repeat();
}

void SimClient::on_publish(const Packet& packet) {
    if (packet.qos == 0) return around_.oracle.receive(who_.name, packet);
    if (!in_flight_.insert(packet.id).second) violate("twice in flight: " + to_text(packet));
    const std::size_t window_max =
        std::min<std::size_t>(who_.receive_maximum, around_.receive_maximum);
    if (in_flight_.size() > window_max) violate("more in flight than its Receive Maximum");
    if (packet.qos == 1) {
        around_.oracle.receive(who_.name, packet);
        owed_acks_.push_back({.type = PacketType::puback, .id = packet.id});
        return;
    }
    const auto [known, is_new] = unreleased_.try_emplace(packet.id, number_in(packet.payload));
    if (is_new) {
        around_.oracle.receive(who_.name, packet);
    } else if (known->second != number_in(packet.payload)) {
        violate(fmt::format("{} has the identifier of {}, which is not released", to_text(packet),
                            known->second));
    }
    owed_acks_.push_back({.type = PacketType::pubrec, .id = packet.id});
}

void SimClient::on_pubrel(const Packet& packet) {
    in_flight_.insert(packet.id);
    unreleased_.erase(packet.id);
    owed_acks_.push_back({.type = PacketType::pubcomp, .id = packet.id});
}

void SimClient::on_publish_ack(const Packet& packet) {
    const auto one = std::ranges::find_if(
        unfinished_, [&](const Outgoing& outgoing) { return outgoing.id == packet.id; });
    if (one == unfinished_.end())
        return violate("did not send what is acknowledged: " + to_text(packet));
    const bool is_qos2 = around_.oracle.publication(one->number).qos == 2;
    if (is_qos2 != (packet.type != PacketType::puback)) violate("got " + to_text(packet));
    if (is_refused(packet)) {
        unfinished_.erase(one);
        return;
    }
    around_.oracle.acknowledge(one->number);
    if (packet.type != PacketType::pubrec) {
        unfinished_.erase(one);
        return;
    }
    one->is_received = true;
    send(mqtt::Ack{.type = PacketType::pubrel, .id = packet.id});
}

void SimClient::on_request_ack(const Packet& packet) {
    if (!request_ || request_->id != packet.id) return violate("did not ask: " + to_text(packet));
    if (request_->is_end) {
        around_.oracle.grant_end(who_.name, request_->filter);
    } else {
        around_.oracle.grant_subscription(who_.name, request_->filter);
    }
    request_.reset();
}

}  // namespace sim
