// Connection: from CONNECT to CONNACK.
#include <fmt/format.h>

#include <algorithm>

#include "broker/authentication.h"
#include "broker/client_id.h"
#include "broker/connection.h"
#include "broker/reason_text.h"
#include "broker/shard.h"
#include "mqtt/utf8.h"

namespace broker {

using base::LogType;
using mqtt::ReasonCode;
using mqtt::Version;

namespace {

bool is_allowed(const ListenerOptions& listener, Version version) {
    switch (version) {
        case Version::v3_1:
            return listener.allow_v3_1;
        case Version::v3_1_1:
            return listener.allow_v3_1_1;
        case Version::v5:
            return listener.allow_v5;
    }
    return false;
}

// Fixed header 2, flags, reason, no properties.
constexpr std::uint32_t smallest_connack_size = 5;

bool has_valid_format(const mqtt::Will& will) {
    return will.properties.payload_format != 1 ||
           mqtt::is_valid_utf8_payload(base::as_text(will.payload));
}

// Rounded up, and 0 if that is too far away to come.
std::uint32_t seconds_from(std::uint64_t now_ms, std::uint32_t seconds) {
    const std::uint64_t at_s = (now_ms + 999) / 1000 + seconds;
    return at_s > UINT32_MAX ? 0 : static_cast<std::uint32_t>(at_s);
}

// "a b c" as mosquitto.conf has it: one prefix, blanks included.
bool has_allowed_prefix(const Options& options, std::string_view client_id) {
    return options.client_id_prefixes.empty() || client_id.starts_with(options.client_id_prefixes);
}

}  // namespace

void Connection::handle_connect(Bytes body) {
    auto packet = mqtt::decode_connect(body);
    if (!packet) {
        // How much it takes is not known: only the smallest answer is safe.
        packet_size_max_ = smallest_connack_size;
        return refuse_connect(packet.error(), mqtt::peek_version(body).value_or(Version::v3_1_1),
                              mqtt::describe(packet.error()));
    }
    connecting_ = &*packet;
    judge_connect(body, *packet);
    connecting_ = nullptr;
}

void Connection::judge_connect(Bytes body, mqtt::Connect& packet) {
    packet_size_max_ = packet.maximum_packet_size.value_or(0);
    if (!is_allowed(*listener_, packet.version)) {
        return refuse_connect(ReasonCode::unsupported_protocol_version, packet.version,
                              "accept_protocol_versions of this listener leaves this version out");
    }
    version_ = packet.version;
    is_bridge_ = packet.is_bridge;
    if (has_too_many(packet.user) || (packet.will && has_too_many(packet.will->properties.user))) {
        return refuse_connect(
            ReasonCode::quota_exceeded, version_,
            fmt::format("more than max_user_properties {}", shard_.options().user_properties_max));
    }
    std::optional<std::string> proven_user;
    if (!take_proven_user(packet, proven_user)) {
        return refuse_connect(ReasonCode::bad_user_name_or_password, version_,
                              "the listener takes the user name from a certificate or pre-shared "
                              "key, and there is none");
    }
    const auto client_id = choose_client_id(packet);
    if (!client_id) {
        return refuse_connect(ReasonCode::client_identifier_not_valid, version_, client_id.error());
    }
    const std::uint32_t owner = shard_.broker().shard_of(*client_id);
    if (owner != shard_.number()) {
        timer_.cancel();
        state_ = State::moved;
        return wire_.move_to_shard(owner);
    }
    shard_.counters().packets_received.add();
    if (is_acceptable(packet)) authenticate(body, packet, *client_id);
}

// What CONNECT says about the user does not count then, as in Mosquitto.
bool Connection::take_proven_user(mqtt::Connect& packet, std::optional<std::string>& user) const {
    if (!listener_->takes_proven_user) return true;
    user = wire_.proven_user();
    if (!user) return false;
    packet.user_name = *user;
    packet.password.reset();
    return true;
}

// Or why it cannot be used. One that the server assigns falls to this shard, so that the connection
// need not move.
base::Result<std::string, std::string> Connection::choose_client_id(const mqtt::Connect& packet) {
    const auto refuse = [](const char* why) { return base::fail(std::string(why)); };
    if (listener_->use_user_name_as_client_id) {
        if (!packet.user_name || packet.user_name->empty()) {
            return refuse("use_username_as_clientid wants a user name");
        }
        return std::string(*packet.user_name);
    }
    if (!packet.client_id.empty()) {
        if (!has_allowed_prefix(shard_.options(), packet.client_id)) {
            return refuse("the client id does not begin with clientid_prefixes");
        }
        return std::string(packet.client_id);
    }
    if (!listener_->allow_zero_length_client_id) {
        return refuse("an empty client id, but allow_zero_length_clientid is false");
    }
    const Broker& broker = shard_.broker();
    for (;;) {
        std::string client_id = make_client_id(listener_->auto_id_prefix);
        if (broker.shard_of(client_id) == shard_.number()) return client_id;
    }
}

bool Connection::is_acceptable(const mqtt::Connect& packet) {
    const Options& options = shard_.options();
    const auto refuse = [&](ReasonCode reason, std::string_view log) {
        refuse_connect(reason, version_, log);
        return false;
    };
    if (packet.will && packet.will->qos > listener_->qos_max) {
        return refuse(
            ReasonCode::qos_not_supported,
            fmt::format("will QoS {} is above max_qos {}", static_cast<int>(packet.will->qos),
                        static_cast<int>(listener_->qos_max)));
    }
    if (packet.will && packet.will->retain && !options.retain_available) {
        return refuse(ReasonCode::retain_not_supported,
                      "will with retain, but retain_available is false");
    }
    if (packet.will && !fits_mount_point(packet.will->topic)) {
        return refuse(ReasonCode::topic_name_invalid,
                      "the will topic is too long below the listener's mount point");
    }
    if (packet.will && options.validate_payload_format && !has_valid_format(*packet.will)) {
        return refuse(ReasonCode::payload_format_invalid,
                      "the will payload is not the UTF-8 that its format indicator promises");
    }
    const std::uint16_t limit = options.keep_alive_max_s;
    const bool too_long = packet.keep_alive_s == 0 || packet.keep_alive_s > limit;
    if (limit != 0 && too_long && !is_v5()) {
        // A v5 client is told a Server Keep Alive instead.
        return refuse(ReasonCode::client_identifier_not_valid, "keep alive above max_keepalive");
    }
    return true;
}

void Connection::refuse_connect(ReasonCode reason, Version version, std::string_view log,
                                std::string_view told) {
    const std::string peer = wire_.peer();
    // An address may stand for many clients: one reason of theirs does not silence another.
    const Refusal cause =
        reason == ReasonCode::connection_rate_exceeded ? Refusal::auth_failures : Refusal::connect;
    shard_.refusals().print_lazily(cause, fmt::format("{} {}", address_of(peer), log), [&] {
        return fmt::format("Connection from {} refused: {}{}.", peer, log, describe_client());
    });
    version_ = version;
    const std::string& elsewhere = shard_.options().server_reference;
    const bool is_sent_on = reason == ReasonCode::server_busy && is_v5() && !elsewhere.empty() &&
                            send_explained(mqtt::Connack{.reason = ReasonCode::use_another_server,
                                                         .server_reference = elsewhere},
                                           told);
    // Closed without a word: a client that does not even take five bytes [MQTT-3.1.2-24], and one
    // whose version has no code for the reason, a malformed CONNECT among them ([MQTT-3.1.4-1] and
    // [MQTT-3.2.2-6] of 3.1.1).
    const bool has_code = is_v5() || mqtt::connack_return_code_v3(reason).has_value();
    if (!is_sent_on && has_code) send_explained(mqtt::Connack{.reason = reason}, told);
    end(false);
    wire_.close();
}

// " (client 'dev1', user 'ann')"; nothing if there is no CONNECT that can be read.
std::string Connection::describe_client() const {
    base::Result<mqtt::Connect, ReasonCode> kept = base::fail(ReasonCode::malformed_packet);
    if (!connecting_ && authentication_) kept = mqtt::decode_connect(authentication_->connect);
    const mqtt::Connect* const packet = connecting_ ? connecting_ : kept ? &*kept : nullptr;
    if (!packet) return {};
    const std::string user =
        packet->user_name ? fmt::format(", user {}", quoted(*packet->user_name)) : "";
    return fmt::format(" (client {}{})", quoted(packet->client_id), user);
}

void Connection::accept(const mqtt::Connect& packet, const std::string& client_id,
                        const AuthAnswer& answer) {
    adopt_terms(packet);
    const std::string response = response_information(packet, client_id);
    mqtt::Connack connack = connack_for(packet, client_id);
    if (!response.empty()) connack.response_information = response;
    if (!encode_fitting(connack)) {
        connack.response_information.reset();
        if (!encode_fitting(connack)) {
            return refuse_connect(ReasonCode::packet_too_large, version_,
                                  "CONNACK would be above the client's Maximum Packet Size");
        }
    }
    Session* session = shard_.find_session(client_id);
    if (session && session->connection()) {
        session->connection()->taken_over(!packet.clean_start && session->is_persistent());
        session = shard_.find_session(client_id);  // It may have ended with its connection.
    }
    if (session && packet.clean_start) {
        shard_.end_session(*session);
        session = nullptr;
    }
    connack.session_present = session != nullptr;
    if (!session) session = shard_.create_session(client_id);
    if (!session) {
        return refuse_connect(
            ReasonCode::server_busy, version_,
            fmt::format("global_max_clients {} reached", shard_.options().clients_max));
    }
    state_ = State::connected;
    attach_session(packet, *session, answer);
    session->set_will(packet.will ? make_will(*packet.will) : nullptr);
    shard_.counters().connects_accepted.add();
    shard_.counters().sessions_connected.add();
    if (shard_.options().connection_messages) {
        const std::string user = packet.user_name ? fmt::format(", u'{}'", *packet.user_name) : "";
        shard_.log().print(LogType::notice, "New client connected from {} as {} (p{}, c{}, k{}{}).",
                           wire_.peer(), client_id, static_cast<int>(version_),
                           packet.clean_start ? 1 : 0, packet.keep_alive_s, user);
        if (const std::string how = wire_.transport(); !how.empty()) {
            shard_.log().print(LogType::notice, "Client {} negotiated {}.", client_id, how);
        }
    }
    send_connack(connack);
    if (connack.session_present) session->resume();
}

// What CONNECT and the configuration agree on for this connection.
void Connection::adopt_terms(const mqtt::Connect& packet) {
    const Options& options = shard_.options();
    const std::uint16_t window_max =
        options.inflight_messages_max == 0 ? UINT16_MAX : options.inflight_messages_max;
    wants_reason_strings_ = packet.request_problem_information;
    outgoing_alias_max_ = std::min(packet.topic_alias_maximum, listener_->topic_alias_broker_max);
    receive_maximum_ = window_max;
    keep_alive_s_ = packet.keep_alive_s;
    const std::uint16_t limit = options.keep_alive_max_s;
    if (limit != 0 && (keep_alive_s_ == 0 || keep_alive_s_ > limit)) keep_alive_s_ = limit;
}

void Connection::attach_session(const mqtt::Connect& packet, Session& session,
                                const AuthAnswer& answer) {
    session_ = &session;
    session.set_user(packet.user_name, listener_->realm);
    session.grant(answer.granted);
    session.attach(*this, std::min(packet.receive_maximum, receive_maximum_));
    if (is_v5()) {
        session.set_expiry_s(granted_expiry_s(packet.session_expiry_s));
    } else {
        session.set_expiry_s(packet.clean_start ? 0 : mqtt::session_never_expires);
    }
    session.record_state();
    if (answer.lasts_s != 0) login_ends_at_s_ = seconds_from(shard_.now_ms(), answer.lasts_s);
    arm_deadlines();
}

std::uint32_t Connection::granted_expiry_s(std::uint32_t asked_s) const {
    const auto& limit = shard_.options().persistent_client_expiration_s;
    return limit ? static_cast<std::uint32_t>(std::min<std::uint64_t>(asked_s, *limit)) : asked_s;
}

// What the client wants to know, with its own names in it; empty if it does not ask.
std::string Connection::response_information(const mqtt::Connect& packet,
                                             std::string_view client_id) const {
    std::string text;
    if (!packet.request_response_information) return text;
    std::string_view rest = shard_.options().response_information;
    for (;;) {
        const std::size_t mark = rest.find('%');
        text += rest.substr(0, mark);
        if (mark == std::string_view::npos) break;
        const std::string_view place = rest.substr(mark, 2);
        text += place == "%c" ? client_id : place == "%u" ? packet.user_name.value_or("") : place;
        rest.remove_prefix(mark + place.size());
    }
    return text.size() <= UINT16_MAX ? text : std::string();
}

// What the client could not know; a value that it would assume anyway is left out.
mqtt::Connack Connection::connack_for(const mqtt::Connect& packet,
                                      std::string_view client_id) const {
    mqtt::Connack connack;
    if (!is_v5()) return connack;
    const Options& options = shard_.options();
    if (packet.client_id != client_id) connack.assigned_client_id = client_id;
    const std::uint32_t expiry_s = granted_expiry_s(packet.session_expiry_s);
    if (expiry_s != packet.session_expiry_s) connack.session_expiry_s = expiry_s;
    if (keep_alive_s_ != packet.keep_alive_s) connack.server_keep_alive_s = keep_alive_s_;
    if (receive_maximum_ != UINT16_MAX) connack.receive_maximum = receive_maximum_;
    if (listener_->qos_max != mqtt::Qos::exactly_once) {
        connack.maximum_qos = static_cast<std::uint8_t>(listener_->qos_max);
    }
    if (!options.retain_available) connack.retain_available = false;
    if (options.packet_size_max != 0) connack.maximum_packet_size = options.packet_size_max;
    if (listener_->topic_alias_max != 0) connack.topic_alias_maximum = listener_->topic_alias_max;
    if (authentication_ && authentication_->method) {
        connack.authentication_method = *authentication_->method;  // [MQTT-4.12.0-5]
        const Bytes data = base::as_bytes(authentication_->connack_data);
        if (!data.empty()) connack.authentication_data = data;
    }
    return connack;
}

void Connection::send_connack(const mqtt::Connack& connack) {
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "Sending CONNACK to {} ({}, 0)", session_->client_id(),
                           connack.session_present ? 1 : 0);
    }
    mqtt::Writer out = begin_packet();
    mqtt::encode(out, connack, version_);
    finish_packet();
}

std::unique_ptr<PendingWill> Connection::make_will(const mqtt::Will& will) {
    auto& properties = shard_.scratch().properties;
    properties.clear();
    mqtt::Writer out(properties);
    mqtt::write_forwarded(out, will.properties);
    auto pending = std::make_unique<PendingWill>();
    pending->message = Message::make({.topic = with_mount_point(will.topic),
                                      .payload = will.payload,
                                      .properties = properties,
                                      .qos = will.qos,
                                      .retain = will.retain,
                                      .source = shard_.source_of(*session_)});
    pending->user_name = session_->user_name();
    pending->realm = session_->realm();
    pending->granted = session_->granted();
    pending->delay_s = will.delay_s;
    pending->expiry_s = will.properties.message_expiry_s;
    return pending;
}

}  // namespace broker
