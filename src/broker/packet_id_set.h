// The packet identifiers of QoS 2 messages that a client has sent and not yet released with PUBREL:
// a second PUBLISH with one of them is a repeat, not a new message [MQTT-4.3.3-10].
//
// Few at a time (a client's window), released in order, so a vector; a client that keeps many pays
// 8 KB for a bitmap instead, and never more.
#pragma once

#include <algorithm>
#include <bitset>
#include <memory>
#include <vector>

#include "mqtt/types.h"

namespace broker {

class PacketIdSet {
public:
    bool contains(mqtt::PacketId id) const {
        if (bits_) return bits_->test(id);
        return std::find(few_.begin(), few_.end(), id) != few_.end();
    }
    // False if it was there.
    bool insert(mqtt::PacketId id) {
        if (contains(id)) return false;
        if (!bits_ && few_.size() >= few_max) spill();
        if (bits_) {
            bits_->set(id);
        } else {
            few_.push_back(id);
        }
        ++size_;
        return true;
    }
    // False if it was not there.
    bool erase(mqtt::PacketId id) {
        if (!contains(id)) return false;
        if (bits_) {
            bits_->reset(id);
        } else {
            few_.erase(std::find(few_.begin(), few_.end(), id));
        }
        --size_;
        return true;
    }
    std::size_t size() const { return size_; }

private:
    static constexpr std::size_t few_max = 128;
    void spill() {
        bits_ = std::make_unique<std::bitset<65'536>>();
        for (const mqtt::PacketId id : few_) bits_->set(id);
        few_.clear();
        few_.shrink_to_fit();
    }

    std::vector<mqtt::PacketId> few_;
    std::unique_ptr<std::bitset<65'536>> bits_;
    std::size_t size_ = 0;
};

}  // namespace broker
