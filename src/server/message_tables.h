// The tables that messages are written to (mysql_store), by the configuration.
//
// Owned by Server; outlives the connections. Threads: open(), start() and finish() on shard 0's,
// open() before the shards run; what it consists of says the rest.
#pragma once

#include <memory>
#include <string>

#include "auth/message_writer.h"
#include "auth/sql_messages.h"
#include "config/config.h"

namespace server {

// Everything about them that can be judged without a database.
base::Result<void, std::string> check_message_tables(const config::Config& config);

class MessageTables {
public:
    // Without a line of mysql_store nothing is there. No connection is made yet. Fails with a
    // sentence that names the option's file and line.
    base::Result<void, std::string> open(const config::MysqlStore& store, base::Log& log);
    // Null if there is none.
    broker::MessageSink* sink() { return writer_.get(); }
    // What has been taken is written from now on.
    void start();
    // Writes what waits, as far as the database takes it in time.
    void finish();
    // A line of figures, if there is something to tell.
    void print(base::Log& log) const;

private:
    std::unique_ptr<auth::SqlMessages> database_;
    std::unique_ptr<auth::MessageWriter> writer_;  // Ends before what it writes to.
};

}  // namespace server
