// The seams of access control: who may connect, and what they may do. auth/ implements them.
//
// Authenticating is an exchange: of one message, name and password, or of several, the AUTH packets
// of MQTT 5.0 (section 4.12). Every answer may come at once or later, so that one which takes long
// (hashing a password, asking a database) can be made elsewhere without holding a shard.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/ref_counted.h"
#include "mqtt/reason_code.h"

namespace broker {

// Who says who it is. The views last for the call.
struct Credentials {
    std::string_view client_id;
    std::optional<std::string_view> user_name{};
    std::optional<base::Bytes> password{};
    // MQTT 5.0: by which exchange, and the client's first message of it; nothing: by name and
    // password.
    std::optional<std::string_view> method{};
    base::Bytes data{};
    std::string_view peer{};
    std::uint32_t shard = 0;  // Whose thread asks, and is where an answer that is late goes.
    std::uint32_t realm = 0;  // ListenerOptions::realm.
    std::uint16_t listener_port = 0;  // 0: a unix socket.
    bool listener_allows_anonymous = true;
};

enum class Access : std::uint8_t { publish, subscribe, receive };

// What a login says by itself that its client may do: a token does. Then the Authorizer is not
// asked. Immutable; shared by the client's session and its will.
class GrantedRights : public base::RefCounted<GrantedRights> {
public:
    virtual ~GrantedRights() = default;
    static void destroy(const GrantedRights* rights) { delete rights; }

    // `topic` as in AccessRequest.
    virtual bool allows(Access access, std::string_view topic) const = 0;
    virtual std::string explain(Access access, std::string_view topic) const = 0;
};
using GrantedRightsRef = base::Ref<GrantedRights>;

struct AuthAnswer {
    enum class Kind : std::uint8_t {
        later,     // It will come to the AuthWaiter.
        proceed,   // The client is to send the next message.
        accepted,  // It is who it says it is.
        refused,
        unknown,  // None of its users, so the next authenticator's to judge; if none is, refused.
    };
    Kind kind = Kind::refused;
    mqtt::ReasonCode reason = mqtt::ReasonCode::not_authorized;  // Of refused and unknown.
    std::string data{};       // Of proceed and accepted: Authentication Data for the client.
    std::string user_name{};  // Of accepted: who it is; empty: whom CONNECT names.
    std::string log{};        // Of refused and unknown: a few words that give away nothing.
    // Of accepted, for CONNECT: what it may do, else that is the Authorizer's to say; and after how
    // many seconds it has to leave, 0 = it need not.
    GrantedRightsRef granted{};
    std::uint32_t lasts_s = 0;

    static AuthAnswer later() { return {.kind = Kind::later}; }
    static AuthAnswer proceed(std::string data) {
        return {.kind = Kind::proceed, .data = std::move(data)};
    }
    static AuthAnswer accept(std::string user_name = {}, std::string data = {}) {
        return {.kind = Kind::accepted, .data = std::move(data), .user_name = std::move(user_name)};
    }
    static AuthAnswer refuse(mqtt::ReasonCode reason, std::string log = "not authorised") {
        return {.kind = Kind::refused, .reason = reason, .log = std::move(log)};
    }
    static AuthAnswer pass_on(std::string log = "not authorised") {
        return {.kind = Kind::unknown,
                .reason = mqtt::ReasonCode::not_authorized,
                .log = std::move(log)};
    }
};

// Where an answer goes that was `later`. Thread: the shard's.
class AuthWaiter {
public:
    virtual ~AuthWaiter() = default;
    // Never called from inside begin() or step(). It may end the exchange: who calls it touches the
    // exchange no more.
    virtual void on_answer(AuthAnswer answer) = 0;
};

// One client that is being authenticated. Owned by its connection, which asks for one answer at a
// time, and destroys it when it needs no more: an answer that is on its way then is dropped by the
// implementation. Thread: the shard's.
class AuthExchange {
public:
    virtual ~AuthExchange() = default;
    // The client's next message; may be empty.
    virtual AuthAnswer step(base::Bytes data) = 0;
    // Called after `later`: who is to get the answer. Who never says `later` has no use for it.
    virtual void answer_to(AuthWaiter& /*waiter*/) {}
};

struct AuthBegun {
    AuthAnswer answer;                       // To what the credentials say.
    std::unique_ptr<AuthExchange> exchange;  // Null if the answer is the last.
};

// Thread: called by every shard; an implementation that keeps state locks it.
class Authenticator {
public:
    virtual ~Authenticator() = default;
    // `refused` has the reason that CONNACK carries (bad_user_name_or_password, not_authorized;
    // bad_authentication_method for a method that it does not know). Without a method `proceed` is
    // no answer.
    virtual AuthBegun begin(const Credentials& credentials) = 0;
};

// What an authorizer has gathered about one client, so that it need not for each message. Owned by
// the client's session; the authorizer knows by itself when it is out of date.
class KnownRights {
public:
    virtual ~KnownRights() = default;
};

struct AccessRequest {
    std::string_view client_id;
    std::string_view user_name;
    // As the broker knows it, below the listener's mount point: a topic name; a filter for
    // subscribe.
    std::string_view topic;
    Access access = Access::publish;
    std::uint32_t realm = 0;  // ListenerOptions::realm; 0 = not known any more.
    // The answer for a client that need not be there, if its rules are not at hand.
    bool if_unknown = false;
    // Where the authorizer may keep what it knows of this client; null: nowhere.
    std::unique_ptr<KnownRights>* known = nullptr;
};

// What a person asks: what would become of this client, which need not exist.
struct Inquiry {
    std::string client_id{};
    std::optional<std::string> user_name{};
    std::string peer{};  // As Credentials has it.
    std::string topic{};
    Access access = Access::publish;
    std::uint32_t realm = 0;
    std::uint32_t shard = 0;  // Whose thread asks, and gets the ruling.
    bool listener_allows_anonymous = true;
};

struct Ruling {
    bool is_allowed = false;
    std::string because{};  // What decides: "acl:3: topic read a/#".
    std::string remedy{};   // What would allow it; empty: nothing has to, or nothing can.
};
// At once or, where somebody else has to be asked, later.
using OnRuling = std::function<void(Ruling)>;

// Thread: as Authenticator.
class Authorizer {
public:
    virtual ~Authorizer() = default;
    virtual bool is_allowed(const AccessRequest& request) = 0;
    // True while is_allowed() says yes to everything, so that the hot path need not ask.
    virtual bool allows_everything() const = 0;
    // Which rule decides about a request, in words for people: "acl:3: topic read a/#". For the log
    // and for tools, not for each message.
    virtual std::string explain(const AccessRequest& /*request*/) { return "no rule"; }
    // The same for a client that need not be there, with what it would take.
    virtual void inquire(const Inquiry& inquiry, const OnRuling& done) {
        const std::string user = inquiry.user_name.value_or("");
        const AccessRequest request{.client_id = inquiry.client_id,
                                    .user_name = user,
                                    .topic = inquiry.topic,
                                    .access = inquiry.access,
                                    .realm = inquiry.realm};
        done({.is_allowed = is_allowed(request), .because = explain(request)});
    }
};

}  // namespace broker
