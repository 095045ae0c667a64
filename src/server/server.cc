#include "server/server.h"

#include <csignal>
#include <sstream>

#include "broker/recovery.h"
#include "config/difference.h"
#include "net/limits.h"
#include "server/make_store.h"
#include "server/settings.h"

namespace server {

using base::LogType;

Server::Server(config::Config config, config::Options source, Logger& log)
    : config_(std::move(config)),
      source_(std::move(source)),
      log_(log),
      doors_(config_, log_, shards_),
      access_(config_, log_,
              [this](std::uint32_t shard, std::function<void()> task) {
                  shards_[shard]->post(std::move(task));
              }),
      supervisor_(shards_, log) {}

Server::~Server() {
    log_.set_publisher({});
    access_.finish();
    message_tables_.finish();
    if (store_) store_->finish();  // It wakes the shards until then.
    signals_.reset();              // Before the loop it stands on.
}

base::Result<void, std::string> Server::open() {
    net::raise_fd_limit();
    if (auto made = make_shards(); !made) return made;
    for (const std::string& reason :
         {config_.authentication_unavailable_because, config_.authorization_unavailable_because}) {
        if (!reason.empty()) log_.print(LogType::error, "{}", reason);
    }
    if (config_.local_only) {
        log_.print(LogType::notice,
                   "Starting in local only mode. Connections will only be possible from clients "
                   "running on this machine.");
        log_.print(LogType::notice,
                   "Create a configuration file which defines a listener to allow remote access.");
    }
    std::vector<std::string> warnings;
    return apply(config_, warnings);
}

base::Result<void, std::string> Server::make_shards() {
    const std::uint32_t count = shard_count(config_);
    if (auto made = make_store(); !made) return made;
    broker_ = std::make_unique<broker::Broker>(
        count, broker_options(config_), access_.authenticator(), access_.authorizer(), *store_);
    if (auto opened = message_tables_.open(config_.mysql_store, log_); !opened) return opened;
    broker_->set_message_sink(message_tables_.sink());
    for (std::uint32_t number = 0; number < count; ++number) {
        auto loop = net::EventLoop::create();
        if (!loop) return base::fail(loop.error());
        shards_.push_back(
            std::make_unique<ShardThread>(std::move(*loop), *broker_, number, log_, shards_));
    }
    if (auto recovered = recover(); !recovered) return recovered;
    signals_ = std::make_unique<net::Signals>(shards_[0]->loop(),
                                              [this](int signal) { on_signal(signal); });
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGRTMIN}) {
        if (!signals_->watch(signal)) {
            log_.print(LogType::warning, "Warning: cannot watch signal {}.", signal);
        }
    }
    std::signal(SIGPIPE, SIG_IGN);
    admin::Controls& controls = *this;
    control_ = std::make_unique<ControlChannel>(shards_[0]->loop(), controls, log_);
    return {};
}

base::Result<void, std::string> Server::make_store() {
    auto made = server::make_store(config_, log_);
    if (!made) return base::fail(made.error());
    store_ = std::move(made->store);
    durable_store_ = made->durable;
    return {};
}

// What the store has kept, or a Mosquitto that was here before, before anybody can connect.
base::Result<void, std::string> Server::recover() {
    store_->on_commit([this](std::uint32_t shard) { shards_[shard]->post([] {}); });
    if (durable_store_ && durable_store_->is_new()) {
        if (auto imported = import_existing(*durable_store_, config_, log_); !imported) {
            return imported;
        }
    }
    std::vector<broker::Shard*> shards;
    for (const auto& shard : shards_) shards.push_back(&shard->shard());
    broker::recover(*broker_, shards);
    if (!durable_store_ || durable_store_->restore_error().empty()) return {};
    return base::fail(durable_store_->restore_error());
}

// All or nothing: what cannot be read or opened changes nothing.
base::Result<void, std::string> Server::apply(const config::Config& config,
                                              std::vector<std::string>& warnings) {
    auto files = access_.read(doors_.realms(config, access_.realms()), warnings);
    for (const std::string& warning : warnings) log_.print(LogType::warning, "{}", warning);
    if (!files) return base::fail(std::move(files.error()));
    auto doors = doors_.prepare(config, files->realms);
    if (!doors) return base::fail(std::move(doors.error()));
    auto control = control_->prepare(config.control_socket, config.user);
    if (!control) return base::fail(std::move(control.error()));
    access_.use(std::move(*files));
    access_.set_failure_limit(static_cast<std::uint32_t>(config.auth_failure_limit));
    doors_.apply(std::move(*doors));
    control_->apply(std::move(*control));
    return {};
}

void Server::run() {
    sys_topics_ = std::make_unique<broker::SysTopics>(shards_[0]->shard(), [this] {
        std::vector<const broker::Counters*> counters;
        for (const auto& shard : shards_) counters.push_back(&shard->shard().counters());
        return counters;
    }());
    log_.set_publisher(
        [this](LogType type, std::string line) { publish_log_line(type, std::move(line)); });
    message_tables_.start();
    for (std::size_t number = 1; number < shards_.size(); ++number) {
        threads_.emplace_back([shard = shards_[number].get()] { shard->run(); });
    }
    started_ms_ = shards_[0]->loop().now_ms();
    supervisor_.ready();
    shards_[0]->run();
    for (std::thread& thread : threads_) thread.join();
    access_.finish();
    message_tables_.finish();
    store_->finish();
    log_.set_publisher({});
}

void Server::on_signal(int signal) {
    if (signal == SIGINT || signal == SIGTERM) return stop();
    if (signal == SIGHUP) return static_cast<void>(reload());
    if (signal == SIGRTMIN) return reopen_log();
    if (signal == SIGUSR2) return print_subscriptions();
    print_store();
}

