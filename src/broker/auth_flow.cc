// Connection: authenticating its client. Name and password, or the AUTH packets of section 4.12,
// before CONNACK; and again at any time after it, if the client begins.
#include "broker/authentication.h"
#include "broker/connection.h"
#include "broker/reason_text.h"
#include "broker/shard.h"
#include "mqtt/auth.h"
#include "mqtt/disconnect.h"

namespace broker {

using base::LogType;
using mqtt::PacketType;
using mqtt::ReasonCode;

void Authentication::on_answer(AuthAnswer answer) {
    connection_.on_late_answer(answer);
}

// Until it ends the client is nobody: no session, and no takeover of the one it asks for.
void Connection::authenticate(Bytes body, const mqtt::Connect& packet,
                              const std::string& client_id) {
    // Who has proven its name to the transport needs no password.
    if (listener_->takes_proven_user && !packet.authentication_method) {
        return admit(packet, client_id, AuthAnswer::accept());
    }
    const std::string peer = wire_.peer();
    AuthBegun begun = shard_.broker().authenticator().begin(
        {.client_id = client_id,
         .user_name = packet.user_name,
         .password = packet.password,
         .method = packet.authentication_method,
         .data = packet.authentication_data,
         .peer = peer,
         .shard = shard_.number(),
         .realm = listener_->realm,
         .listener_port = listener_->port,
         .listener_allows_anonymous = listener_->allow_anonymous});
    const bool is_last =
        begun.answer.kind == AuthAnswer::Kind::refused ||
        begun.answer.kind == AuthAnswer::Kind::unknown ||
        (begun.answer.kind == AuthAnswer::Kind::accepted && !packet.authentication_method);
    if (is_last) return admit(packet, client_id, begun.answer);
    if (body.size() > Authentication::connect_bytes_max) {
        return refuse_connect(ReasonCode::packet_too_large, version_,
                              "CONNECT too long to be kept while its client is authenticated");
    }
    authentication_ = std::make_unique<Authentication>(*this);
    if (packet.authentication_method) authentication_->method = *packet.authentication_method;
    authentication_->exchange = std::move(begun.exchange);
    authentication_->connect.assign(body.begin(), body.end());
    authentication_->client_id = client_id;
    state_ = State::authenticating;
    follow(begun.answer);
}

// Does what the exchange says.
void Connection::follow(const AuthAnswer& answer) {
    switch (answer.kind) {
        case AuthAnswer::Kind::later:
            ASSERT(authentication_->exchange);
            authentication_->answer_due = true;
            return authentication_->exchange->answer_to(*authentication_);
        case AuthAnswer::Kind::proceed:
            ASSERT(authentication_->exchange);
            return send_auth(ReasonCode::continue_authentication, answer.data);
        case AuthAnswer::Kind::accepted:
        case AuthAnswer::Kind::refused:
        case AuthAnswer::Kind::unknown:
            authentication_->exchange.reset();
            if (state_ == State::connected) return finish_reauthentication(answer);
            return finish_authentication(answer);
    }
}

// In a turn of its own, so what handle_recorded() does for packets is done here.
void Connection::on_late_answer(const AuthAnswer& answer) {
    ASSERT(authentication_ && authentication_->answer_due);
    const bool was_connected = state_ == State::connected;
    const std::size_t changes = shard_.promises_made();
    authentication_->answer_due = false;
    follow(answer);
    if (shard_.promises_made() != changes && shard_.records()) shard_.hold_output(*this);
    if (!was_connected && state_ != State::ended) wire_.resume_reading();
}

void Connection::finish_authentication(const AuthAnswer& answer) {
    const std::vector<std::uint8_t> body = std::move(authentication_->connect);
    const std::string client_id = std::move(authentication_->client_id);
    authentication_->connack_data = answer.data;
    auto packet = mqtt::decode_connect(body);
    std::optional<std::string> proven_user;
    ASSERT(packet && take_proven_user(*packet, proven_user));  // It did when it came.
    connecting_ = &*packet;
    admit(*packet, client_id, answer);
    connecting_ = nullptr;
    if (!authentication_) return;  // It was not let in.
    authentication_->connack_data.clear();
    if (!authentication_->method) authentication_.reset();
}

// The client's CONNECT has an answer: the last question is what its will may do.
void Connection::admit(mqtt::Connect packet, const std::string& client_id,
                       const AuthAnswer& answer) {
    if (answer.kind != AuthAnswer::Kind::accepted) {
        // Who is not let in learns nothing from what is said about it.
        return refuse_connect(answer.reason, version_, answer.log, {});
    }
    if (!answer.user_name.empty()) {
        // The client id may have been made of the name in CONNECT.
        if (packet.user_name && *packet.user_name != answer.user_name) {
            return refuse_connect(ReasonCode::not_authorized, version_,
                                  "authenticated as another user than CONNECT names");
        }
        packet.user_name = answer.user_name;
    }
    if (std::string why; !may_will(packet, client_id, answer, why)) {
        const std::string told =
            fmt::format("will topic {} not authorised", quoted(packet.will->topic));
        return refuse_connect(ReasonCode::not_authorized, version_,
                              fmt::format("{}: {}", told, why), told);
    }
    accept(packet, client_id, answer);
}

// `why`: what forbids it, which is not the client's to know.
bool Connection::may_will(const mqtt::Connect& packet, const std::string& client_id,
                          const AuthAnswer& answer, std::string& why) {
    if (!packet.will) return true;
    if (packet.will->topic.starts_with("$SYS/")) {
        why = of_the_broker;
        return false;
    }
    const std::string_view topic = with_mount_point(packet.will->topic);
    if (answer.granted) {
        if (answer.granted->allows(Access::publish, topic)) return true;
        why = answer.granted->explain(Access::publish, topic);
        return false;
    }
    Authorizer& authorizer = shard_.broker().authorizer();
    if (authorizer.allows_everything()) return true;
    const AccessRequest request{.client_id = client_id,
                                .user_name = packet.user_name.value_or(""),
                                .topic = topic,
                                .access = Access::publish,
                                .realm = listener_->realm};
    if (authorizer.is_allowed(request)) return true;
    why = authorizer.explain(request);
    return false;
}

// Nothing but AUTH and DISCONNECT may come before CONNACK [MQTT-3.1.2-30].
void Connection::handle_authenticating(const mqtt::Frame& frame) {
    shard_.counters().packets_received.add();
    if (frame.type == PacketType::auth) return handle_auth(frame.body);
    if (frame.type != PacketType::disconnect) return reject(ReasonCode::protocol_error);
    if (const auto packet = mqtt::decode_disconnect(frame.body, version_); !packet) {
        return reject(packet.error());
    }
    shard_.log().print(LogType::notice, "Client {} at {} gave up its authentication.",
                       authentication_->client_id, wire_.peer());
    end(false);
    wire_.close();
}

void Connection::handle_auth(Bytes body) {
    const auto packet = mqtt::decode_auth(body);
    if (!packet) return reject(packet.error());
    // Who named no method may not send AUTH [MQTT-4.12.0-7], who did only with that one
    // [MQTT-4.12.0-5].
    if (!authentication_ || !authentication_->method ||
        authentication_->method != packet->authentication_method) {
        return reject(ReasonCode::protocol_error);
    }
    if (packet->reason == ReasonCode::reauthenticate) {
        return reauthenticate(packet->authentication_data);
    }
    // [MQTT-4.12.0-3], and only after an AUTH of ours.
    const bool is_asked_for = authentication_->exchange && !authentication_->answer_due;
    if (packet->reason != ReasonCode::continue_authentication || !is_asked_for) {
        return reject(ReasonCode::protocol_error);
    }
    follow(authentication_->exchange->step(packet->authentication_data));
}

void Connection::reauthenticate(Bytes data) {
    if (state_ != State::connected || authentication_->exchange) {
        return reject(ReasonCode::protocol_error);
    }
    const std::string peer = wire_.peer();
    std::optional<std::string_view> user;
    if (!session_->user_name().empty()) user = session_->user_name();
    AuthBegun begun = shard_.broker().authenticator().begin(
        {.client_id = session_->client_id(),
         .user_name = user,
         .password = {},
         .method = authentication_->method,
         .data = data,
         .peer = peer,
         .shard = shard_.number(),
         .realm = listener_->realm,
         .listener_port = listener_->port,
         .listener_allows_anonymous = listener_->allow_anonymous});
    authentication_->exchange = std::move(begun.exchange);
    follow(begun.answer);
}

// A client stays who it is: what it may do was asked, and is remembered, by its name.
void Connection::finish_reauthentication(const AuthAnswer& answer) {
    if (answer.kind != AuthAnswer::Kind::accepted) {
        const bool has_word = mqtt::may_carry(PacketType::disconnect, answer.reason);
        return disconnect(has_word ? answer.reason : ReasonCode::not_authorized,
                          fmt::format("failed re-authentication: {}", answer.log));
    }
    if (!answer.user_name.empty() && answer.user_name != session_->user_name()) {
        return disconnect(ReasonCode::not_authorized, "re-authentication as another user");
    }
    send_auth(ReasonCode::success, answer.data);
}

void Connection::send_auth(ReasonCode reason, std::string_view data) {
    ASSERT(authentication_->method);  // [MQTT-4.12.0-6]
    mqtt::Writer out = begin_packet();
    mqtt::encode(out, mqtt::Auth{.reason = reason,
                                 .authentication_method = *authentication_->method,
                                 .authentication_data = base::as_bytes(data)});
    if (packet_size_max_ != 0 && shard_.scratch().packet.size() > packet_size_max_) {
        return reject(ReasonCode::packet_too_large);
    }
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "Sending AUTH to {} (rc{})",
                           session_ ? session_->client_id() : authentication_->client_id,
                           static_cast<int>(reason));
    }
    finish_packet();
}

// Bad input, before or after CONNACK.
void Connection::reject(ReasonCode reason) {
    if (state_ == State::connected) return fail(reason);
    refuse_connect(reason, version_, mqtt::describe(reason));
}

// connect_timeout, which goes on until CONNACK.
void Connection::give_up_authentication() {
    const bool is_ours = authentication_->answer_due;
    refuse_connect(is_ours ? ReasonCode::server_unavailable : ReasonCode::not_authorized, version_,
                   fmt::format("{} in {} s",
                               is_ours ? "no answer of the authentication"
                                       : "the client did not finish its authentication",
                               shard_.options().connect_timeout_s));
}

}  // namespace broker
