#include "sim/simulation.h"

#include <algorithm>
#include <array>

#include "mqtt/connect.h"
#include "mqtt/subscribe.h"
#include "sim/topics.h"

namespace sim {

// Passes everything on, and promises one batch too many.
class Simulation::EarlyStore : public broker::Store {
public:
    explicit EarlyStore(broker::Store& store) : store_(store) {}
    bool records() const override { return true; }
    broker::CommitNumber append(std::uint32_t shard, broker::ChangeBatch& batch) override {
        return appended_[shard] = store_.append(shard, batch);
    }
    broker::CommitNumber committed(std::uint32_t shard) const override {
        return std::min(appended_[shard], store_.committed(shard) + 1);
    }
    bool is_behind() const override { return store_.is_behind(); }
    void restore(const std::function<void(const broker::Change&)>& each) override {
        store_.restore(each);
    }

private:
    broker::Store& store_;
    std::array<broker::CommitNumber, broker::shards_max> appended_{};
};

Simulation::Simulation(const Scenario& scenario, Trace& trace)
    : scenario_(scenario),
      trace_(trace),
      random_(scenario.seed),
      around_{.random = random_, .trace = trace_, .oracle = oracle_},
      disk_(random_),
      is_synced_(scenario.defect != Defect::none || random_.percent(70)) {
    disk_.set_forgetful(scenario.defect == Defect::forgetful_disk);
    choose_habits();
    make_clients();
}

Simulation::~Simulation() {
    world_.reset();
}

void Simulation::choose_habits() {
    habits_.steps = random_.between(500, 8000);
    habits_.turns = random_.between(200, 500);
    habits_.commits = random_.between(10, 200);
    habits_.acts = random_.between(100, 300);
    habits_.exchanges = random_.between(100, 400);
    habits_.crashes = random_.between(1, 8);
    habits_.disk_faults = random_.percent(50) ? 0 : random_.between(1, 5);
    shards_ = static_cast<std::uint32_t>(random_.between(1, 4));
    constexpr std::array<std::uint16_t, 3> inflight{2, 5, 20};
    options_.inflight_messages_max = random_.one_of(inflight);
    options_.queued_messages_max = 0;
    options_.connect_timeout_s = 0;
    around_.receive_maximum = options_.inflight_messages_max;
    constexpr std::array<std::size_t, 3> waiting{500, 5000, 1 << 20};
    waiting_bytes_max_ = random_.one_of(waiting);
    trace_.line("level {}, window {}, {} bytes may wait for the disk",
                is_synced_ ? "disk" : "process", options_.inflight_messages_max,
                waiting_bytes_max_);
}

void Simulation::make_clients() {
    const std::size_t count = random_.between(3, 8);
    for (std::size_t number = 0; number < count; ++number) {
        Character who{.name = fmt::format("c{}", number), .number = number};
        who.version = random_.percent(50) ? mqtt::Version::v5 : mqtt::Version::v3_1_1;
        who.is_kept = random_.percent(75);
        if (who.version == mqtt::Version::v5 && random_.percent(50)) {
            who.receive_maximum = static_cast<std::uint16_t>(random_.between(1, 6));
        }
        who.is_member = who.is_kept && random_.percent(40);
        // Longer than all of the simulation but its last part.
        if (who.version == mqtt::Version::v5 && !who.is_member && random_.percent(30)) {
            who.expiry_s = 3600;
        }
        trace_.line("{}: MQTT {}, {}", who.name, static_cast<int>(who.version),
                    who.is_kept ? "its session lives on" : "its session ends with its connection");
        clients_.push_back(std::make_unique<SimClient>(around_, who));
    }
}

void Simulation::start() {
    if (crashes_ > 0 && random_.percent(20)) {
        shards_ = static_cast<std::uint32_t>(random_.between(1, 4));
    }
    const storage::CommitterOptions options{.shards = shards_,
                                            .sync = is_synced_,
                                            .waiting_bytes_max = waiting_bytes_max_,
                                            .has_thread = false};
    auto opened = storage::DurableStore::open(disk_.open(), "disk", store_log_, options);
    if (!opened) return oracle_.violate("the store does not open: " + opened.error());
    store_ = std::move(*opened);
    early_ = std::make_unique<EarlyStore>(*store_);
    broker::Store* const store = scenario_.defect == Defect::early_commit
                                     ? static_cast<broker::Store*>(early_.get())
                                     : store_.get();
    world_ = std::make_unique<support::BrokerWorld>(shards_, options_, store, clock_);
    around_.world = world_.get();
    trace_.line("the broker starts with {} shards", shards_);
    oracle_.start();
    if (!store_->restore_error().empty()) oracle_.violate(store_->restore_error());
    if (store_log_.contains("set aside")) oracle_.violate("a record is set aside");
    if (world_->log.contains("do not fit together")) oracle_.violate("records do not fit together");
    world_->log.disable_all();
}

void Simulation::crash() {
    ++crashes_;
    check_world();
    trace_.line("{}", is_synced_ ? "the power is cut" : "the broker is killed");
    for (auto& client : clients_) client->lose_broker();
    clock_ = world_->clock;
    clock_.advance_to(clock_.monotonic_ms() + random_.below(10'000));
    around_.world = nullptr;
    world_.reset();
    early_.reset();
    store_.reset();
    disk_.set_full(false);
    around_.was_disk_full = false;
    if (is_synced_) {
        disk_.cut_power();
    } else {
        disk_.kill();
    }
    start();
}

void Simulation::check_world() {
    if (const auto found = world_->violation(); !found.empty()) {
        oracle_.violate("on the wire: " + found);
    }
}

void Simulation::take_turn() {
    world_->turn_of(static_cast<std::uint32_t>(random_.below(shards_)));
}

void Simulation::write_group() {
    const auto attempt = store_->write_group();
    if (attempt == storage::WriteAttempt::done) trace_.line("a group is written");
    if (attempt == storage::WriteAttempt::no_space) trace_.line("a group finds no space");
}

void Simulation::disturb_disk() {
    if (random_.percent(20)) {
        trace_.line("the disk breaks");
        return disk_.break_next_write();
    }
    disk_.set_full(!disk_.is_full());
    around_.was_disk_full = true;
    trace_.line("the disk {}", disk_.is_full() ? "is full" : "has space");
}

void Simulation::refuse_batches() {
    const auto shard = static_cast<std::uint32_t>(random_.below(shards_));
    world_->refuse_batches(shard, random_.percent(50));
}

void Simulation::step() {
    const std::size_t what = random_.below(1000);
    std::size_t passed = 0;
    const auto is_now = [&](std::size_t chance) { return what < (passed += chance); };
    if (is_now(habits_.crashes)) return crash();
    if (is_now(habits_.disk_faults)) return disturb_disk();
    if (is_now(5)) return refuse_batches();
    if (is_now(5)) {
        const std::uint64_t now = world_->clock.monotonic_ms();
        return world_->clock.advance_to(now + random_.below(5000));
    }
    SimClient& client = *clients_[random_.below(clients_.size())];
    const std::size_t rest =
        random_.below(habits_.turns + habits_.commits + habits_.acts + habits_.exchanges);
    if (rest < habits_.turns) return take_turn();
    if (rest < habits_.turns + habits_.commits) return write_group();
    if (rest < habits_.turns + habits_.commits + habits_.acts) return client.act();
    client.exchange();
}

Outcome Simulation::run() {
    start();
    for (std::size_t step_number = 1; step_number <= habits_.steps && !is_over(); ++step_number) {
        trace_.set_step(step_number);
        step();
        if (step_number % 64 == 0) check_world();
    }
    if (!is_over()) finish();
    if (is_over()) trace_.line("broken: {}", oracle_.violation());
    return {oracle_.violation(), trace_.digest(), crashes_, oracle_.published(),
            oracle_.acknowledged()};
}

// Until nothing moves; true if anything did.
bool Simulation::settle() {
    bool moved = false;
    for (;;) {
        world_->settle();
        if (store_->write_group() != storage::WriteAttempt::done) return moved;
        moved = true;
    }
}

// One more crash, and everybody gets what it is owed. Then everybody goes for long: wills are due,
// and sessions that can expire are over.
void Simulation::finish() {
    crash();
    come_back();
    if (is_over()) return;
    for (auto& client : clients_) client->break_off();
    settle();
    if (random_.percent(50)) crash();
    if (is_over()) return;
    world_->advance(std::chrono::hours(2));
    settle();
    for (auto& client : clients_) client->expire();
    if (random_.percent(50)) crash();
    if (is_over()) return;
    come_back();
    if (!is_over()) check_retained();
}

void Simulation::come_back() {
    trace_.line("everybody comes back");
    constexpr std::size_t rounds_max = 2000;
    std::size_t rounds = 0;
    for (bool is_done = false; !is_done && !is_over(); ++rounds) {
        is_done = true;
        for (auto& client : clients_) is_done = client->finish() && is_done;
        is_done = !settle() && is_done;
        if (rounds > rounds_max) oracle_.violate("does not come to rest");
    }
    check_world();
    oracle_.check_nothing_lost();
}

void Simulation::check_retained() {
    support::FakeWire& wire = world_->open(0, around_.listener);
    std::vector<std::uint8_t> bytes;
    mqtt::Writer out(bytes);
    mqtt::Connect connect;
    connect.client_id = "observer";
    mqtt::encode(out, connect);
    mqtt::Subscribe subscribe;
    subscribe.id = 1;
    mqtt::SubscribeEntry entry;
    entry.filter = "r/#";
    mqtt::encode_subscribe(out, subscribe, {&entry, 1}, wire.version);
    world_->send(wire, bytes);
    settle();
    std::map<std::string, std::string> values;
    for (const support::Packet& packet : wire.received) {
        if (packet.type == mqtt::PacketType::publish) values[packet.topic] = packet.payload;
    }
    for (const char* topic : retained_topics) oracle_.check_retained(topic, values[topic]);
}

Outcome simulate(const Scenario& scenario, Trace& trace) {
    return Simulation(scenario, trace).run();
}

}  // namespace sim