// Mosquitto saves its database at SIGUSR1.
void Server::print_store() {
    access_.print_outside();
    message_tables_.print(log_);
    if (!durable_store_) {
        return log_.print(LogType::notice, "SIGUSR1: nothing is to be kept: persistence is off.");
    }
    const broker::StoreFigures figures = durable_store_->figures();
    log_.print(LogType::notice,
               "SIGUSR1: what changes is kept at once: {} batches in {} groups, {} records, {} "
               "bytes; {} bytes wait{}.",
               figures.batches, figures.groups, figures.writes, figures.bytes,
               figures.waiting_bytes,
               figures.has_failed        ? "; the store has failed"
               : figures.is_out_of_space ? "; there is no space"
                                         : "");
}

void Server::stop() {
    supervisor_.stopping();
    control_->stop();
    for (const auto& shard : shards_) {
        shard->post([target = shard.get()] { target->begin_stop(); });
    }
}

admin::ReloadOutcome Server::reload() {
    supervisor_.reloading();
    admin::ReloadOutcome outcome = take_fresh_config();
    supervisor_.ready();
    return outcome;
}

admin::ReloadOutcome Server::take_fresh_config() {
    log_.print(LogType::information, "Reloading config.");
    admin::ReloadOutcome outcome;
    auto fresh = config::parse(source_);
    const auto stay = [&](std::string error) {
        log_.print(LogType::error, "{}", error);
        log_.print(LogType::error, "Error: the configuration is not reloaded; the old one stays.");
        outcome.error = std::move(error);
        return outcome;
    };
    if (!fresh) return stay(config::to_string(fresh.error()));
    if (const auto applied = apply(*fresh, outcome.warnings); !applied)
        return stay(applied.error());
    take(std::move(*fresh), outcome);
    return outcome;
}

// What is left to do when nothing can fail any more.
void Server::take(config::Config fresh, admin::ReloadOutcome& outcome) {
    for (const config::Warning& warning : fresh.warnings) warn(outcome, config::to_string(warning));
    config::Difference difference = config::difference(config_, fresh);
    for (const std::string& option : difference.needs_restart) {
        log_.print(LogType::warning, "Warning: {} has changed, which needs a restart.", option);
    }
    outcome.changed = std::move(difference.reloadable);
    outcome.needs_restart = std::move(difference.needs_restart);
    keep_durability(fresh.persistence, outcome);
    config_ = std::move(fresh);
    std::string error;
    if (!log_.configure(config_.log, error)) warn(outcome, "Error: " + error);
    const auto options = broker_options(config_);
    for (const auto& shard : shards_) {
        shard->post([target = shard.get(), options] { target->shard().set_options(options); });
    }
}

void Server::warn(admin::ReloadOutcome& outcome, std::string sentence) {
    log_.print(LogType::warning, "{}", sentence);
    outcome.warnings.push_back(std::move(sentence));
}

// Whether there is a store was decided at the start.
void Server::keep_durability(config::Persistence& fresh, admin::ReloadOutcome& outcome) {
    fresh.enabled = config_.persistence.enabled;
    fresh.durability = config_.persistence.durability;
    const broker::Durability highest = durability_levels(fresh).highest();
    if (durable_store_ || highest == broker::Durability::memory) return;
    warn(outcome,
         "Warning: durability_topic asks for a store, and there is none: that needs a "
         "restart.");
}

admin::Status Server::status() const {
    admin::Status status{.version = NIGHTJAR_VERSION,
                         .uptime_s = (shards_[0]->loop().now_ms() - started_ms_) / 1000,
                         .threads = shards_.size()};
    for (const auto& shard : shards_) {
        const broker::Counters& counters = shard->shard().counters();
        status.clients_connected += counters.sessions_connected.get();
        status.sessions += counters.sessions.get();
        status.subscriptions += counters.subscriptions.get();
    }
    for (const Door* const door : doors_.open()) status.listeners.push_back(door->place());
    return status;
}

void Server::explain(const admin::Question& question, const admin::OnExplanation& done) {
    const auto ask_own = [this](const auto& inquiry, const auto& found) {
        ask_own_rights(inquiry, found);
    };
    server::explain(question, doors_.open(), {config_, access_, ask_own}, done);
}

// Its session knows them, on the shard that has it.
void Server::ask_own_rights(const broker::Inquiry& inquiry, const OnOwnRights& done) {
    ShardThread* const owner = shards_[broker_->shard_of(inquiry.client_id)].get();
    owner->post([this, owner, inquiry, done] {
        broker::Session* const session = owner->shard().find_session(inquiry.client_id);
        std::optional<broker::Ruling> ruling;
        if (session) ruling = session->own_ruling(inquiry);
        shards_[0]->post([done, ruling = std::move(ruling)] { done(ruling); });
    });
}

void Server::reopen_log() {
    std::string error;
    if (!log_.reopen(error)) log_.print(LogType::error, "Error: {}", error);
}

void Server::print_lines(const std::string& lines) {
    std::istringstream each(lines);
    for (std::string line; std::getline(each, line);) log_.print(LogType::notice, "{}", line);
}

void Server::print_subscriptions() {
    for (const auto& shard : shards_) {
        shard->post([this, target = shard.get()] {
            std::string lines;
            target->shard().print_subscriptions(lines);
            log_.print(LogType::notice, "Subscriptions of shard {}:", target->shard().number());
            print_lines(lines);
        });
    }
}

void Server::publish_log_line(LogType type, std::string line) {
    shards_[0]->post(
        [this, type, text = std::move(line)] { sys_topics_->publish_log(type, text); });
}

}  // namespace server
