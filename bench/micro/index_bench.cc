// CPU time and memory of the broker's indexes, with the filters of the load generator's scenario
// "subs" (half exact, a quarter with "+", a quarter with "#") and the topics of "retained".
//
// Times are per operation (items_per_second is its inverse); `bytes_each` is what malloc gave out.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "broker/interest.h"
#include "broker/retained_store.h"
#include "broker/subscription_index.h"

namespace {

constexpr std::size_t subscriptions = 200'000;
constexpr std::size_t topics = 100'000;

std::size_t allocated() {
    const struct mallinfo2 now = mallinfo2();
    return now.uordblks + now.hblkhd;
}

std::string filter(std::size_t n) {
    const std::size_t a = n % 97;
    const std::size_t c = n / 97 % 89;
    switch (n % 4) {
        case 2:
            return fmt::format("load/{}/+/t{}", a, n);
        case 3:
            return fmt::format("load/{}/{}/t{}/#", a, c, n);
        default:
            return fmt::format("load/{}/{}/t{}", a, c, n);
    }
}

// Matches filter n, or nothing.
std::string topic(std::size_t n, bool matching) {
    const std::size_t a = n % 97;
    const std::size_t c = n / 97 % 89;
    if (!matching) return fmt::format("load/{}/{}/u{}", a, c, n);
    switch (n % 4) {
        case 2:
            return fmt::format("load/{}/x{}/t{}", a, n % 1000, n);
        case 3:
            return fmt::format("load/{}/{}/t{}/pos/{}", a, c, n, n % 16);
        default:
            return fmt::format("load/{}/{}/t{}", a, c, n);
    }
}

std::vector<std::string> filters() {
    std::vector<std::string> all;
    for (std::size_t n = 0; n < subscriptions; ++n) all.push_back(filter(n));
    return all;
}

// In random order, half of them matching.
std::vector<std::string> published() {
    std::mt19937_64 random(1);
    std::vector<std::string> all;
    for (std::size_t n = 0; n < subscriptions; ++n) {
        all.push_back(topic(random() % subscriptions, n % 2 == 0));
    }
    return all;
}

broker::Subscription from(std::size_t session) {
    broker::Subscription subscription;
    subscription.session = broker::SessionId{static_cast<std::uint32_t>(session)};
    return subscription;
}

void fill(broker::SubscriptionIndex& index, const std::vector<std::string>& all) {
    for (std::size_t n = 0; n < all.size(); ++n) index.add(all[n], from(n % 100));
}

void per_item(benchmark::State& state, std::size_t items) {
    state.counters["each"] = benchmark::Counter(
        static_cast<double>(items),
        benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void subscribe(benchmark::State& state) {
    const std::vector<std::string> all = filters();
    for (auto _ : state) {
        const std::size_t before = allocated();
        auto index = std::make_unique<broker::SubscriptionIndex>();
        fill(*index, all);
        state.PauseTiming();
        state.counters["bytes_each"] =
            static_cast<double>(allocated() - before) / static_cast<double>(all.size());
        index.reset();
        state.ResumeTiming();
    }
    per_item(state, all.size());
}

void unsubscribe(benchmark::State& state) {
    const std::vector<std::string> all = filters();
    for (auto _ : state) {
        state.PauseTiming();
        broker::SubscriptionIndex index;
        fill(index, all);
        state.ResumeTiming();
        for (std::size_t n = 0; n < all.size(); ++n) {
            index.remove(all[n], broker::SessionId{static_cast<std::uint32_t>(n % 100)});
        }
    }
    per_item(state, all.size());
}

void match(benchmark::State& state) {
    broker::SubscriptionIndex index;
    fill(index, filters());
    const std::vector<std::string> all = published();
    std::size_t found = 0;
    for (auto _ : state) {
        for (const std::string& one : all) {
            index.match(one, [&](std::span<const broker::Subscription> s) { found += s.size(); });
        }
    }
    benchmark::DoNotOptimize(found);
    per_item(state, all.size());
}

// 100,000 sessions come to one filter and go again.
void fan_out(benchmark::State& state) {
    constexpr std::size_t sessions = 100'000;
    for (auto _ : state) {
        broker::SubscriptionIndex index;
        for (std::size_t n = 0; n < sessions; ++n) index.add("news/all", from(n));
        for (std::size_t n = 0; n < sessions; ++n) {
            index.remove("news/all", broker::SessionId{static_cast<std::uint32_t>(n)});
        }
    }
    per_item(state, 2 * sessions);
}

void interest(benchmark::State& state) {
    broker::Interest shared;
    const std::vector<std::string> known = filters();
    for (std::size_t n = 0; n < known.size(); ++n) shared.add(known[n], n % 4);
    broker::InterestCache cache(shared);
    std::vector<std::string> all = published();
    all.resize(static_cast<std::size_t>(state.range(0)));
    std::uint64_t mask = 0;
    for (auto _ : state) {
        for (const std::string& one : all) mask |= cache.shards_for(one);
    }
    benchmark::DoNotOptimize(mask);
    per_item(state, all.size());
}

std::vector<broker::MessageRef> retained_messages() {
    static const std::string payload(64, 'x');
    std::vector<broker::MessageRef> all;
    for (std::size_t k = 0; k < topics; ++k) {
        const std::string name = fmt::format("load/ret/{}/{}/v{}", k % 101, k / 101 % 103, k);
        broker::MessageParts parts;
        parts.topic = name;
        parts.payload = base::as_bytes(payload);
        all.push_back(broker::Message::make(parts));
    }
    return all;
}

void retain(benchmark::State& state) {
    const std::vector<broker::MessageRef> all = retained_messages();
    for (auto _ : state) {
        const std::size_t before = allocated();
        auto store = std::make_unique<broker::RetainedStore>();
        for (const broker::MessageRef& one : all) store->set(one);
        state.PauseTiming();
        state.counters["bytes_each"] =
            static_cast<double>(allocated() - before) / static_cast<double>(all.size());
        store.reset();
        state.ResumeTiming();
    }
    per_item(state, all.size());
}

void retain_again(benchmark::State& state) {
    const std::vector<broker::MessageRef> one = retained_messages();
    const std::vector<broker::MessageRef> other = retained_messages();
    broker::RetainedStore store;
    for (auto _ : state) {
        for (const broker::MessageRef& message : one) store.set(message);
        for (const broker::MessageRef& message : other) store.set(message);
    }
    per_item(state, 2 * topics);
}

void collect(benchmark::State& state, const char* wanted) {
    broker::RetainedStore store;
    for (const broker::MessageRef& message : retained_messages()) store.set(message);
    std::size_t found = 0;
    for (auto _ : state) {
        std::vector<broker::MessageRef> out;
        store.collect(wanted, 1, out);
        found = out.size();
    }
    state.counters["found"] = static_cast<double>(found);
    per_item(state, found > 0 ? found : 1);
}

}  // namespace

BENCHMARK(subscribe)->Unit(benchmark::kMillisecond);
BENCHMARK(unsubscribe)->Unit(benchmark::kMillisecond);
BENCHMARK(match)->Unit(benchmark::kMillisecond);
BENCHMARK(fan_out)->Unit(benchmark::kMillisecond);
BENCHMARK(interest)->Arg(100)->Arg(200'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(retain)->Unit(benchmark::kMillisecond);
BENCHMARK(retain_again)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(collect, everything, "#")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(collect, prefix, "load/ret/7/#")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(collect, plus, "load/ret/+/7/+")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(collect, nothing, "other/ret/7/#")->Unit(benchmark::kMicrosecond);
