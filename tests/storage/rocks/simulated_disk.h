// A disk below RocksDB that loses power, tears what it was writing, fills up, or breaks.
//
// Real files in a folder, which it counts: how far each was written, and how far it was synced.
// After cut() nothing gets through; lose_unsynced() then leaves of each file what was synced, and
// of what follows a part, as chance will have it. Names (making, renaming, deleting a file) are
// safe at once, as a journal of the file system makes them in their order.
//
// Threads: any.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>

namespace rocksdb {
class Env;
}

namespace storage {

class SimulatedDisk {
public:
    SimulatedDisk();
    SimulatedDisk(const SimulatedDisk&) = delete;
    SimulatedDisk& operator=(const SimulatedDisk&) = delete;
    ~SimulatedDisk();

    // For RocksOptions::env.
    rocksdb::Env* env() { return env_.get(); }

    void cut();
    // After a cut, with nothing open: the power is back. Without `random` only what was synced
    // stays.
    void lose_unsynced(std::mt19937* random);
    // So many bytes more can be written.
    void set_free(std::size_t bytes);
    // Each sync fails, and loses what it should have made safe.
    void break_syncs(bool broken);
    std::size_t syncs() const;

    // What the files ask; an empty answer is yes.
    enum class Answer { yes, no_space, broken };
    Answer write(const std::string& path, std::size_t bytes);
    Answer sync(const std::string& path);
    void begin(const std::string& path, std::size_t size);
    void rename(const std::string& from, const std::string& to);
    void remove(const std::string& path);
    bool is_cut() const;

private:
    struct File {
        std::size_t written = 0;
        std::size_t synced = 0;
    };

    mutable std::mutex mutex_;
    std::map<std::string, File> files_;
    std::size_t free_bytes_ = SIZE_MAX;
    std::size_t syncs_ = 0;
    bool is_cut_ = false;
    bool are_syncs_broken_ = false;
    std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace storage
