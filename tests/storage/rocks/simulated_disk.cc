#include "storage/rocks/simulated_disk.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <filesystem>

namespace storage {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using FilePointer = std::unique_ptr<FSWritableFile>;

IOStatus status_of(SimulatedDisk::Answer answer) {
    if (answer == SimulatedDisk::Answer::yes) return IOStatus::OK();
    if (answer == SimulatedDisk::Answer::no_space) return IOStatus::NoSpace("on purpose");
    return IOStatus::IOError("on purpose");
}

class CountedFile : public rocksdb::FSWritableFileOwnerWrapper {
public:
    CountedFile(SimulatedDisk& disk, std::string path, FilePointer&& file)
        : FSWritableFileOwnerWrapper(std::move(file)), disk_(disk), path_(std::move(path)) {}

    IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                    IODebugContext* debug) override {
        const IOStatus answer = status_of(disk_.write(path_, data.size()));
        return answer.ok() ? target()->Append(data, options, debug) : answer;
    }
    IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                    const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
        return Append(data, options, debug);
    }
    // The real sync would cost a thousand times as much, and be of no use here.
    IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
        const IOStatus answer = status_of(disk_.sync(path_));
        return answer.ok() ? target()->Flush(options, debug) : answer;
    }
    IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
        return Sync(options, debug);
    }
    IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
        return IOStatus::OK();
    }

private:
    SimulatedDisk& disk_;
    std::string path_;
};

class CountedFolder : public rocksdb::FSDirectory {
    IOStatus Fsync(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
};

class CountedFiles : public rocksdb::FileSystemWrapper {
public:
    explicit CountedFiles(SimulatedDisk& disk)
        : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(disk) {}
    static const char* kClassName() { return "CountedFiles"; }
    const char* Name() const override { return kClassName(); }

    IOStatus NewWritableFile(const std::string& path, const FileOptions& options, FilePointer* file,
                             IODebugContext* debug) override {
        return count(path, target()->NewWritableFile(path, options, file, debug), file);
    }
    IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                                FilePointer* file, IODebugContext* debug) override {
        return count(path, target()->ReopenWritableFile(path, options, file, debug), file);
    }
    IOStatus NewDirectory(const std::string&, const IOOptions&,
                          std::unique_ptr<rocksdb::FSDirectory>* folder, IODebugContext*) override {
        *folder = std::make_unique<CountedFolder>();
        return IOStatus::OK();
    }
    IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                        IODebugContext* debug) override {
        if (disk_.is_cut()) return IOStatus::IOError("on purpose");
        disk_.rename(from, to);
        return target()->RenameFile(from, to, options, debug);
    }
    IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                        IODebugContext* debug) override {
        if (disk_.is_cut()) return IOStatus::IOError("on purpose");
        disk_.remove(path);
        return target()->DeleteFile(path, options, debug);
    }
    IOStatus GetFreeSpace(const std::string&, const IOOptions&, std::uint64_t* bytes,
                          IODebugContext*) override {
        *bytes = std::uint64_t{1} << 40;
        return IOStatus::OK();
    }

private:
    IOStatus count(const std::string& path, const IOStatus& made, FilePointer* file) {
        if (!made.ok()) return made;
        if (disk_.is_cut()) return IOStatus::IOError("on purpose");
        std::error_code none;
        const auto size = std::filesystem::file_size(path, none);
        disk_.begin(path, none ? 0 : static_cast<std::size_t>(size));
        *file = std::make_unique<CountedFile>(disk_, path, std::move(*file));
        return made;
    }

    SimulatedDisk& disk_;
};

}  // namespace

SimulatedDisk::SimulatedDisk()
    : env_(rocksdb::NewCompositeEnv(std::make_shared<CountedFiles>(*this))) {}

SimulatedDisk::~SimulatedDisk() = default;

void SimulatedDisk::cut() {
    const std::lock_guard lock(mutex_);
    is_cut_ = true;
}

bool SimulatedDisk::is_cut() const {
    const std::lock_guard lock(mutex_);
    return is_cut_;
}

void SimulatedDisk::lose_unsynced(std::mt19937* random) {
    const std::lock_guard lock(mutex_);
    for (auto& [path, file] : files_) {
        std::error_code gone;
        const std::size_t on_disk = std::filesystem::file_size(path, gone);
        if (gone || on_disk <= file.synced) continue;
        std::uniform_int_distribution<std::size_t> kept(file.synced, on_disk);
        const bool is_torn = random && (*random)() % 3 != 0;
        std::filesystem::resize_file(path, is_torn ? kept(*random) : file.synced);
    }
    files_.clear();
    is_cut_ = false;
}

void SimulatedDisk::set_free(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    free_bytes_ = bytes;
}

void SimulatedDisk::break_syncs(bool broken) {
    const std::lock_guard lock(mutex_);
    are_syncs_broken_ = broken;
}

std::size_t SimulatedDisk::syncs() const {
    const std::lock_guard lock(mutex_);
    return syncs_;
}

SimulatedDisk::Answer SimulatedDisk::write(const std::string& path, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (is_cut_) return Answer::broken;
    if (bytes > free_bytes_) return Answer::no_space;
    if (free_bytes_ != SIZE_MAX) free_bytes_ -= bytes;
    files_[path].written += bytes;
    return Answer::yes;
}

SimulatedDisk::Answer SimulatedDisk::sync(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (is_cut_ || are_syncs_broken_) return Answer::broken;
    ++syncs_;
    File& file = files_[path];
    file.synced = file.written;
    return Answer::yes;
}

void SimulatedDisk::begin(const std::string& path, std::size_t size) {
    const std::lock_guard lock(mutex_);
    files_[path] = {size, size};
}

void SimulatedDisk::rename(const std::string& from, const std::string& to) {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(from);
    if (found == files_.end()) return;
    files_[to] = found->second;
    files_.erase(found);
}

void SimulatedDisk::remove(const std::string& path) {
    const std::lock_guard lock(mutex_);
    files_.erase(path);
}

}  // namespace storage
