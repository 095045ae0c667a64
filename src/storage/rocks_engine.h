// The Engine on RocksDB, the only file that knows its headers. A build without RocksDB has no
// engine, and says so.
//
// Sized for a small machine: 8 MiB for what is written before it is sorted (three of these at the
// most), 4 MiB of blocks that are read, 64 open files.
#pragma once

#include <memory>
#include <string>

#include "storage/engine.h"

namespace storage {

extern const bool has_rocksdb;
// "RocksDB 7.8.3"; empty without it.
std::string rocksdb_version();

struct RocksOptions {
    bool read_only = false;  // Of a store that exists; nothing is changed.
    // Of a test: a rocksdb::Env that stands between RocksDB and the disk, and outlives the engine.
    void* env = nullptr;
};

using OpenedEngine = base::Result<std::unique_ptr<Engine>, std::string>;
// Makes the directory if it is not there, for its owner only. Fails with a sentence.
OpenedEngine open_rocks_engine(const std::string& path, const RocksOptions& options = {});

}  // namespace storage
