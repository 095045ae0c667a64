// The seam to the data files: an ordered map of keys to values that takes a group of writes at once
// and can be told to make it safe. RocksDB is behind it, or a test.
//
// Threads: write() and resume() one at a time; scan() and get() from any, meanwhile.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "storage/write_list.h"

namespace storage {

struct EngineError {
    enum class Kind {
        no_space,  // Nothing was written; it may be again when there is space.
        lost,      // What is on disk is not known. Trying again may seem to work, and be a lie.
    };
    Kind kind{};
    std::string text;
};

class Engine {
public:
    Engine() = default;
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    virtual ~Engine() = default;

    // All of it or nothing, also after a crash. With `sync` it survives a loss of power from then
    // on, without the end of the process only.
    virtual base::Result<void, EngineError> write(const WriteList& writes, bool sync) = 0;
    // After no_space: whether write() may be tried again.
    virtual base::Result<void, EngineError> resume() = 0;
    // Calls `each(key, value)` in the order of the keys, from `first` on, until it says false.
    virtual base::Result<void, std::string> scan(
        Bytes first, const std::function<bool(Bytes key, Bytes value)>& each) = 0;
    // Calls `use(value)` if there is such a key.
    virtual base::Result<void, std::string> get(Bytes key,
                                                const std::function<void(Bytes value)>& use) {
        return scan(key, [&](Bytes found, Bytes value) {
            if (base::as_text(found) == base::as_text(key)) use(value);
            return false;
        });
    }
};

}  // namespace storage
