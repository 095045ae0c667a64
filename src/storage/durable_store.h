// The Store of the levels process and disk: sessions, what waits for them, and what is retained, as
// records behind an Engine.
//
// Owned by the server (or a test). Threads: as broker::Store says, and two of its own until
// finish(): one writes, from the end of restore() on, one reads queues back, once it is asked to.
#pragma once

#include <memory>

#include "storage/committer.h"
#include "storage/queue_reader.h"

namespace storage {

class DurableStore : public broker::Store {
public:
    using Opened = base::Result<std::unique_ptr<DurableStore>, std::string>;
    // Fails with a sentence that names `path`, where the engine's data is, if a newer version has
    // written it. Nothing is changed then.
    static Opened open(std::unique_ptr<Engine> engine, const std::string& path, base::Log& log,
                       const CommitterOptions& options);

    bool records() const override { return true; }
    broker::CommitNumber append(std::uint32_t shard, broker::ChangeBatch& batch) override;
    broker::CommitNumber committed(std::uint32_t shard) const override;
    bool is_behind() const override { return committer_.is_behind(); }
    broker::StoreFigures figures() const override { return committer_.figures(); }
    // What a new store begins with: all of it, or it stays new. Before restore().
    base::Result<void, std::string> fill(const broker::ChangeBatch& changes);
    // Once, before the first append(). What is damaged is set aside.
    void restore(const std::function<void(const broker::Change&)>& each) override;
    bool reads_queues() const override { return true; }
    void read_queue(std::uint32_t shard, const broker::QueueRequest& request) override {
        reader_.ask(shard, request);
    }
    std::vector<broker::QueueSlice> take_slices(std::uint32_t shard) override {
        return reader_.take(shard);
    }
    bool has_failed() const override { return committer_.has_failed(); }
    bool is_out_of_space() const override { return committer_.is_out_of_space(); }
    void finish() override;
    // Without a thread (CommitterOptions::has_thread): what that would do next.
    WriteAttempt write_group() { return committer_.write_group(); }

    // Not empty: the last restore() could not read the store to its end, which a sentence explains.
    const std::string& restore_error() const { return restore_error_; }
    // True if there was no store before.
    bool is_new() const { return is_new_; }

private:
    DurableStore(std::unique_ptr<Engine> engine, std::string path, base::Log& log,
                 const CommitterOptions& options)
        : engine_(std::move(engine)),
          path_(std::move(path)),
          log_(log),
          sync_(options.sync),
          committer_(*engine_, ledger_, log, options),
          reader_(*engine_) {}
    base::Result<void, std::string> check_format();

    std::unique_ptr<Engine> engine_;
    std::string path_;
    base::Log& log_;
    bool sync_;
    bool is_new_ = false;
    bool is_filled_ = false;
    std::string restore_error_;
    Ledger ledger_;
    Committer committer_;
    QueueReader reader_;
};

}  // namespace storage
