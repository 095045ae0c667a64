// Clients that do anything at all, against a broker of two shards in memory.
//
// The input is a list of acts: connect (with a will, properties and limits), subscribe (to one
// filter or to thousands), publish (with properties and aliases, too large at times), acknowledge,
// send noise, break off, do not read, let time pass. What must hold whatever they are: nothing is
// sent on a closed wire, every packet decodes, no packet identifier is in flight twice, never more
// are in flight than the client's Receive Maximum, no packet is larger than what the client takes,
// no alias is above its maximum, no QoS 2 message arrives twice; after each act every queue is
// within its limits, and so are the subscriptions and what is retained; and when everybody has left
// nothing is left behind. A failure stops the program.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "mqtt/ack.h"
#include "mqtt/connect.h"
#include "mqtt/disconnect.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"
#include "mqtt/topic.h"
#include "mqtt/unsubscribe.h"
#include "support/broker_world.h"

namespace {

using mqtt::PacketId;
using mqtt::PacketType;
using support::FakeWire;
using support::Packet;
using Buffer = std::vector<std::uint8_t>;

constexpr std::uint16_t inflight_max = 4;
constexpr std::size_t clients_max = 4;
constexpr std::size_t queued_bytes_max = 6000;
constexpr std::size_t queued_messages_max = 20;
constexpr std::size_t retained_max = 4;
constexpr std::size_t retained_bytes_max = 8000;
constexpr std::size_t subscriptions_max = 1200;
constexpr std::array<const char*, 7> topics{"x", "x/y", "x/z", "y", "$q/x", "x/y/z", "$s/x"};
// What is shared is matched by nothing else, so that nobody gets it twice.
constexpr std::array<const char*, 9> filters{"x", "x/#",  "x/+",   "+/y",          "#",
                                             "y", "$q/#", "x/y/z", "$share/g/$s/+"};

void check(bool holds, const char* sentence) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", sentence);
    std::abort();
}

