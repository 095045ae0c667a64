#include "storage/rocks_engine.h"

#include <fmt/format.h>

#ifdef NIGHTJAR_ROCKSDB
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "storage/record.h"

namespace storage {

const bool has_rocksdb = true;

std::string rocksdb_version() {
    return fmt::format("RocksDB {}.{}.{}", ROCKSDB_MAJOR, ROCKSDB_MINOR, ROCKSDB_PATCH);
}

namespace {

rocksdb::Slice slice(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes bytes(const rocksdb::Slice& slice) {
    return base::as_bytes({slice.data(), slice.size()});
}

EngineError error_of(const rocksdb::Status& status) {
    const bool is_space =
        status.IsNoSpace() || status.subcode() == rocksdb::Status::SubCode::kSpaceLimit;
    return {is_space ? EngineError::Kind::no_space : EngineError::Kind::lost, status.ToString()};
}

base::Result<void, EngineError> result_of(const rocksdb::Status& status) {
    if (!status.ok()) return base::fail(error_of(status));
    return {};
}

class RocksEngine : public Engine {
public:
    explicit RocksEngine(std::unique_ptr<rocksdb::DB> db) : db_(std::move(db)) {}
    // At level process the last groups are in the system's memory only: a clean end leaves nothing
    // to a power cut. After an error RocksDB must not be asked to sync: it asserts that nobody
    // does.
    ~RocksEngine() override {
        if (!has_error_) db_->SyncWAL().PermitUncheckedError();
        db_->Close().PermitUncheckedError();
    }

    base::Result<void, EngineError> write(const WriteList& writes, bool sync) override {
        batch_.Clear();
        writes.for_each([this](const WriteList::Write& one) { add(one); });
        rocksdb::WriteOptions options;
        options.sync = sync;
        const rocksdb::Status status = db_->Write(options, &batch_);
        has_error_ = !status.ok();
        return result_of(status);
    }

    // RocksDB looks for space by itself, too, and may be at it.
    base::Result<void, EngineError> resume() override {
        const rocksdb::Status status = db_->Resume();
        if (status.ok()) return {};
        EngineError error = error_of(status);
        if (status.IsBusy()) error.kind = EngineError::Kind::no_space;
        return base::fail(std::move(error));
    }

    base::Result<void, std::string> scan(
        Bytes first, const std::function<bool(Bytes key, Bytes value)>& each) override {
        rocksdb::ReadOptions options;
        if (first.empty()) {  // A pass over everything.
            options.fill_cache = false;
            options.readahead_size = std::size_t{1} << 20;
        }
        const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options));
        for (at->Seek(slice(first)); at->Valid(); at->Next()) {
            if (!each(bytes(at->key()), bytes(at->value()))) return {};
        }
        if (!at->status().ok()) return base::fail(at->status().ToString());
        return {};
    }

    base::Result<void, std::string> get(Bytes key,
                                        const std::function<void(Bytes value)>& use) override {
        rocksdb::PinnableSlice value;
        const rocksdb::Status status = db_->Get({}, db_->DefaultColumnFamily(), slice(key), &value);
        if (status.ok()) use(bytes(value));
        if (!status.ok() && !status.IsNotFound()) return base::fail(status.ToString());
        return {};
    }

private:
    void add(const WriteList::Write& one) {
        rocksdb::Status added;
        switch (one.action) {
            case WriteList::Action::put:
                added = batch_.Put(slice(one.first), slice(one.second));
                break;
            case WriteList::Action::erase:
                added = batch_.Delete(slice(one.first));
                break;
            case WriteList::Action::erase_range:
                added = batch_.DeleteRange(slice(one.first), slice(one.second));
                break;
        }
        ASSERT(added.ok());  // It is memory only.
    }

