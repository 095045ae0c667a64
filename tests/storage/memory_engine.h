// An Engine in memory that can be slow, full or broken. Threads: one writes, others may look.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "storage/engine.h"

namespace storage {

class MemoryEngine : public Engine {
public:
    using Records = std::map<std::string, std::string>;

    base::Result<void, EngineError> write(const WriteList& writes, bool sync) override {
        std::unique_lock lock(mutex_);
        ++tries_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !is_held_; });
        if (fault_) return base::fail(EngineError{*fault_, "on purpose"});
        ++writes_;
        if (sync) ++syncs_;
        writes.for_each([this](const WriteList::Write& one) { apply(one); });
        return {};
    }
    base::Result<void, EngineError> resume() override { return {}; }
    base::Result<void, std::string> scan(
        Bytes first, const std::function<bool(Bytes key, Bytes value)>& each) override {
        const Records all = records();
        if (const std::string fault = get(scan_fault_); !fault.empty()) return base::fail(fault);
        for (auto at = all.lower_bound(text(first)); at != all.end(); ++at) {
            if (!each(base::as_bytes(at->first), base::as_bytes(at->second))) break;
        }
        return {};
    }

    // The next write() does not return before release().
    void hold() {
        set([this] { is_held_ = true; });
    }
    void release() {
        set([this] { is_held_ = false; });
    }
    void break_by(std::optional<EngineError::Kind> fault) {
        set([&] { fault_ = fault; });
    }
    // Every scan fails with that; empty = none does.
    void break_scans(std::string fault) {
        set([&] { scan_fault_ = std::move(fault); });
    }
    // Returns when write() has been called so often, with success or not.
    void wait_for_tries(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return tries_ >= count; });
    }
    std::size_t tries() const { return get(tries_); }
    std::size_t writes() const { return get(writes_); }
    std::size_t syncs() const { return get(syncs_); }
    Records records() const { return get(records_); }
    void put(const std::string& key, const std::string& value) {
        set([&] { records_[key] = value; });
    }

private:
    static std::string text(Bytes bytes) { return std::string(base::as_text(bytes)); }
    void apply(const WriteList::Write& one) {
        if (one.action == WriteList::Action::put) {
            records_[text(one.first)] = text(one.second);
        } else if (one.action == WriteList::Action::erase) {
            records_.erase(text(one.first));
        } else {
            records_.erase(records_.lower_bound(text(one.first)),
                           records_.lower_bound(text(one.second)));
        }
    }
    template <typename Change>
    void set(Change&& change) {
        const std::lock_guard lock(mutex_);
        change();
        changed_.notify_all();
    }
    template <typename Value>
    Value get(const Value& value) const {
        const std::lock_guard lock(mutex_);
        return value;
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Records records_;
    std::optional<EngineError::Kind> fault_;
    std::string scan_fault_;
    std::size_t tries_ = 0;
    std::size_t writes_ = 0;
    std::size_t syncs_ = 0;
    bool is_held_ = false;
};

}  // namespace storage