class Input {
public:
    explicit Input(base::Bytes bytes) : rest_(bytes) {}
    bool empty() const { return rest_.empty(); }
    std::uint8_t byte() {
        if (rest_.empty()) return 0;
        const std::uint8_t value = rest_[0];
        rest_ = rest_.subspan(1);
        return value;
    }
    std::size_t below(std::size_t limit) { return byte() % limit; }
    bool flag() { return byte() % 2 != 0; }
    base::Bytes some() {
        const base::Bytes taken = rest_.first(std::min<std::size_t>(byte(), rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

private:
    base::Bytes rest_;
};

// What one client id has been promised, as its client sees it.
struct Client {
    std::string id;
    FakeWire* wire = nullptr;
    mqtt::Version version = mqtt::Version::v5;
    std::uint16_t window = inflight_max;
    bool is_noisy = false;           // Sent bytes of its own: what it acknowledged is not known.
    std::map<PacketId, int> got;     // In flight in the session, by QoS.
    std::set<PacketId> in_flight;    // On this connection.
    std::set<PacketId> to_complete;  // PUBRELs received.
    std::set<std::string> received;  // Payloads that came with QoS 2.
    std::map<PacketId, std::string> sent;  // QoS 2, not released.
    PacketId next_id = 0;
};

class Play {
public:
    Play() : world_(2, options()) {
        world_.log.disable_all();
        for (std::uint32_t i = 0; i < clients_.size(); ++i) clients_[i].id = id_on(i % 2, i);
    }

    void act(Input& input) {
        choose_act(input);
        check_limits();
    }

    void choose_act(Input& input) {
        Client& client = clients_[input.below(clients_.size())];
        const std::size_t kind = input.below(18);
        if (kind == 0 || !client.wire) return connect(client, input);
        switch (kind) {
            case 1:
            case 2:
                return subscribe(client, input);
            case 3:
                return unsubscribe(client, input);
            case 4:
            case 5:
            case 6:
                return publish(client, input);
            case 7:
                return publish_again(client);
            case 8:
            case 9:
                return acknowledge(client, input);
            case 10:
                return release(client);
            case 11:
                return leave(client, input);
            case 12:
                return disturb(client, input);
            case 13:
                return noise(client, input.some());
            case 16:
                return subscribe_many(client, input);
            case 17:
                return publish_rich(client, input);
            case 14:
                return world_.advance(std::chrono::seconds(input.byte()));
            default:
                return world_.settle();
        }
    }

    void finish() {
        for (std::uint32_t shard = 0; shard < 2; ++shard) world_.refuse_batches(shard, false);
        // All of them: a CONNECT that is refused does not end the connection before it.
        for (FakeWire* wire : wires_) world_.drop(*wire);
        world_.settle();
        world_.advance(std::chrono::hours(100));
        check(world_.count(&broker::Counters::sessions) == 0, "every session ends");
        check(world_.count(&broker::Counters::sessions_connected) == 0, "nobody is connected");
        check(world_.count(&broker::Counters::subscriptions) == 0, "subscriptions end");
        check(world_.count(&broker::Counters::queued_messages) == 0, "queues are empty");
        check(world_.count(&broker::Counters::queued_bytes) == 0, "queues hold no bytes");
        check(world_.count(&broker::Counters::shared_subscriptions) == 0, "shared ones end, too");
        check(world_.broker().interest().filter_count() == 0, "interest ends");
        check(world_.broker().shared_groups().count() == 0, "groups end");
        const std::string violation = world_.violation();
        check(violation.empty(), violation.c_str());
    }

private:
    // The hash has another seed in each process; an input must not mean another thing for that.
    std::string id_on(std::uint32_t shard, std::uint32_t number) {
        std::string id(1, static_cast<char>('a' + number));
        while (world_.broker().shard_of(id) != shard) id += '.';
        return id;
    }

    static broker::Options options() {
        broker::Options options;
        options.inflight_messages_max = inflight_max;
        options.queued_messages_max = queued_messages_max;
        options.output_bytes_max = 2000;
        options.packet_size_max = 10'000;
        options.persistent_client_expiration_s = 3600;
        options.queued_bytes_max = queued_bytes_max;
        options.retained_messages_max = retained_max;
        options.retained_bytes_max = retained_bytes_max;
        options.subscriptions_max = subscriptions_max;
        options.user_properties_max = 3;
        options.retain_expiry_s = 900;
        return options;
    }

    void send(Client& client, const Buffer& bytes) {
        support::BrokerWorld::send(*client.wire, bytes);
    }

    void connect(Client& client, Input& input) {
        FakeWire& wire = world_.open(static_cast<std::uint32_t>(input.below(2)), listener_);
        const std::uint8_t terms = input.byte();
        mqtt::Connect packet;
        packet.version = terms & 1 ? mqtt::Version::v5 : mqtt::Version::v3_1_1;
        packet.clean_start = (terms & 2) != 0;
        packet.client_id = client.id;
        packet.keep_alive_s = terms & 4 ? 60 : 0;
        if (terms & 1) {
            packet.session_expiry_s = terms & 8 ? 300 : 0;
            packet.receive_maximum = static_cast<std::uint16_t>(1 + terms % 7);
            if (terms & 16) packet.maximum_packet_size = 40;
            packet.topic_alias_maximum = terms % 5;
        }
        if (terms & 32) {
            mqtt::Will& will = packet.will.emplace();
            will.topic = topics[input.below(topics.size())];
            will.qos = static_cast<mqtt::Qos>(terms % 3);
            will.retain = (terms & 64) != 0;
            if (terms & 1) will.delay_s = input.byte();
            if (terms & 1 && will.delay_s % 2 != 0) set_properties(will.properties, will.delay_s);
        }
        client.version = wire.version = packet.version;
        wire.packet_size_max = packet.maximum_packet_size.value_or(0);
        wire.alias_max = packet.topic_alias_maximum;
        client.window = std::min(packet.receive_maximum, inflight_max);
        client.wire = &wire;
        wires_.push_back(&wire);
        client.in_flight.clear();
        client.is_noisy = false;
        wire.on_packet = [this, &client, &wire](const Packet& got) {
            if (client.wire == &wire && !client.is_noisy) observe(client, got);
            return false;
        };
        Buffer bytes;
        mqtt::Writer out(bytes);
        mqtt::encode(out, packet);
        send(client, bytes);
        world_.settle();
    }

    void observe(Client& client, const Packet& packet) {
        if (packet.type == PacketType::connack && !packet.session_present) {
            client.got.clear();
            client.to_complete.clear();
            client.sent.clear();
        }
        if (packet.type == PacketType::pubrel) client.to_complete.insert(packet.id);
        if (packet.type != PacketType::publish || packet.qos == 0) return;
        const bool is_new = client.got.insert_or_assign(packet.id, packet.qos).second;
        check(is_new || packet.dup, "an identifier is in flight once");
        client.in_flight.insert(packet.id);
        check(client.in_flight.size() <= client.window, "the Receive Maximum holds");
        if (packet.qos != 2 || packet.retain || packet.payload.empty() || has_noise_) return;
        const bool first = client.received.insert(packet.payload).second;
        check(first || packet.dup, "a QoS 2 message arrives once");
    }

    void subscribe(Client& client, Input& input) {
        const std::uint8_t terms = input.byte();
        mqtt::SubscribeEntry entry;
        entry.filter = filters[input.below(filters.size())];
        entry.options.qos = static_cast<mqtt::Qos>(terms % 3);
        const bool v5 = client.version == mqtt::Version::v5;
        if (v5) {
            entry.options.no_local = (terms & 4) != 0 && !mqtt::is_shared(entry.filter);
            entry.options.retain_as_published = (terms & 8) != 0;
            entry.options.retain_handling = static_cast<mqtt::RetainHandling>((terms >> 4) % 3);
        }
        mqtt::Subscribe packet;
        packet.id = new_id(client);
        if (v5) packet.subscription_id = terms >> 6;
        Buffer bytes;
        mqtt::Writer out(bytes);
        mqtt::encode_subscribe(out, packet, {&entry, 1}, client.version);
        send(client, bytes);
    }

    // More than one turn takes; now and then the client goes in the middle of it.
    void subscribe_many(Client& client, Input& input) {
        const std::uint8_t terms = input.byte();
        const std::size_t count = std::size_t{5} * terms;
        std::vector<std::string> names;
        for (std::size_t i = 0; i < count; ++i) names.push_back("x/" + std::to_string(i) + "/+");
        names.emplace_back("#");
        const std::vector<std::string_view> views(names.begin(), names.end());
        std::vector<mqtt::SubscribeEntry> entries(views.size());
        for (std::size_t i = 0; i < views.size(); ++i) entries[i].filter = views[i];
        Buffer bytes;
        mqtt::Writer out(bytes);
        if (terms % 3 == 0) {
            mqtt::encode_unsubscribe(out, {.id = new_id(client)}, views, client.version);
        } else {
            mqtt::encode_subscribe(out, {.id = new_id(client)}, entries, client.version);
        }
        send(client, bytes);
        if (terms % 4 != 1 || client.wire->is_paused || !client.wire->is_open()) return;
        client.wire->connection->on_bytes(client.wire->unread);
        world_.drop(*client.wire);
    }

    void unsubscribe(Client& client, Input& input) {
        mqtt::Unsubscribe packet;
        packet.id = new_id(client);
        const std::string_view filter = filters[input.below(filters.size())];
        Buffer bytes;
        mqtt::Writer out(bytes);
        mqtt::encode_unsubscribe(out, packet, {&filter, 1}, client.version);
        send(client, bytes);
    }

    static PacketId new_id(Client& client) {
        if (++client.next_id == 0) ++client.next_id;
        return client.next_id;
    }

    // Every payload is its own, but for the empty ones, which clear what is retained.
    void publish(Client& client, Input& input) {
        const std::uint8_t terms = input.byte();
        mqtt::Publish packet;
        packet.qos = static_cast<mqtt::Qos>(terms % 3);
        packet.retain = (terms & 4) != 0;
        packet.topic = topics[input.below(topics.size())];
        std::string payload = "#" + std::to_string(++payloads_);
        if (terms & 16) payload.append(std::size_t{20} * input.byte(), '.');
        if (packet.retain && (terms & 8) != 0) payload.clear();
        packet.payload = base::as_bytes(payload);
        if (packet.qos != mqtt::Qos::at_most_once) packet.id = new_id(client);
        const bool v5 = client.version == mqtt::Version::v5;
        if (v5 && (terms & 32) != 0) packet.properties.message_expiry_s = input.byte();
        // A retained one may come twice by right; one that was not taken is not sent again.
        if (packet.qos == mqtt::Qos::exactly_once && !packet.retain && client.sent.size() < 4) {
            client.sent.emplace(packet.id, payload);
        }
        write(client, packet);
    }

    static void set_properties(mqtt::MessageProperties& properties, unsigned terms) {
        if (terms & 2) {
            properties.content_type = "text";
            properties.has_content_type = true;
        }
        if (terms & 4) {
            properties.response_topic = "x/y";
            properties.has_response_topic = true;
        }
        if (terms & 8) properties.payload_format = 1;
        if (terms & 16) {
            properties.correlation_data = base::as_bytes("1234");
            properties.has_correlation_data = true;
        }
        // One to four: the last is more than the limit.
        static const std::string pairs = [] {
            std::string pair("\x26\0\1k\0\1v", 7);
            return pair + pair + pair + pair;
        }();
        if (terms & 32) {
            properties.user = mqtt::UserProperties(
                base::as_bytes(std::string_view(pairs).substr(0, 7 * (1 + (terms >> 6) % 4))));
        }
    }

    // With properties, by an alias, or larger than the broker takes.
    void publish_rich(Client& client, Input& input) {
        const std::uint8_t terms = input.byte();
        mqtt::Publish packet;
        const std::string topic = topics[input.below(topics.size())];
        const bool v5 = client.version == mqtt::Version::v5;
        packet.topic = topic;
        if (v5) set_properties(packet.properties, terms);
        if (v5 && (terms & 1) != 0) {
            packet.topic_alias = static_cast<std::uint16_t>(1 + input.below(12));
            if (terms & 2) packet.topic = {};
        }
        std::string payload = "#" + std::to_string(++payloads_);
        if (terms % 16 == 15) payload.append(12'000, '.');
        packet.payload = base::as_bytes(payload);
        write(client, packet);
    }

    void check_limits() {
        std::size_t queued = 0;
        std::size_t sessions = 0;
        for (std::uint32_t number = 0; number < world_.shard_count(); ++number) {
            world_.shard(number).for_each_session([&](broker::Session& session) {
                ++sessions;
                const broker::Session::Backlog backlog = session.backlog();
                check(backlog.messages <= queued_messages_max, "a queue holds so many messages");
                check(backlog.bytes <= queued_bytes_max, "a queue holds so many bytes");
                check(backlog.in_flight <= inflight_max, "so many are in flight");
                check(session.filters().size() <= subscriptions_max,
                      "a client has so many filters");
                queued += backlog.messages;
            });
        }
        check(sessions == world_.count(&broker::Counters::sessions), "sessions are counted");
        check(queued <= world_.count(&broker::Counters::queued_messages), "queues are counted");
        check(world_.broker().retained().count() <= retained_max, "so many are retained");
        check(world_.broker().retained().bytes() <= retained_bytes_max, "so many bytes are");
    }

    void write(Client& client, const mqtt::Publish& packet) {
        Buffer bytes;
        mqtt::Writer out(bytes);
        mqtt::encode(out, packet, client.version);
        send(client, bytes);
    }

    // The same message again, as after a lost PUBREC.
    void publish_again(Client& client) {
        world_.settle();
        if (client.sent.empty()) return;
        mqtt::Publish packet;
        packet.qos = mqtt::Qos::exactly_once;
        packet.dup = true;
        packet.topic = topics[0];
        packet.id = client.sent.begin()->first;
        packet.payload = base::as_bytes(client.sent.begin()->second);
        write(client, packet);
    }

    void send_ack(Client& client, PacketType type, PacketId id,
                  mqtt::ReasonCode reason = mqtt::ReasonCode::success) {
        mqtt::Ack packet;
        packet.type = type;
        packet.id = id;
        packet.reason = reason;
        Buffer bytes;
        mqtt::Writer out(bytes);
        mqtt::encode(out, packet, client.version);
        send(client, bytes);
    }

    void acknowledge(Client& client, Input& input) {
        const std::uint8_t which = input.byte();
        if (!client.to_complete.empty() && which % 2 == 0) {
            const PacketId id = *client.to_complete.begin();
            client.to_complete.erase(id);
            send_ack(client, PacketType::pubcomp, id);
            return forget(client, id);
        }
        if (client.got.empty()) return;
        const auto chosen =
            std::next(client.got.begin(), static_cast<std::ptrdiff_t>(which % client.got.size()));
        const auto [id, qos] = *chosen;
        if (qos == 1) {
            send_ack(client, PacketType::puback, id);
            return forget(client, id);
        }
        const bool refuse = client.version == mqtt::Version::v5 && which > 250;
        send_ack(client, PacketType::pubrec, id,
                 refuse ? mqtt::ReasonCode::quota_exceeded : mqtt::ReasonCode::success);
        if (refuse) forget(client, id);
    }

    static void forget(Client& client, PacketId id) {
        client.got.erase(id);
        client.in_flight.erase(id);
    }

    void release(Client& client) {
        if (client.sent.empty()) return;
        send_ack(client, PacketType::pubrel, client.sent.begin()->first);
        client.sent.erase(client.sent.begin());
    }

    void leave(Client& client, Input& input) {
        const std::uint8_t how = input.byte();
        if (how % 2 == 0) return world_.drop(*client.wire);
        mqtt::Disconnect packet;
        if (client.version == mqtt::Version::v5) {
            if (how & 2) packet.reason = mqtt::ReasonCode::disconnect_with_will;
            if (how & 4) packet.session_expiry_s = how;
        }
        Buffer bytes;
        mqtt::Writer out(bytes);
        mqtt::encode(out, packet, client.version);
        send(client, bytes);
    }

    void disturb(Client& client, Input& input) {
        const std::uint8_t how = input.byte();
        if (how % 4 == 0) return world_.refuse_batches(how / 4 % 2, (how & 8) != 0);
        client.wire->room = how % 4 == 1 ? FakeWire::no_limit : how;
    }

    void noise(Client& client, base::Bytes bytes) {
        has_noise_ = true;
        client.is_noisy = true;
        support::BrokerWorld::send(*client.wire, bytes);
    }

    broker::ListenerOptions listener_;
    support::BrokerWorld world_;
    std::array<Client, clients_max> clients_;
    std::vector<FakeWire*> wires_;
    std::uint64_t payloads_ = 0;
    bool has_noise_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Play play;
    Input input({data, size});
    for (int acts = 0; acts < 500 && !input.empty(); ++acts) play.act(input);
    play.finish();
    return 0;
}
