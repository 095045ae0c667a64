#include "broker/sys_topics.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>

namespace broker {
namespace {

constexpr std::string_view root = "$SYS/broker/";

const char* log_topic(base::LogType type) {
    switch (type) {
        case base::LogType::error:
            return "log/E";
        case base::LogType::warning:
            return "log/W";
        case base::LogType::notice:
            return "log/N";
        case base::LogType::information:
            return "log/I";
        case base::LogType::subscribe:
            return "log/M/subscribe";
        case base::LogType::unsubscribe:
            return "log/M/unsubscribe";
        case base::LogType::websockets:
            return "log/WS";
        default:
            return "log/D";
    }
}

}  // namespace

SysTopics::SysTopics(Shard& shard, std::vector<const Counters*> counters)
    : shard_(shard),
      counters_(std::move(counters)),
      started_ms_(shard.now_ms()),
      loads_at_ms_(shard.now_ms()),
      timer_(&SysTopics::on_timer, this) {
    on_timer(timer_, this);
}

void SysTopics::on_timer(base::Timer& timer, void* self_pointer) {
    auto& self = *static_cast<SysTopics*>(self_pointer);
    const std::uint64_t interval_s = self.shard_.options().sys_interval_s;
    if (interval_s != 0) self.publish_all();
    // Switched off, it looks again in a while: a reload may switch it on.
    const std::uint64_t wait_ms = interval_s == 0 ? 10'000 : interval_s * 1000;
    self.shard_.timers().add(timer, self.shard_.now_ms() + wait_ms);
}

std::uint64_t SysTopics::sum(Counter Counters::*counter) const {
    std::uint64_t total = 0;
    for (const Counters* counters : counters_) total += (counters->*counter).get();
    return total;
}

std::uint64_t SysTopics::dropped() const {
    std::uint64_t total = 0;
    for (const Counters* counters : counters_) total += counters->dropped();
    return total;
}

void SysTopics::publish_all() {
    publish("version", std::string("nightjar version " NIGHTJAR_VERSION));
    publish("uptime", fmt::format("{} seconds", (shard_.now_ms() - started_ms_) / 1000));
    publish_clients();
    publish_traffic();
    publish_store();
    publish_sink();
    publish_heap();
    publish_loads();
    publish_refusals();
}

// Topics of our own. Most are never seen: what has not happened is not published.
void SysTopics::publish_refusals() {
    const auto publish_some = [this](std::string_view name, std::uint64_t value) {
        if (value != 0) publish(name, value);
    };
    publish_some("nightjar/dropped/output_full", sum(&Counters::dropped_output_full));
    publish_some("nightjar/dropped/queue_full", sum(&Counters::dropped_queue_full));
    publish_some("nightjar/dropped/packet_size", sum(&Counters::dropped_packet_size));
    publish_some("nightjar/dropped/expired", sum(&Counters::dropped_expired));
    publish_some("nightjar/dropped/unreadable", sum(&Counters::dropped_unreadable));
    publish_some("nightjar/dropped/not_authorized", sum(&Counters::dropped_not_authorized));
    publish_some("nightjar/dropped/retained_limit", sum(&Counters::dropped_retained));
    for (std::size_t cause = 0; cause < refusal_count; ++cause) {
        std::uint64_t total = 0;
        for (const Counters* counters : counters_) total += counters->refused.at(cause).get();
        publish_some(std::string("nightjar/refused/").append(name_of(static_cast<Refusal>(cause))),
                     total);
    }
}

void SysTopics::publish_clients() {
    const std::uint64_t total = sum(&Counters::sessions);
    const std::uint64_t connected = std::min(total, sum(&Counters::sessions_connected));
    clients_maximum_ = std::max(clients_maximum_, connected);
    publish("clients/total", total);
    publish("clients/maximum", clients_maximum_);
    publish("clients/connected", connected);
    publish("clients/active", connected);
    publish("clients/disconnected", total - connected);
    publish("clients/inactive", total - connected);
    publish("clients/expired", sum(&Counters::clients_expired));
    publish("connections/socket/count", sum(&Counters::sockets));
    publish("subscriptions/count", sum(&Counters::subscriptions));
    publish("shared_subscriptions/count", sum(&Counters::shared_subscriptions));
}

void SysTopics::publish_traffic() {
    RetainedStore& retained = shard_.broker().retained();
    publish("messages/received", sum(&Counters::packets_received));
    publish("messages/sent", sum(&Counters::packets_sent));
    publish("bytes/received", sum(&Counters::bytes_received));
    publish("bytes/sent", sum(&Counters::bytes_sent));
    publish("publish/messages/received", sum(&Counters::publish_received));
    publish("publish/messages/sent", sum(&Counters::publish_sent));
    publish("publish/messages/dropped", dropped());
    publish("publish/bytes/received", sum(&Counters::publish_bytes_received));
    publish("publish/bytes/sent", sum(&Counters::publish_bytes_sent));
    publish("retained messages/count", std::uint64_t{retained.count()});
    const std::uint64_t stored = retained.count() + sum(&Counters::queued_messages);
    publish("messages/stored", stored);
    publish("store/messages/count", stored);
    publish("store/messages/bytes", retained.bytes() + sum(&Counters::queued_bytes));
}

// Only with a store.
void SysTopics::publish_store() {
    const Store& store = shard_.broker().store();
    if (!store.records()) return;
    const StoreFigures figures = store.figures();
    publish("store/state", std::string(figures.has_failed        ? "failed"
                                       : figures.is_out_of_space ? "no space"
                                                                 : "ok"));
    publish("store/batches", figures.batches);
    publish("store/groups", figures.groups);
    publish("store/records", figures.writes);
    publish("store/bytes", figures.bytes);
    publish("store/bytes/waiting", figures.waiting_bytes);
    publish("store/behind", figures.times_behind);
    publish("store/dropped", figures.dropped);
}

// Only with a mysql_store.
void SysTopics::publish_sink() {
    MessageSink* const sink = shard_.broker().message_sink();
    if (!sink) return;
    const MessageSink::Figures figures = sink->figures();
    publish("nightjar/mysql_store/stored", figures.stored);
    publish("nightjar/mysql_store/dropped", figures.dropped);
    publish("nightjar/mysql_store/waiting", std::uint64_t{figures.waiting});
    publish("nightjar/mysql_store/waiting/bytes", std::uint64_t{figures.waiting_bytes});
}

void SysTopics::publish_heap() {
    const struct mallinfo2 heap = mallinfo2();
    const std::uint64_t current = heap.uordblks + heap.hblkhd;
    heap_maximum_ = std::max(heap_maximum_, current);
    publish("heap/current", current);
    publish("heap/maximum", heap_maximum_);
}

void SysTopics::publish_loads() {
    if (shard_.now_ms() == loads_at_ms_) return;
    publish_load(0, "messages/received", sum(&Counters::packets_received));
    publish_load(1, "messages/sent", sum(&Counters::packets_sent));
    publish_load(2, "publish/dropped", dropped());
    publish_load(3, "publish/received", sum(&Counters::publish_received));
    publish_load(4, "publish/sent", sum(&Counters::publish_sent));
    publish_load(5, "bytes/received", sum(&Counters::bytes_received));
    publish_load(6, "bytes/sent", sum(&Counters::bytes_sent));
    publish_load(7, "sockets", sum(&Counters::connections_opened));
    publish_load(8, "connections", sum(&Counters::connects_accepted));
    loads_at_ms_ = shard_.now_ms();
}

// A moving average that forgets exponentially: what happened T minutes ago weighs 1/e.
void SysTopics::publish_load(std::size_t kind, const char* name, std::uint64_t total) {
    constexpr std::array minutes = {1, 5, 15};
    Load& load = loads_.at(kind);
    const double elapsed_min = static_cast<double>(shard_.now_ms() - loads_at_ms_) / 60'000.0;
    const double rate = static_cast<double>(total - load.last) / elapsed_min;
    load.last = total;
    for (std::size_t i = 0; i < minutes.size(); ++i) {
        const double kept = std::exp(-elapsed_min / minutes.at(i));
        load.per_minute.at(i) = rate + kept * (load.per_minute.at(i) - rate);
        publish(fmt::format("load/{}/{}min", name, minutes.at(i)),
                fmt::format("{:.2f}", load.per_minute.at(i)));
    }
}

void SysTopics::publish(std::string_view name, std::uint64_t value) {
    publish(name, fmt::format("{}", value));
}

void SysTopics::publish(std::string_view name, std::string value) {
    std::string& before = published_[std::string(name)];
    if (before == value) return;
    before = std::move(value);
    const std::string topic = std::string(root).append(name);
    Publication publication;
    publication.topic = topic;
    publication.payload = base::as_bytes(before);
    publication.qos = mqtt::Qos::exactly_once;
    publication.retain = true;
    shard_.publish(publication);
}

void SysTopics::publish_log(base::LogType type, std::string_view line) {
    const std::string topic = std::string(root).append(log_topic(type));
    Publication publication;
    publication.topic = topic;
    publication.payload = base::as_bytes(line);
    publication.qos = mqtt::Qos::exactly_once;
    shard_.publish(publication);
}

}  // namespace broker
