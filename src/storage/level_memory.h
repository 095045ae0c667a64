// The Store of durability level memory: nothing outlives the process. It says so once, and the
// shards then make no changes at all.
#pragma once

#include "broker/store.h"

namespace storage {

class LevelMemory : public broker::Store {
public:
    bool records() const override { return false; }
    broker::CommitNumber append(std::uint32_t, broker::ChangeBatch& batch) override {
        batch.clear();
        return 0;
    }
    broker::CommitNumber committed(std::uint32_t) const override { return 0; }
    void restore(const std::function<void(const broker::Change&)>&) override {}
};

}  // namespace storage
