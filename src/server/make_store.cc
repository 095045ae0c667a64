#include "server/make_store.h"

#include <fmt/format.h>

#include "server/process.h"
#include "server/settings.h"
#include "storage/level_memory.h"
#include "storage/rocks_engine.h"

namespace server {

using base::LogType;

std::string store_path(const config::Persistence& persistence) {
    std::string path = persistence.location;
    if (!path.empty() && path.back() != '/') path += '/';
    if (!persistence.file.ends_with(".db")) return path + persistence.file;
    const std::size_t folder = persistence.file.rfind('/');
    if (folder != std::string::npos) path += persistence.file.substr(0, folder + 1);
    return path + "nightjar.store";
}

base::Result<MadeStore, std::string> make_store(const config::Config& config, base::Log& log) {
    const config::Persistence& persistence = config.persistence;
    if (!persistence.enabled || persistence.durability == config::Durability::memory) {
        return MadeStore{std::make_unique<storage::LevelMemory>(), nullptr};
    }
    if (!storage::has_rocksdb) {
        return base::fail(std::string(
            "Error: 'persistence true' cannot be kept: this build has no RocksDB. Build it with "
            "librocksdb-dev, or say 'persistence false' or 'durability memory'."));
    }
    const std::string path = store_path(persistence);
    auto engine = storage::open_rocks_engine(path);
    if (!engine) return base::fail(engine.error());
    storage::CommitterOptions options;
    options.shards = shard_count(config);
    options.sync = persistence.durability == config::Durability::disk;
    auto opened = storage::DurableStore::open(std::move(*engine), path, log, options);
    if (!opened) return base::fail(opened.error());
    if (auto given = give_to_user(path, config.user); !given) return base::fail(given.error());
    log.print(LogType::information, "Store {} is open; what is acknowledged survives {}.", path,
              options.sync ? "a loss of power" : "the end of the process");
    if (options.shards > 1) {
        log.print(LogType::warning,
                  "Warning: with {} threads, a message that is kept for a client of another thread "
                  "may be acknowledged a moment before it is safe; with 'threads 1' it never is.",
                  options.shards);
    }
    storage::DurableStore* durable = opened->get();
    return MadeStore{std::move(*opened), durable};
}

}  // namespace server
