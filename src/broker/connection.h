// One network connection as MQTT sees it: frames and decodes what arrives, decides what each packet
// means, and ends for the right reason.
//
// Life:  awaiting_connect --CONNECT--> connected --> ended
//                   |  \--CONNECT of another shard's client--> moved
//                   \--CONNECT whose client must say more--> authenticating --> connected
//
// Owned by the transport, which calls on_bytes(), on_writable() and closed(). Once ended it ignores
// bytes and waits for the transport to close it. Thread: the shard's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/timer_wheel.h"
#include "broker/alias_table.h"
#include "broker/long_request.h"
#include "broker/options.h"
#include "broker/publish_encoder.h"
#include "broker/session.h"
#include "broker/subscription_index.h"
#include "broker/wire.h"
#include "mqtt/ack.h"
#include "mqtt/connack.h"
#include "mqtt/connect.h"
#include "mqtt/framer.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"
#include "mqtt/unsubscribe.h"

namespace broker {

class Authentication;
class RateLimit;
class Shard;
struct AuthAnswer;

class Connection {
public:
    Connection(Shard& shard, Wire& wire, const ListenerOptions& listener);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    // Handles every whole packet at the front of `bytes`; returns how many bytes it consumed.
    std::size_t on_bytes(Bytes bytes);
    // After on_bytes(): how many bytes there have to be before it can do more; 0 = not known.
    std::size_t bytes_needed() const { return bytes_needed_; }
    // Output that had backed up is written.
    void on_writable();
    // What was withheld from the client may be written now.
    void on_released();
    // The transport is gone. `error` is empty if the peer closed, else a sentence.
    void closed(std::string_view error);

    // Ends it from the broker's side: tells a v5 client why, closes, and fires the will. `log` is
    // Mosquitto's sentence about it, or empty; `why` says more to people, or is empty.
    void disconnect(mqtt::ReasonCode reason, std::string_view log, std::string_view why = {});
    // The client is served by a newer connection now [MQTT-3.1.4-3].
    void taken_over(bool session_continues);

    mqtt::Version version() const { return version_; }
    const ListenerOptions& listener() const { return *listener_; }
    Wire& wire() { return wire_; }
    // What the authenticator had promised for later.
    void on_late_answer(const AuthAnswer& answer);
    bool is_connected() const { return state_ == State::connected; }
    // Where the shard keeps it in its list of connections; the shard's to change.
    std::size_t registry_position = 0;

    // Sends a PUBLISH to the client; false if it is too large for the client.
    bool send_publish(Publication& publication, const DeliveryTerms& terms, mqtt::Qos qos,
                      mqtt::PacketId id, bool dup);
    void send_ack(mqtt::PacketType type, mqtt::PacketId id,
                  mqtt::ReasonCode reason = mqtt::ReasonCode::success, std::string_view why = {});

private:
    enum class State : std::uint8_t { awaiting_connect, authenticating, connected, moved, ended };

    template <bool has_rate_limit>
    std::size_t handle_packets(Bytes bytes);
    bool must_rest();
    static void on_rested(base::Timer& timer, void* connection);
    // What to do after a packet.
    void handle(const mqtt::Frame& frame);
    void handle_recorded(const mqtt::Frame& frame);
    void handle_connected(const mqtt::Frame& frame);
    void refuse_frame(mqtt::ReasonCode reason, std::uint8_t first_byte);
    bool refuses_first_byte(std::uint8_t byte);
    bool must_wait(std::uint8_t first_byte);
    bool must_pause(std::uint8_t first_byte) const;

