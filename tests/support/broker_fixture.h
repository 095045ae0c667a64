// The fixture of all tests about what the broker means. A test sets `options`, `listener` and
// `shards`, then speaks; the broker is made by its first word.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "support/test_client.h"

namespace support {

using namespace std::chrono_literals;

class BrokerTest : public ::testing::Test {
protected:
    void TearDown() override;

    BrokerWorld& world();
    // The broker and its connections are gone at once, as by kill -9, and `away` later a new one
    // starts on `store`.
    void restart(std::chrono::milliseconds away = 0ms);
    // The client of that name, made when it is first named. `client_id` if it is another.
    TestClient& client(const std::string& name);
    TestClient& client(const std::string& name, const std::string& client_id);
    void advance(std::chrono::milliseconds duration) { world().advance(duration); }
    std::uint64_t count(broker::Counter broker::Counters::*counter) {
        return world().count(counter);
    }
    // A client id that belongs to `shard`.
    std::string id_on(std::uint32_t shard, const std::string& prefix);

    broker::Options options;
    broker::ListenerOptions listener;
    std::uint32_t shards = 1;
    broker::Store* store = nullptr;  // Null = level memory. Outlives the test's last word.

private:
    std::unique_ptr<BrokerWorld> world_;
    std::map<std::string, std::unique_ptr<TestClient>> clients_;
};

}  // namespace support
