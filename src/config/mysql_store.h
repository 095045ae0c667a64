// Which messages are written to a table of a database, and to which: mysql_store and its options.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/option_place.h"
#include "config/sql_auth.h"

namespace config {

struct MysqlStoreLine {
    std::string filter{};
    std::string table{};  // "table" or "database.table"; nothing in it has to be quoted.
    OptionPlace place{};
    bool operator==(const MysqlStoreLine&) const = default;
};

// What may wait for the database.
struct MysqlStoreQueue {
    std::uint32_t messages = 100'000;
    std::uint64_t bytes = 67'108'864;
    bool operator==(const MysqlStoreQueue&) const = default;
};

struct MysqlStore {
    std::vector<MysqlStoreLine> lines;
    // Only what leads to it. Without options of its own, that of auth_mysql_*.
    SqlAuth database;
    MysqlStoreQueue queue;

    bool is_on() const { return !lines.empty(); }
    bool operator==(const MysqlStore&) const = default;
};

}  // namespace config