    void handle_connect(Bytes body);
    void judge_connect(Bytes body, mqtt::Connect& packet);
    base::Result<std::string, std::string> choose_client_id(const mqtt::Connect& packet);
    bool is_acceptable(const mqtt::Connect& packet);
    // Puts the user whom the transport has proven, kept in `user`, in the place of CONNECT's.
    // False if the listener wants one and there is none.
    bool take_proven_user(mqtt::Connect& packet, std::optional<std::string>& user) const;
    // `why` is for the log and, in words, for the client; or each gets its own.
    void refuse_connect(mqtt::ReasonCode reason, mqtt::Version version, std::string_view why) {
        refuse_connect(reason, version, why, why);
    }
    void refuse_connect(mqtt::ReasonCode reason, mqtt::Version version, std::string_view log,
                        std::string_view told);
    std::string describe_client() const;
    void accept(const mqtt::Connect& packet, const std::string& client_id,
                const AuthAnswer& answer);
    void adopt_terms(const mqtt::Connect& packet);
    void attach_session(const mqtt::Connect& packet, Session& session, const AuthAnswer& answer);
    std::uint32_t granted_expiry_s(std::uint32_t asked_s) const;
    std::string response_information(const mqtt::Connect& packet, std::string_view client_id) const;
    mqtt::Connack connack_for(const mqtt::Connect& packet, std::string_view client_id) const;
    void send_connack(const mqtt::Connack& connack);
    std::unique_ptr<PendingWill> make_will(const mqtt::Will& will);

    // auth_flow.cc
    void authenticate(Bytes body, const mqtt::Connect& packet, const std::string& client_id);
    void follow(const AuthAnswer& answer);
    void finish_authentication(const AuthAnswer& answer);
    void admit(mqtt::Connect packet, const std::string& client_id, const AuthAnswer& answer);
    bool may_will(const mqtt::Connect& packet, const std::string& client_id,
                  const AuthAnswer& answer, std::string& why);
    void handle_authenticating(const mqtt::Frame& frame);
    void handle_auth(Bytes body);
    void reauthenticate(Bytes data);
    void finish_reauthentication(const AuthAnswer& answer);
    void send_auth(mqtt::ReasonCode reason, std::string_view data);
    void reject(mqtt::ReasonCode reason);
    void give_up_authentication();

    void handle_publish(const mqtt::Frame& frame);
    bool resolve_topic(mqtt::Publish& packet);
    bool is_within_limits(mqtt::Publish& packet);
    mqtt::ReasonCode judge(const mqtt::Publish& packet);
    // Empty `rule`: the authorizer's.
    void note_denied(std::string_view what, Access access, std::string_view topic,
                     std::string_view rule = {});
    std::string explain(const mqtt::Publish& packet, mqtt::ReasonCode reason) const;
    mqtt::ReasonCode route(const mqtt::Publish& packet);
    void acknowledge(mqtt::PacketType type, const mqtt::Publish& packet, mqtt::ReasonCode reason);
    void handle_qos2_publish(const mqtt::Publish& packet, mqtt::ReasonCode verdict);
    bool tolerates_one_more_qos2();
    OutgoingPublish outgoing(const Publication& publication, const DeliveryTerms& terms) const;
    Alias choose_alias(const OutgoingPublish& packet, Publication& publication);
    bool fits(const OutgoingPublish& packet) const;
    std::size_t write(OutgoingPublish& packet, Publication& publication);
    void handle_ack(const mqtt::Frame& frame);
    void handle_pubrel(const mqtt::Ack& packet);
    void handle_subscribe(Bytes body);
    bool begin_subscribe(Bytes body);
    bool subscribe_slice(mqtt::Subscribe& rest, std::size_t& budget);
    void send_suback();
    mqtt::ReasonCode subscribe(const mqtt::SubscribeEntry& entry, std::uint32_t subscription_id,
                               Subscription& subscription);
    mqtt::ReasonCode judge_filter(std::string_view filter);
    bool retained_slice(mqtt::Subscribe& rest, std::size_t& budget);
    bool deliver_retained(std::string_view filter, std::size_t& budget);
    void handle_unsubscribe(Bytes body);
    bool begin_unsubscribe(Bytes body);
    void send_unsuback();
    // The request goes on in the next turn.
    void interrupt_request();
    mqtt::ReasonCode unsubscribe(std::string_view filter);
    bool may_begin(const mqtt::UserProperties& properties,
                   std::optional<std::string_view> ill_formed, std::size_t reasons);
    bool can_answer(std::size_t reasons);
    bool is_id_in_use(mqtt::PacketId id) const;
    // More than max_user_properties: then the client is told.
    bool fails_by_number_of(const mqtt::UserProperties& properties) {
        return has_too_many(properties) && fail_by_user_properties();
    }
    bool has_too_many(const mqtt::UserProperties& properties) const {
        return properties.may_have_any() && exceeds_limit(properties);
    }
    bool exceeds_limit(const mqtt::UserProperties& properties) const;
    bool fail_by_user_properties();
    void handle_disconnect(Bytes body);
    void handle_pingreq();

