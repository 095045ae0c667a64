#include "broker/connection.h"

#include <algorithm>

#include "broker/authentication.h"
#include "broker/rate_limit.h"
#include "broker/reason_text.h"
#include "broker/shard.h"
#include "mqtt/disconnect.h"
#include "mqtt/ping.h"

namespace broker {

using base::LogType;
using mqtt::PacketType;
using mqtt::ReasonCode;

namespace {

constexpr std::uint8_t tls_handshake = 0x16;  // The content type of a TLS hello.

// One and a half times the Keep Alive without a packet [MQTT-3.1.2-22].
std::uint64_t end_of_silence_ms(std::uint64_t last_packet_ms, std::uint16_t keep_alive_s) {
    return keep_alive_s == 0 ? UINT64_MAX : last_packet_ms + std::uint64_t{keep_alive_s} * 1500;
}

std::uint64_t end_of_login_ms(std::uint32_t ends_at_s) {
    return ends_at_s == 0 ? UINT64_MAX : std::uint64_t{ends_at_s} * 1000;
}

// Whether the answer to a packet, or the PUBREL that follows from it, says that something is safe.
bool is_answered_by_promise(const mqtt::Frame& frame) {
    switch (frame.type) {
        case PacketType::publish:
            return (frame.flags & 0x06) != 0;  // Not QoS 0.
        case PacketType::connect:
        case PacketType::pubrec:
        case PacketType::pubrel:
        case PacketType::subscribe:
        case PacketType::unsubscribe:
        case PacketType::auth:
            return true;
        default:
            return false;
    }
}

}  // namespace

Connection::Connection(Shard& shard, Wire& wire, const ListenerOptions& listener)
    : shard_(shard), wire_(wire), listener_(&listener), timer_(&Connection::on_timer, this) {
    shard_.connection_opened(*this);
    if (listener.messages_per_s_max != 0 || listener.bytes_per_s_max != 0) {
        rate_limit_ =
            std::make_unique<RateLimit>(listener.messages_per_s_max, listener.bytes_per_s_max,
                                        shard_.now_ms(), &Connection::on_rested, this);
    }
    const std::uint64_t limit_ms = std::uint64_t{shard_.options().connect_timeout_s} * 1000;
    if (limit_ms != 0) shard_.timers().add(timer_, shard_.now_ms() + limit_ms);
}

Connection::~Connection() {
    shard_.forget(*this);
}

std::size_t Connection::on_bytes(Bytes bytes) {
    last_packet_ms_ = shard_.now_ms();
    bytes_needed_ = 0;
    is_paused_ = false;
    std::size_t consumed = rate_limit_ ? handle_packets<true>(bytes) : handle_packets<false>(bytes);
    if (state_ == State::ended) consumed = bytes.size();
    shard_.counters().bytes_received.add(consumed);
    return consumed;
}

// Twice, so that who has no rate limit does not pay a branch a packet for it.
template <bool has_rate_limit>
std::size_t Connection::handle_packets(Bytes bytes) {
    if constexpr (has_rate_limit) rate_limit_->fill(last_packet_ms_);
    std::size_t consumed = 0;
    const std::uint32_t size_max = shard_.options().packet_size_max;
    while (state_ <= State::connected && consumed < bytes.size()) {
        if (state_ == State::connected && must_pause(bytes[consumed])) {
            shard_.pause(*this);
            is_paused_ = true;
            wire_.pause_reading();
            break;
        }
        if constexpr (has_rate_limit) {
            if (must_rest()) break;
        }
        if (owes_too_much()) {
            wire_.pause_reading();  // Until on_writable(); keep alive ends who never reads.
            break;
        }
        if (state_ < State::connected && must_wait(bytes[consumed])) break;
        const mqtt::FrameResult next =
            mqtt::next_frame(bytes.subspan(consumed), size_max, version_);
        if (next.status == mqtt::FrameResult::Status::incomplete) {
            bytes_needed_ = static_cast<std::uint32_t>(next.needed);
            break;
        }
        if (next.status == mqtt::FrameResult::Status::refused) {
            refuse_frame(next.reason, bytes[consumed]);
            break;
        }
        if (shard_.records()) {
            handle_recorded(next.frame);
        } else {
            handle(next.frame);
        }
        if (state_ == State::moved) break;  // The CONNECT goes along, unconsumed.
        if (request_) break;                // So does the rest of the request.
        consumed += next.frame.size;
        if constexpr (has_rate_limit) {
            rate_limit_->take(next.frame.type == PacketType::publish, next.frame.size);
        }
    }
    return consumed;
}

// It is slowed by its own socket: nothing is lost, and its silence is not its own.
bool Connection::must_rest() {
    const auto limit = rate_limit_->reached();
    if (!limit) return false;
    is_paused_ = true;
    wire_.pause_reading();
    if (rate_limit_->rest().is_armed()) return true;  // Something else has had it read again.
    shard_.timers().add(rate_limit_->rest(), last_packet_ms_ + rate_limit_->wait_ms());
    const bool by_messages = *limit == Refusal::message_rate;
    const std::string place = listener_->port == 0 ? std::string("a unix socket")
                                                   : fmt::format("port {}", listener_->port);
    shard_.refusals().print(
        *limit, place, "Client {} at {} is read more slowly: {} {} of {}.",
        session_ ? session_->client_id() : "<unknown>", wire_.peer(),
        by_messages ? "max_message_rate" : "max_byte_rate",
        by_messages ? listener_->messages_per_s_max : listener_->bytes_per_s_max, place);
    return true;
}

void Connection::on_rested(base::Timer&, void* connection) {
    static_cast<Connection*>(connection)->wire_.resume_reading();
}

void Connection::handle(const mqtt::Frame& frame) {
    if (state_ == State::connected) {
        if (!request_) shard_.counters().packets_received.add();
        if (frame.type == PacketType::publish) return handle_publish(frame);
        return handle_connected(frame);
    }
    if (state_ == State::authenticating) return handle_authenticating(frame);
    ASSERT(frame.type == PacketType::connect);
    handle_connect(frame.body);
}

// A store that is behind, or has no space, must not stop what it need not keep: QoS 0, and the
// acknowledgements that let it forget.
bool Connection::must_pause(std::uint8_t first_byte) const {
    if (shard_.is_congested()) return true;
    if (!shard_.is_store_behind()) return false;
    constexpr unsigned qos_or_retain = 7;
    const unsigned type = first_byte >> 4;
    return type == static_cast<unsigned>(mqtt::PacketType::subscribe) ||
           (type == static_cast<unsigned>(mqtt::PacketType::publish) &&
            (first_byte & qos_or_retain) != 0);
}

// Before CONNACK: whether the packet that begins so is not to be read (any more, or not yet). A
// client may send on without waiting for CONNACK [MQTT-3.1.4-5], so while the answer about it is
// late, its packets wait.
bool Connection::must_wait(std::uint8_t first_byte) {
    if (state_ == State::awaiting_connect) return refuses_first_byte(first_byte);
    if (!authentication_->answer_due) return false;
    wire_.pause_reading();
    return true;
}

// The first packet must be CONNECT [MQTT-3.1.0-1]: one byte tells, whatever length the sender
// claims. Nothing is said to who does not speak MQTT.
bool Connection::refuses_first_byte(std::uint8_t byte) {
    const int type = byte >> 4;
    if (type == static_cast<int>(PacketType::connect)) return false;
    const std::string peer = wire_.peer();
    shard_.refusals().print(Refusal::not_mqtt, address_of(peer),
                            "Client <unknown> at {} sent packet type {} before CONNECT, closing.",
                            peer, type);
    end(false);
    wire_.close();
    return true;
}

// What answers a packet waits until what the packet has changed is safe.
void Connection::handle_recorded(const mqtt::Frame& frame) {
    const std::size_t before = shard_.promises_made();
    handle(frame);
    if (shard_.promises_made() != before && is_answered_by_promise(frame)) {
        shard_.hold_output(*this);
    }
}

void Connection::handle_connected(const mqtt::Frame& frame) {
    switch (frame.type) {
        case PacketType::puback:
        case PacketType::pubrec:
        case PacketType::pubrel:
        case PacketType::pubcomp:
            return handle_ack(frame);
        case PacketType::subscribe:
            return handle_subscribe(frame.body);
        case PacketType::unsubscribe:
            return handle_unsubscribe(frame.body);
        case PacketType::pingreq:
            if (!mqtt::is_valid_ping(frame.body)) {
                return fail(ReasonCode::malformed_packet, broken(frame.type));
            }
            return handle_pingreq();
        case PacketType::disconnect:
            return handle_disconnect(frame.body);
        case PacketType::auth:
            return handle_auth(frame.body);
        default:
            // A second CONNECT [MQTT-3.1.0-2], or a packet that only servers send.
            return fail(
                ReasonCode::protocol_error,
                fmt::format("{} is not for a connected client to send", name_of(frame.type)));
    }
}

void Connection::refuse_frame(ReasonCode reason, std::uint8_t first_byte) {
    if (state_ == State::connected) {
        if (reason != ReasonCode::packet_too_large) return fail(reason, "fixed header");
        const std::uint32_t size_max = shard_.options().packet_size_max;
        if (size_max == 0) return fail(reason);
        return fail(reason, fmt::format("max_packet_size is {} bytes", size_max));
    }
    if (state_ == State::authenticating) return reject(reason);
    const std::string peer = wire_.peer();
    // A record of TLS begins like a CONNECT with wrong flags.
    const bool is_tls = first_byte == tls_handshake && wire_.transport().empty();
    shard_.refusals().print(
        Refusal::not_mqtt, address_of(peer), "Client <unknown> at {} {}{}.", peer,
        is_tls ? "speaks TLS, but this listener has neither certfile nor psk_hint"
               : "sent bytes that are not MQTT: ",
        is_tls ? std::string_view() : mqtt::describe(reason));
    end(false);
    wire_.close();
}

void Connection::handle_pingreq() {
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "Received PINGREQ from {}", session_->client_id());
        shard_.log().print(LogType::debug, "Sending PINGRESP to {}", session_->client_id());
    }
    mqtt::Writer out = begin_packet();
    mqtt::encode_pingresp(out);
    finish_packet();
}

