// The broker program: from a configuration to shards that serve it, until a signal ends it.
//
// Owned by main(). The calling thread becomes shard 0; the others get a thread each. Signals are
// handled in shard 0's turns.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "admin/controls.h"
#include "base/result.h"
#include "broker/broker.h"
#include "broker/sys_topics.h"
#include "config/config.h"
#include "config/parse.h"
#include "net/signals.h"
#include "server/access.h"
#include "server/control_channel.h"
#include "server/doors.h"
#include "server/explain.h"
#include "server/logger.h"
#include "server/message_tables.h"
#include "server/shard_thread.h"
#include "server/supervisor.h"
#include "storage/durable_store.h"

namespace server {

class Server : private admin::Controls {
public:
    // `source` is how `config` was read, for reading it again.
    Server(config::Config config, config::Options source, Logger& log);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() override;

    // Opens every listener; fails with a sentence, and nothing is open then.
    base::Result<void, std::string> open();
    // Serves until SIGINT or SIGTERM.
    void run();

private:
    base::Result<void, std::string> make_shards();
    base::Result<void, std::string> make_store();
    base::Result<void, std::string> recover();
    // Appends what is odd about the files to `warnings`.
    base::Result<void, std::string> apply(const config::Config& config,
                                          std::vector<std::string>& warnings);
    void on_signal(int signal);
    void stop();
    admin::ReloadOutcome reload() override;
    admin::Status status() const override;
    void explain(const admin::Question& question, const admin::OnExplanation& done) override;
    void ask_own_rights(const broker::Inquiry& inquiry, const OnOwnRights& done);
    admin::ReloadOutcome take_fresh_config();
    void take(config::Config fresh, admin::ReloadOutcome& outcome);
    void keep_durability(config::Persistence& fresh, admin::ReloadOutcome& outcome);
    void warn(admin::ReloadOutcome& outcome, std::string sentence);
    void reopen_log();
    void print_lines(const std::string& lines);
    void print_subscriptions();
    void print_store();
    void publish_log_line(base::LogType type, std::string line);

    config::Config config_;
    config::Options source_;
    Logger& log_;
    Doors doors_;
    Access access_;
    MessageTables message_tables_;
    std::unique_ptr<broker::Store> store_;
    storage::DurableStore* durable_store_ = nullptr;  // The same; null if it keeps nothing.
    std::unique_ptr<broker::Broker> broker_;
    std::vector<std::unique_ptr<ShardThread>> shards_;
    Supervisor supervisor_;
    std::unique_ptr<broker::SysTopics> sys_topics_;
    std::unique_ptr<net::Signals> signals_;
    std::unique_ptr<ControlChannel> control_;
    std::uint64_t started_ms_ = 0;
    std::vector<std::thread> threads_;
};

}  // namespace server
