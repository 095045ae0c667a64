#include "base/timer_wheel.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace base {
namespace {

constexpr std::uint64_t second = 1000;
constexpr std::uint64_t day = second * 3600 * 24;

// A timer that runs a function.
struct Alarm {
    explicit Alarm(std::function<void()> action) : act(std::move(action)) {}
    std::function<void()> act;
    Timer timer{[](Timer&, void* self) { static_cast<Alarm*>(self)->act(); }, this};
};

TEST(TimerWheel, FiresNeverEarlyAndAtMostOneTickLate) {
    struct Row {
        const char* sentence;
        std::uint64_t start_ms, after_ms;
    };
    const Row rows[] = {
        {"at once", 0, 0},
        {"in the past of a wheel that starts late", 7 * day, 0},
        {"within the tick", 12'345, 1},
        {"on the tick", 0, 100},
        {"last of level 0", 0, 6'300},
        {"first of level 1", 0, 6'400},
        {"level 1 from an odd start", 6'399, 6'400},
        {"a whole round of level 1", 40'950, 409'500},
        {"level 2", 99'999, 3600 * second},
        {"level 3", 5, 10 * day},
        {"the horizon", 5, 1'677'721'500},
        {"beyond the horizon", 123'456'789, 100 * day},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        TimerWheel wheel(row.start_ms);
        int fired = 0;
        Alarm alarm([&] { ++fired; });
        const std::uint64_t deadline = row.start_ms + row.after_ms;
        wheel.add(alarm.timer, deadline);

        // Follow the wheel's own wish: this is how an idle loop sleeps.
        std::uint64_t now = row.start_ms;
        int wake_ups = 0;
        while (wheel.size() > 0) {
            ASSERT_TRUE(wheel.next_deadline_ms().has_value());
            ASSERT_GT(*wheel.next_deadline_ms(), now);
            now = *wheel.next_deadline_ms();
            wheel.fire_due(now - 1);
            ASSERT_EQ(fired, 0) << "before its deadline";
            wheel.fire_due(now);
            ++wake_ups;
        }
        EXPECT_EQ(fired, 1);
        EXPECT_GE(now, deadline);
        EXPECT_LE(now, deadline + TimerWheel::tick_ms);
        EXPECT_LE(wake_ups, 16);
        EXPECT_FALSE(wheel.next_deadline_ms().has_value());
    }
}

TEST(TimerWheel, CatchesUpAfterALongSleepInOneCall) {
    TimerWheel wheel(0);
    std::vector<int> fired;
    Alarm late([&] { fired.push_back(2); });
    Alarm soon([&] { fired.push_back(1); });
    Alarm never([&] { fired.push_back(3); });
    wheel.add(late.timer, 3 * day);
    wheel.add(soon.timer, 5 * second);
    wheel.add(never.timer, 400 * day);
    wheel.fire_due(300 * day);
    EXPECT_EQ(fired, (std::vector<int>{1, 2}));
    EXPECT_EQ(wheel.size(), 1U);
}

TEST(TimerWheel, ManyThatAreDueAtOneInstantMayFireInSlicesEachOnce) {
    TimerWheel wheel(0);
    int fired = 0;
    std::vector<std::unique_ptr<Alarm>> alarms;
    for (int i = 0; i < 2500; ++i) {
        alarms.push_back(std::make_unique<Alarm>([&] { ++fired; }));
        wheel.add(alarms.back()->timer, 10'000);
    }
    int later = 0;
    Alarm next([&] { ++later; });
    wheel.add(next.timer, 10'100);
    EXPECT_TRUE(wheel.fire_due(20'000, 1000));
    EXPECT_EQ(fired, 1000);
    EXPECT_EQ(wheel.next_deadline_ms(), 10'000U) << "more is due already";
    alarms[0].reset();  // Whether it has fired or not.
    EXPECT_TRUE(wheel.fire_due(20'000, 1000));
    EXPECT_EQ(later, 0) << "the order of the deadlines is kept";
    EXPECT_FALSE(wheel.fire_due(20'000, 1000));
    EXPECT_GE(fired, 2499);
    EXPECT_EQ(later, 1);
    EXPECT_FALSE(wheel.next_deadline_ms());
    EXPECT_FALSE(wheel.fire_due(30'000, 1000));
}

TEST(TimerWheel, ACallbackMayArmItselfAgainWithoutRunningForEver) {
    TimerWheel wheel(0);
    int fired = 0;
    std::unique_ptr<Alarm> alarm;
    alarm = std::make_unique<Alarm>([&] {
        ++fired;
        wheel.add(alarm->timer, 0);
    });
    wheel.add(alarm->timer, 0);
    wheel.fire_due(1000);
    EXPECT_EQ(fired, 10) << "once a tick";
    EXPECT_TRUE(alarm->timer.is_armed());
}

TEST(TimerWheel, ACallbackMayDestroyItselfAndItsNeighbours) {
    TimerWheel wheel(0);
    std::vector<std::unique_ptr<Alarm>> alarms;
    int fired = 0;
    for (int i = 0; i < 5; ++i) {
        alarms.push_back(std::make_unique<Alarm>([&] {
            ++fired;
            alarms.clear();
        }));
        wheel.add(alarms.back()->timer, 500);
    }
    wheel.fire_due(10'000);
    EXPECT_EQ(fired, 1);
    EXPECT_EQ(wheel.size(), 0U);
}

TEST(TimerWheel, AWheelThatDiesFirstDisarmsItsTimers) {
    Alarm alarm([] {});
    {
        TimerWheel wheel(0);
        wheel.add(alarm.timer, day);
        EXPECT_TRUE(alarm.timer.is_armed());
    }
    EXPECT_FALSE(alarm.timer.is_armed());
    alarm.timer.cancel();
}

// Random arming, cancelling, dying, inside and outside of callbacks, against a sorted map.
class WheelModel {
public:
    explicit WheelModel(unsigned seed) : random_(seed), now_(pick(3 * day)), wheel_(now_) {}

    void run(int steps) {
        for (int i = 0; i < steps; ++i) {
            const std::uint64_t choice = pick(10);
            if (choice < 5) arm(pick(count));
            if (choice == 5) disarm(pick(count));
            if (choice >= 6) advance(some_time());
            ASSERT_EQ(wheel_.size(), deadlines_.size());
        }
        advance(1000 * day);
    }

private:
    static constexpr std::size_t count = 200;

    std::uint64_t pick(std::uint64_t end) { return random_() % end; }
    std::uint64_t some_time() {
        const std::uint64_t spans[] = {50, 500, 7'000, 500'000, day, 30 * day};
        return pick(spans[pick(6)]);
    }
    void arm(std::size_t index) {
        if (!alarms_[index]) {
            alarms_[index] = std::make_unique<Alarm>([this, index] { fired(index); });
        }
        deadlines_[index] = now_ + some_time();
        armed_at_[index] = now_;
        wheel_.add(alarms_[index]->timer, deadlines_[index]);
    }
    void disarm(std::size_t index) {
        if (!alarms_[index]) return;
        deadlines_.erase(index);
        if (pick(2) == 0) {
            alarms_[index]->timer.cancel();
        } else {
            alarms_[index].reset();
        }
    }
    void fired(std::size_t index) {
        ASSERT_EQ(deadlines_.count(index), 1U) << "fired though not armed";
        ASSERT_LE(deadlines_[index], now_) << "early";
        deadlines_.erase(index);
        if (pick(4) == 0) arm(pick(count));
        if (pick(4) == 0) arm(index);
        if (pick(4) == 0) disarm(pick(count));
        if (pick(4) == 0 && deadlines_.count(index) == 0) alarms_[index].reset();
    }
    void advance(std::uint64_t ms) {
        const auto next = wheel_.next_deadline_ms();
        for (const auto& [index, deadline] : deadlines_) {
            ASSERT_LE(*next, std::max(deadline, now_) + 2 * TimerWheel::tick_ms);
        }
        now_ += ms;
        wheel_.fire_due(now_);
        for (const auto& [index, deadline] : deadlines_) {
            // One tick for rounding, one for having been armed in the tick that just ran.
            ASSERT_GT(std::max(deadline, armed_at_[index]) + 2 * TimerWheel::tick_ms, now_)
                << "missed";
        }
    }

    std::mt19937_64 random_;
    std::uint64_t now_;
    TimerWheel wheel_;
    std::map<std::size_t, std::uint64_t> deadlines_;
    std::array<std::uint64_t, count> armed_at_{};
    std::array<std::unique_ptr<Alarm>, count> alarms_;
};

TEST(TimerWheel, AgreesWithASortedMap) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(seed);
        WheelModel(seed).run(3000);
        if (HasFatalFailure()) return;
    }
}

}  // namespace
}  // namespace base