void Connection::handle_disconnect(Bytes body) {
    const auto packet = mqtt::decode_disconnect(body, version_);
    if (!packet) return fail(packet.error(), broken(PacketType::disconnect));
    if (fails_by_number_of(packet->user)) return;
    if (packet->session_expiry_s) {
        // It may not start to outlive the connection now (3.14.2.2.2).
        if (session_->expiry_s() == 0 && *packet->session_expiry_s != 0) {
            return fail(ReasonCode::protocol_error,
                        "Session Expiry Interval was 0 in CONNECT and has to stay so");
        }
        session_->set_expiry_s(granted_expiry_s(*packet->session_expiry_s));
    }
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "Received DISCONNECT from {}", session_->client_id());
    }
    if (shard_.options().connection_messages) {
        shard_.log().print(LogType::notice, "Client {} disconnected.", session_->client_id());
    }
    end(packet->reason != ReasonCode::success);  // [MQTT-3.14.4-3]
    wire_.close();
}

// Acknowledgements are not dropped as QoS 0 messages are, so a client that sends and never reads
// could have us keep them without end.
bool Connection::owes_too_much() const {
    const std::size_t limit = shard_.options().output_bytes_max;
    return limit != 0 && wire_.output().size() > 2 * limit;
}

void Connection::on_writable() {
    if (session_) session_->pump();
    wire_.resume_reading();
}

