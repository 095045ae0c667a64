// From what mosquitto.conf says about persistence to the Store that does it.
#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "config/config.h"
#include "storage/durable_store.h"

namespace server {

// The directory of the store: persistence_file in persistence_location, where a name that ends in
// ".db", which is Mosquitto's file, means "nightjar.store" beside it.
std::string store_path(const config::Persistence& persistence);

// Mosquitto's file for these settings: what a new store begins with, if it is there.
std::string mosquitto_db_path(const config::Persistence& persistence);

// The level of the configuration, or with persistence off: memory. Not to be saved from silence: a
// build without RocksDB fails if something is to be kept, and so does a store that cannot be used.
struct MadeStore {
    std::unique_ptr<broker::Store> store;
    storage::DurableStore* durable = nullptr;  // The same, if it keeps anything.
};
base::Result<MadeStore, std::string> make_store(const config::Config& config, base::Log& log);

// Before the first restore of a new store: what a Mosquitto has left comes over, and the log says
// what that is. Fails with a sentence if the file is there and cannot be read.
base::Result<void, std::string> import_existing(storage::DurableStore& store,
                                                const config::Config& config, base::Log& log);

}  // namespace server
