#include "server/make_store.h"

#include <fmt/format.h>

#include "server/process.h"
#include "server/settings.h"
#include "storage/level_memory.h"
#include "storage/mosquitto_import.h"
#include "storage/rocks_engine.h"

namespace server {

using base::LogType;

namespace {

std::string location_of(const config::Persistence& persistence) {
    std::string path = persistence.location;
    if (!path.empty() && path.back() != '/') path += '/';
    return path;
}

}  // namespace

std::string mosquitto_db_path(const config::Persistence& persistence) {
    const bool is_named = persistence.file.ends_with(".db");
    return location_of(persistence) + (is_named ? persistence.file : "mosquitto.db");
}

std::string store_path(const config::Persistence& persistence) {
    std::string path = location_of(persistence);
    if (!persistence.file.ends_with(".db")) return path + persistence.file;
    const std::size_t folder = persistence.file.rfind('/');
    if (folder != std::string::npos) path += persistence.file.substr(0, folder + 1);
    return path + "nightjar.store";
}

base::Result<MadeStore, std::string> make_store(const config::Config& config, base::Log& log) {
    const config::Persistence& persistence = config.persistence;
    const broker::Durability highest = durability_levels(persistence).highest();
    if (highest == broker::Durability::memory) {
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
    auto opened = storage::DurableStore::open(std::move(*engine), path, log, options);
    if (!opened) return base::fail(opened.error());
    if (auto given = give_to_user(path, config.user); !given) return base::fail(given.error());
    log.print(LogType::information, "Store {} is open; what is acknowledged survives {}{}.", path,
              highest == broker::Durability::disk ? "a loss of power" : "the end of the process",
              persistence.durability_topics.empty() ? "" : ", or what durability_topic says");
    storage::DurableStore* durable = opened->get();
    return MadeStore{std::move(*opened), durable};
}

base::Result<void, std::string> import_existing(storage::DurableStore& store,
                                                const config::Config& config, base::Log& log) {
    storage::MosquittoTerms terms;
    if (const auto expiration = config.persistent_client_expiration_s) {
        terms.persistent_client_expiration_s = static_cast<std::uint64_t>(*expiration);
    }
    const std::string path = mosquitto_db_path(config.persistence);
    auto imported = storage::import_mosquitto_db(path, terms);
    if (!imported) {
        return base::fail(fmt::format("Error: {}. Move it away to start without what it holds.",
                                      imported.error()));
    }
    if (!*imported) return {};
    if (auto filled = store.fill((*imported)->changes); !filled) return filled;
    log.print(LogType::notice, "Of {}, which stays as it is, {}", path,
              storage::to_string((*imported)->summary));
    return {};
}

}  // namespace server