void Connection::on_released() {
    wire_.on_released();
    if (session_ && session_->has_waiting()) shard_.pump_later(*session_);
}

void Connection::closed(std::string_view error) {
    if (state_ == State::connected && shard_.options().connection_messages) {
        if (error.empty()) {
            shard_.log().print(LogType::notice, "Client {} closed its connection.",
                               session_->client_id());
        } else {
            shard_.log().print(LogType::notice, "Client {} disconnected: {}.",
                               session_->client_id(), error);
        }
    }
    end(true);
}

bool Connection::exceeds_limit(const mqtt::UserProperties& properties) const {
    const std::size_t limit = shard_.options().user_properties_max;
    return limit != 0 && properties.count() > limit;
}

// Bad input of a connected client.
bool Connection::fail_by_user_properties() {
    fail(ReasonCode::quota_exceeded,
         fmt::format("more than max_user_properties {}", shard_.options().user_properties_max));
    return true;
}

void Connection::fail(ReasonCode reason, std::string_view why) {
    disconnect(reason,
               reason == ReasonCode::malformed_packet ? "malformed packet"
               : reason == ReasonCode::protocol_error ? "protocol error"
                                                      : mqtt::describe(reason),
               why);
}

void Connection::disconnect(ReasonCode reason, std::string_view log, std::string_view why) {
    if (state_ == State::ended) return;
    if (state_ == State::connected) {
        const Refusal cause = refusal_of(reason);
        if (!log.empty() && shard_.options().connection_messages) {
            shard_.refusals().print(cause, session_->client_id(),
                                    "Client {} disconnected due to {}{}{}.", session_->client_id(),
                                    log, why.empty() ? "" : ": ", why);
        } else if (!log.empty()) {
            shard_.refusals().count(cause);
        }
        if (is_v5()) send_disconnect(reason, why);
    }
    end(true);
    wire_.close();
}

void Connection::send_disconnect(ReasonCode reason, std::string_view why) {
    const std::string& elsewhere = shard_.options().server_reference;
    if (reason == ReasonCode::server_shutting_down && !elsewhere.empty()) {
        const mqtt::Disconnect packet{.reason = ReasonCode::use_another_server,
                                      .server_reference = elsewhere};
        if (send_explained(packet, why)) return;
    }
    // A client that does not even take three bytes is closed without a word [MQTT-3.1.2-24].
    send_explained(mqtt::Disconnect{.reason = reason}, why);
}

