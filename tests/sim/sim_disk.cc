#include "sim/sim_disk.h"

namespace sim {
namespace {

using storage::EngineError;
using storage::WriteList;

std::string text(storage::Bytes bytes) {
    return std::string(base::as_text(bytes));
}

void apply(std::map<std::string, std::string>& records, const WriteList::Write& one) {
    if (one.action == WriteList::Action::put) {
        records[text(one.first)] = text(one.second);
    } else if (one.action == WriteList::Action::erase) {
        records.erase(text(one.first));
    } else {
        records.erase(records.lower_bound(text(one.first)), records.lower_bound(text(one.second)));
    }
}

}  // namespace

class SimDisk::Engine : public storage::Engine {
public:
    explicit Engine(SimDisk& disk) : disk_(disk) {}

    base::Result<void, EngineError> write(const WriteList& writes, bool sync) override {
        return disk_.write(writes, sync);
    }
    base::Result<void, EngineError> resume() override { return {}; }
    base::Result<void, std::string> scan(
        storage::Bytes first,
        const std::function<bool(storage::Bytes key, storage::Bytes value)>& each) override {
        for (auto at = disk_.records_.lower_bound(text(first)); at != disk_.records_.end(); ++at) {
            if (!each(base::as_bytes(at->first), base::as_bytes(at->second))) break;
        }
        return {};
    }

private:
    SimDisk& disk_;
};

std::unique_ptr<storage::Engine> SimDisk::open() {
    return std::make_unique<Engine>(*this);
}

base::Result<void, EngineError> SimDisk::write(const WriteList& writes, bool sync) {
    if (is_full_) return base::fail(EngineError{EngineError::Kind::no_space, "the disk is full"});
    const bool happens = !is_broken_ || random_.percent(50);
    if (happens) {
        if (is_forgetful_) before_last_sync_ = records_;
        if (!sync) unsynced_.push_back(records_);
        writes.for_each([this](const WriteList::Write& one) { apply(records_, one); });
        if (sync) unsynced_.clear();
    }
    if (is_broken_) return base::fail(EngineError{EngineError::Kind::lost, "the disk is broken"});
    return {};
}

void SimDisk::cut_power() {
    is_broken_ = false;
    if (is_forgetful_) records_ = before_last_sync_;
    if (unsynced_.empty()) return;
    const std::size_t kept = random_.between(0, unsynced_.size());
    if (kept < unsynced_.size()) records_ = unsynced_[kept];
    unsynced_.clear();
}

}  // namespace sim
