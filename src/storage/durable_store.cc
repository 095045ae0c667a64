#include "storage/durable_store.h"

#include <fmt/format.h>

#include "storage/restorer.h"

namespace storage {

DurableStore::Opened DurableStore::open(std::unique_ptr<Engine> engine, const std::string& path,
                                        base::Log& log, const CommitterOptions& options) {
    std::unique_ptr<DurableStore> store(new DurableStore(std::move(engine), path, log, options));
    if (auto checked = store->check_format(); !checked) return base::fail(checked.error());
    return store;
}

base::Result<void, std::string> DurableStore::check_format() {
    bool is_empty = true;
    std::uint32_t format = 0;
    const auto scanned = engine_->scan({}, [&](Bytes key, Bytes value) {
        is_empty = false;
        const auto record = decode_record(key, value);
        if (const auto* store = record ? std::get_if<StoreRecord>(&*record) : nullptr) {
            format = store->format;
        } else if (!record && record.error() == RecordFault::newer_version) {
            format = store_format + 1;
        }
        return false;  // It is the first of all records.
    });
    if (!scanned) return base::fail(fmt::format("Error: store {}: {}", path_, scanned.error()));
    if (format == store_format) return {};
    if (format > store_format) {
        return base::fail(fmt::format(
            "Error: store {} has format {}, and this nightjar reads formats up to {}: start the "
            "version that wrote it, or name another place.",
            path_, format, store_format));
    }
    is_new_ = is_empty;
    if (is_new_) return {};
    if (format == 0) {
        log_.print(base::LogType::error, "Error: store {} has no format record.", path_);
    } else {
        log_.print(base::LogType::notice,
                   "Store {} has format {} and gets format {}: an older nightjar cannot read it "
                   "any more.",
                   path_, format, store_format);
    }
    return fill({});
}

base::Result<void, std::string> DurableStore::fill(const broker::ChangeBatch& changes) {
    WriteList writes;
    put(writes, StoreRecord{});
    Ledger().write(changes, writes);  // Not ours: restore() will find all of it.
    if (const auto written = engine_->write(writes, sync_); !written) {
        return base::fail(fmt::format("Error: store {}: {}", path_, written.error().text));
    }
    is_filled_ = true;
    return {};
}

void DurableStore::restore(const std::function<void(const broker::Change&)>& each) {
    if (is_new_ && !is_filled_) {
        if (const auto filled = fill({}); !filled) {
            restore_error_ = filled.error();
            return;
        }
    }
    Restorer restorer(*engine_, ledger_, log_, each, restored_bytes_max());
    const auto scanned = engine_->scan({}, [&](Bytes key, Bytes value) {
        restorer.apply(key, value);
        return true;
    });
    if (!scanned) {
        restore_error_ = fmt::format("Error: store {}: {}", path_, scanned.error());
        return;
    }
    const WriteList mended = restorer.finish();
    if (!mended.empty()) {
        if (const auto written = engine_->write(mended, sync_); !written) {
            restore_error_ = fmt::format("Error: store {}: {}", path_, written.error().text);
            return;
        }
    }
    committer_.start([this](std::uint32_t shard) { wake(shard); });
    reader_.start([this](std::uint32_t shard) { wake(shard); });
}

broker::CommitNumber DurableStore::append(std::uint32_t shard, broker::ChangeBatch& batch) {
    return committer_.append(shard, batch);
}

void DurableStore::finish() {
    reader_.finish();
    committer_.finish();
}

broker::CommitNumber DurableStore::committed(std::uint32_t shard) const {
    return committer_.committed(shard);
}

}  // namespace storage