void Connection::taken_over(bool session_continues) {
    if (shard_.options().connection_messages) {
        shard_.refusals().print(Refusal::session_takeover, session_->client_id(),
                                "Client {} already connected, closing old connection.",
                                session_->client_id());
    } else {
        shard_.refusals().count(Refusal::session_takeover);
    }
    // A delayed will waits for the session's end, which a new connection to it prevents
    // [MQTT-3.1.3-9].
    const PendingWill* will = session_->will();
    if (will && will->delay_s != 0 && session_continues) session_->take_will();
    disconnect(
        ReasonCode::session_taken_over, {},
        fmt::format("another connection came with client id {}", quoted(session_->client_id())));
}

void Connection::end(bool fire_will) {
    timer_.cancel();
    const State before = state_;
    state_ = State::ended;
    authentication_.reset();
    if (before != State::connected) return;
    Session& session = *session_;
    session_ = nullptr;
    session.detach();
    shard_.counters().sessions_connected.subtract();
    if (!fire_will) session.take_will();
    const bool ends = !session.is_persistent();
    if (session.will() && (ends || session.will()->delay_s == 0)) {
        shard_.publish_will(session.client_id(), *session.take_will(), session.is_recorded());
    }
    if (ends) {
        shard_.end_session(session);
    } else {
        session.await_client();
    }
}

void Connection::on_timer(base::Timer&, void* connection) {
    auto& self = *static_cast<Connection*>(connection);
    if (self.state_ == State::connected) return self.check_deadlines();
    if (self.state_ == State::authenticating) return self.give_up_authentication();
    const std::string peer = self.wire_.peer();
    self.shard_.refusals().print(Refusal::connect_timeout, address_of(peer),
                                 "Client <unknown> at {} sent no CONNECT in {} s, closing.", peer,
                                 self.shard_.options().connect_timeout_s);
    self.end(false);
    self.wire_.close();
}

// Armed for the earliest moment at which silence could be too long; a client that has spoken since
// moves it on, so that a packet costs no timer.
void Connection::arm_deadlines() {
    const std::uint64_t due_ms = std::min(end_of_silence_ms(last_packet_ms_, keep_alive_s_),
                                          end_of_login_ms(login_ends_at_s_));
    if (due_ms == UINT64_MAX) return timer_.cancel();
    shard_.timers().add(timer_, due_ms);
}

void Connection::check_deadlines() {
    if (is_paused_) last_packet_ms_ = shard_.now_ms();
    const bool login_has_ended = shard_.now_ms() >= end_of_login_ms(login_ends_at_s_);
    const bool is_silent = shard_.now_ms() >= end_of_silence_ms(last_packet_ms_, keep_alive_s_);
    if (!login_has_ended && !is_silent) return arm_deadlines();
    if (shard_.options().connection_messages) {
        shard_.log().print(
            LogType::notice, "Client {} {}, disconnecting.", session_->client_id(),
            login_has_ended ? "came with a login that has expired" : "has exceeded timeout");
    }
    if (login_has_ended) {
        return disconnect(ReasonCode::maximum_connect_time, {}, "the login has expired");
    }
    disconnect(
        ReasonCode::keep_alive_timeout, {},
        fmt::format("no packet for one and a half times the Keep Alive, {} s", keep_alive_s_));
}

// Without `why` it always fits: its five bytes are no more than the CONNACK was.
void Connection::send_ack(PacketType type, mqtt::PacketId id, ReasonCode reason,
                          std::string_view why) {
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "Sending {} to {} (m{}, rc{})", name_of(type),
                           session_->client_id(), id, static_cast<int>(reason));
    }
    const mqtt::Ack packet{.type = type, .id = id, .reason = reason};
    if (!why.empty() && wants_reason_strings_) {
        send_explained(packet, why);
        return;
    }
    mqtt::Writer out = begin_packet();
    mqtt::encode(out, packet, version_);
    finish_packet();
}

mqtt::Writer Connection::begin_packet() {
    shard_.scratch().packet.clear();
    return mqtt::Writer(shard_.scratch().packet);
}

void Connection::finish_packet() {
    wire_.output().append(shard_.scratch().packet);
    sent(shard_.scratch().packet.size());
}

bool Connection::packet_fits() const {
    return packet_size_max_ == 0 || shard_.scratch().packet.size() <= packet_size_max_;
}

void Connection::sent(std::size_t size) {
    shard_.counters().packets_sent.add();
    shard_.counters().bytes_sent.add(size);
    wire_.mark_dirty();
}

bool Connection::fits_mount_point(std::string_view topic) const {
    return listener_->mount_point.size() + topic.size() <= UINT16_MAX;
}

std::string_view Connection::with_mount_point(std::string_view topic) {
    if (listener_->mount_point.empty()) return topic;
    std::string& mounted = shard_.scratch().topic;
    mounted.assign(listener_->mount_point).append(topic);
    return mounted;
}

}  // namespace broker