    std::unique_ptr<rocksdb::DB> db_;
    rocksdb::WriteBatch batch_;
    bool has_error_ = false;
};

// For the keys of a run RocksDB begins to look for the place of the next where it has put the last.
class Runs : public rocksdb::SliceTransform {
public:
    const char* Name() const override { return "nightjar.runs"; }
    rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
        return {key.data(), run_prefix_size(bytes(key))};
    }
    bool InDomain(const rocksdb::Slice& key) const override {
        return run_prefix_size(bytes(key)) > 0;
    }
};

// LZ4, or what this RocksDB has been built with.
rocksdb::CompressionType compression() {
    const auto known = rocksdb::GetSupportedCompressions();
    const bool has_lz4 =
        std::find(known.begin(), known.end(), rocksdb::kLZ4Compression) != known.end();
    return has_lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
}

rocksdb::Options rocks_options(const RocksOptions& wanted) {
    constexpr std::size_t mib = std::size_t{1} << 20;
    rocksdb::Options options;
    options.create_if_missing = !wanted.read_only;
    if (wanted.env) options.env = static_cast<rocksdb::Env*>(wanted.env);
    // The end of the log may be torn, since what is there was not acknowledged. A fault in front of
    // that is damage, and is told.
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    options.write_buffer_size = 8 * mib;
    options.max_write_buffer_number = 3;
    options.max_total_wal_size = 64 * mib;
    options.target_file_size_base = 16 * mib;
    options.max_bytes_for_level_base = 64 * mib;
    options.level_compaction_dynamic_level_bytes = true;
    // What is queued is written twice, to the log and out of it. This many files wait until they
    // are merged, which would be a third time, so that what is done with by then never is.
    options.level0_file_num_compaction_trigger = 12;
    options.max_background_jobs = 2;
    options.max_open_files = 64;
    options.compression = compression();
    options.allow_concurrent_memtable_write = false;  // One thread writes.
    options.memtable_insert_with_hint_prefix_extractor = std::make_shared<Runs>();
    options.max_manifest_file_size = 4 * mib;
    options.keep_log_file_num = 2;
    options.max_log_file_size = mib;
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(4 * mib);
    table.block_size = std::uint64_t{16} * 1024;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

std::string open_error(const std::string& path, const rocksdb::Status& status) {
    const std::string text = status.ToString();
    if (status.IsIOError() && text.find("lock") != std::string::npos) {
        return fmt::format("Error: store {} is in use by another process ({}).", path, text);
    }
    if (status.IsCorruption()) {
        return fmt::format(
            "Error: store {} is damaged: {}. It is left as it is: put a copy of it back, or move "
            "it away to begin anew.",
            path, text);
    }
    return fmt::format("Error: store {} cannot be opened: {}.", path, text);
}

}  // namespace

OpenedEngine open_rocks_engine(const std::string& path, const RocksOptions& options) {
    constexpr mode_t owner_only = 0700;
    const bool may_make = !options.read_only && !options.env;
    if (may_make && mkdir(path.c_str(), owner_only) != 0 && errno != EEXIST) {
        return base::fail(fmt::format("Error: store {} cannot be made: {}.", path,
                                      std::generic_category().message(errno)));
    }
    rocksdb::DB* db = nullptr;
    const rocksdb::Options native = rocks_options(options);
    const rocksdb::Status status = options.read_only
                                       ? rocksdb::DB::OpenForReadOnly(native, path, &db)
                                       : rocksdb::DB::Open(native, path, &db);
    if (!status.ok()) return base::fail(open_error(path, status));
    return std::make_unique<RocksEngine>(std::unique_ptr<rocksdb::DB>(db));
}

}  // namespace storage

#else

namespace storage {

const bool has_rocksdb = false;

std::string rocksdb_version() {
    return {};
}

OpenedEngine open_rocks_engine(const std::string& path, const RocksOptions&) {
    return base::fail(fmt::format(
        "Error: store {} cannot be opened: this build has no RocksDB (librocksdb-dev).", path));
}

}  // namespace storage

#endif