    // From here on nothing reaches the client but what is queued.
    void end(bool fire_will);
    void fail(mqtt::ReasonCode reason, std::string_view why = {});
    void send_disconnect(mqtt::ReasonCode reason, std::string_view why);
    bool owes_too_much() const;
    std::string_view with_mount_point(std::string_view topic);
    // The same for a filter, which keeps its "$share/group/" in front.
    std::string_view mounted_filter(std::string_view filter);
    bool has_room_for_shared(std::string_view filter);
    // False if the topic under its mount point is longer than a topic may be.
    bool fits_mount_point(std::string_view topic) const;
    // Between the two, one packet is encoded; it goes to the output as a whole.
    mqtt::Writer begin_packet();
    void finish_packet();
    bool packet_fits() const;  // The client takes one as large as was encoded.
    template <typename Packet>
    bool encode_fitting(const Packet& packet) {
        mqtt::Writer out = begin_packet();
        encode(out, packet, version_);
        return packet_fits();
    }
    // With `why` as its reason string, which is left out where it does not fit [MQTT-3.2.2-19].
    // False, and nothing is sent, if the packet does not fit without.
    template <typename Packet>
    bool send_explained(Packet packet, std::string_view why) {
        if (!why.empty()) packet.reason_string = why;
        if (!encode_fitting(packet)) {
            packet.reason_string.reset();
            if (!encode_fitting(packet)) return false;
        }
        finish_packet();
        return true;
    }
    void sent(std::size_t size);
    static void on_timer(base::Timer& timer, void* connection);
    void check_deadlines();
    void arm_deadlines();
    bool is_v5() const { return version_ == mqtt::Version::v5; }

    Shard& shard_;
    Wire& wire_;
    const ListenerOptions* listener_;
    Session* session_ = nullptr;
    const mqtt::Connect* connecting_ = nullptr;  // The CONNECT that is being judged; else null.
    base::Timer timer_;  // Until CONNACK: connect_timeout; then: keep alive, the login's end.
    std::uint64_t last_packet_ms_ = 0;
    std::uint32_t bytes_needed_ = 0;
    std::uint32_t login_ends_at_s_ = 0;               // Monotonic; 0 = it does not.
    std::unique_ptr<Authentication> authentication_;  // Null = nothing to remember.
    // Of the client's topics, [0] is alias 1; null until the client uses one.
    std::unique_ptr<std::vector<std::string>> aliases_;
    std::unique_ptr<AliasTable> outgoing_aliases_;  // Null until the client can be sent one.
    std::unique_ptr<RateLimit> rate_limit_;         // Null = none.
    std::unique_ptr<LongRequest> request_;  // While a SUBSCRIBE or UNSUBSCRIBE is worked on.
    std::uint32_t packet_size_max_ = 0;     // The client's Maximum Packet Size; 0 = none.
    std::uint16_t keep_alive_s_ = 0;
    std::uint16_t receive_maximum_ = 0;  // Ours, which the client must respect.
    std::uint16_t outgoing_alias_max_ = 0;
    mqtt::Version version_ = mqtt::Version::v3_1_1;
    State state_ = State::awaiting_connect;
    bool is_paused_ = false;  // By us: its silence is not its own.
    // Unless it wants none, acknowledgements say in words why they refuse [MQTT-3.1.2-29].
    bool wants_reason_strings_ = true;
    bool has_been_warned_ = false;  // Of its Receive Maximum.
    bool is_bridge_ = false;
};

}  // namespace broker
