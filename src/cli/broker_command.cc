#include "cli/broker_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "auth/crypto.h"
#include "auth/http_connection.h"
#include "auth/mosquitto_hash.h"
#include "auth/sql_connection.h"
#include "config/difference.h"
#include "config/parse.h"
#include "net/tls_context.h"
#include "net/web_socket_layer.h"
#include "server/http_access.h"
#include "server/logger.h"
#include "server/message_tables.h"
#include "server/process.h"
#include "server/server.h"
#include "server/sql_access.h"
#include "storage/rocks_engine.h"

namespace cli {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_wrong_use = 3;

struct BrokerFlags {
    config::Options config;
    bool daemon = false;
    bool help = false;
    bool version = false;
    bool test_config = false;
    std::optional<std::string> plan;  // The file that a broker runs with.
};

void print_version(std::FILE* out) {
    fmt::print(out, "nightjar version {}\n", NIGHTJAR_VERSION);
    if (auth::has_crypto) {
        fmt::print(out, "with SCRAM-SHA-256 ({})\n", auth::crypto_version());
    } else {
        fmt::print(out, "without SCRAM-SHA-256 (no OpenSSL)\n");
    }
    if (net::has_tls) {
        fmt::print(out, "with TLS ({})\n", net::tls_library());
    } else {
        fmt::print(out, "without TLS (no OpenSSL)\n");
    }
    fmt::print(out, net::has_web_socket ? "with WebSocket (wslay)\n"
                                        : "without WebSocket (no wslay or OpenSSL)\n");
    fmt::print(
        out, "{}\n",
        auth::MosquittoHash::has_argon2 ? "with argon2id" : "without argon2id (no libargon2)");
    if (auth::has_sql) {
        fmt::print(out, "with users in SQL databases ({})\n", auth::sql_version());
    } else {
        fmt::print(out, "without users in SQL databases (no SOCI)\n");
    }
    if (auth::has_http) {
        fmt::print(out, "with users over HTTP ({})\n", auth::http_version());
    } else {
        fmt::print(out, "without users over HTTP (no libcurl)\n");
    }
    if (storage::has_rocksdb) {
        fmt::print(out, "with persistence ({})\n", storage::rocksdb_version());
    } else {
        fmt::print(out, "without persistence (no RocksDB)\n");
    }
}

void print_help(std::FILE* out) {
    print_version(out);
    fmt::print(out,
               "\nnightjar is an MQTT v5.0/v3.1.1/v3.1 broker that takes Mosquitto's place.\n\n"
               "Usage: nightjar [-c config_file] [-d] [-h] [-p port] [-q] [-v]\n"
               "       nightjar pub|sub|rr|ctl|passwd|sql|db ...  (nightjar help for more)\n\n"
               " -c, --config-file : the broker's configuration file, a mosquitto.conf.\n"
               " -d, --daemon      : put the broker into the background after starting.\n"
               " -h, --help        : display this help.\n"
               " -p, --port        : listen on this port, for clients of this machine; up to ten "
               "times.\n"
               "                     Not recommended in conjunction with the -c option.\n"
               " --plan FILE       : say what a reload would change where FILE is in force, and "
               "exit.\n"
               " -q, --quiet       : log nothing, whatever the configuration file says.\n"
               " -v, --verbose     : log everything, whatever the configuration file says.\n"
               " --test-config     : check the configuration file and exit.\n"
               " --version         : print the version and exit.\n");
}

// Reads one flag and its value; an error is a sentence.
class FlagReader {
public:
    explicit FlagReader(std::span<char*> args) : args_(args) {}

    std::optional<std::string> read_all(BrokerFlags& flags) {
        while (!args_.empty()) {
            const std::string_view flag = args_[0];
            args_ = args_.subspan(1);
            if (auto error = read(flag, flags)) return error;
        }
        return std::nullopt;
    }

private:
    std::optional<std::string> read(std::string_view flag, BrokerFlags& flags) {
        if (flag == "-c" || flag == "--config-file") return read_file(flags);
        if (flag == "-p" || flag == "--port") return read_port(flags);
        if (flag == "--plan") return read_plan(flags);
        if (flag == "-d" || flag == "--daemon") {
            flags.daemon = true;
        } else if (flag == "-h" || flag == "--help") {
            flags.help = true;
        } else if (flag == "-q" || flag == "--quiet") {
            flags.config.quiet = true;
        } else if (flag == "-v" || flag == "--verbose") {
            flags.config.verbose = true;
        } else if (flag == "--test-config") {
            flags.test_config = true;
        } else if (flag == "--version") {
            flags.version = true;
        } else if (flag == "--tls-keylog") {
            return "Error: --tls-keylog is not supported.";
        } else {
            return fmt::format("Error: Unknown option '{}'.", flag);
        }
        return std::nullopt;
    }

    std::optional<std::string> read_file(BrokerFlags& flags) {
        if (args_.empty()) return "Error: -c argument given, but no config file specified.";
        if (flags.config.file) return "Error: -c argument given more than once.";
        flags.config.file = args_[0];
        args_ = args_.subspan(1);
        return std::nullopt;
    }

    std::optional<std::string> read_plan(BrokerFlags& flags) {
        if (args_.empty()) return "Error: --plan argument given, but no config file specified.";
        flags.plan = args_[0];
        args_ = args_.subspan(1);
        return std::nullopt;
    }

    std::optional<std::string> read_port(BrokerFlags& flags) {
        constexpr std::size_t ports_max = 10;
        if (args_.empty()) return "Error: -p argument given, but no port specified.";
        const std::string text = args_[0];
        args_ = args_.subspan(1);
        if (flags.config.ports.size() == ports_max) {
            return "Error: Only 10 ports can be specified using the -p option.";
        }
        char* end = nullptr;
        const long port = std::strtol(text.c_str(), &end, 10);
        if (*end != '\0' || port < 1 || port > 65'535) {
            return fmt::format("Error: Invalid port specified ({}).", text);
        }
        flags.config.ports.push_back(static_cast<std::uint16_t>(port));
        return std::nullopt;
    }

    std::span<char*> args_;
};

void log_warnings(const config::Config& config, base::Log& log) {
    for (const config::Warning& warning : config.warnings) {
        log.print(base::LogType::warning, "{}", config::to_string(warning));
    }
}

// What may fail before clients are served; a sentence says what.
base::Result<void, std::string> prepare(const config::Config& config, const BrokerFlags& flags,
                                        server::Logger& log, server::PidFile& pid_file) {
    if (flags.daemon) {
        if (auto done = server::become_daemon(); !done) return done;
        log.detach_terminal();
    }
    return pid_file.write(config.pid_file);
}

int serve(config::Config config, const BrokerFlags& flags, server::Logger& log) {
    server::PidFile pid_file;
    std::string user = config.user;
    if (const auto ready = prepare(config, flags, log, pid_file); !ready) {
        log.print(base::LogType::error, "Error: {}", ready.error());
        return exit_failed;
    }
    log.print(base::LogType::information, "nightjar version {} starting", NIGHTJAR_VERSION);
    if (flags.config.file) {
        log.print(base::LogType::information, "Config loaded from {}.", *flags.config.file);
    } else {
        log.print(base::LogType::information, "Using default config.");
    }
    log_warnings(config, log);
    server::Server server(std::move(config), flags.config, log);
    auto opened = server.open();
    std::string warning;
    if (opened) opened = server::drop_privileges(user, warning);
    if (!opened) {
        log.print(base::LogType::error, "{}", opened.error());
        return exit_failed;
    }
    if (!warning.empty()) log.print(base::LogType::warning, "Warning: {}", warning);
    log.print(base::LogType::information, "nightjar version {} running", NIGHTJAR_VERSION);
    server.run();
    log.print(base::LogType::information, "nightjar version {} terminating", NIGHTJAR_VERSION);
    return 0;
}

int print_plan(const config::Config& running, const config::Config& wanted) {
    const config::Difference difference = config::difference(running, wanted);
    for (const std::string& name : difference.reloadable) fmt::print("reload: {}\n", name);
    for (const std::string& name : difference.needs_restart) fmt::print("restart: {}\n", name);
    if (difference.empty()) fmt::print("Nothing would change.\n");
    return 0;
}

}  // namespace

int run_broker(std::span<char*> args) {
    BrokerFlags flags;
    if (const auto error = FlagReader(args.subspan(1)).read_all(flags)) {
        fmt::print(stderr, "{}\n", *error);
        return exit_wrong_use;
    }
    if (flags.help || flags.version) {
        flags.help ? print_help(stdout) : print_version(stdout);
        return 0;
    }
    if (const char* location = std::getenv("MOSQUITTO_PERSISTENCE_LOCATION")) {
        flags.config.persistence_location = location;
    }
    server::Logger log;
    auto config = config::parse(flags.config);
    if (!config) {
        log.print(base::LogType::error, "{}", config::to_string(config.error()));
        return exit_wrong_use;
    }
    if (flags.plan) {
        config::Options running = flags.config;
        running.file = flags.plan;
        const auto before = config::parse(running);
        if (before) return print_plan(*before, *config);
        log.print(base::LogType::error, "{}", config::to_string(before.error()));
        return exit_wrong_use;
    }
    if (flags.test_config) {
        log_warnings(*config, log);
        auto checked = server::check_sql(*config);
        if (checked) checked = server::check_http(*config);
        if (checked) checked = server::check_message_tables(*config);
        if (!checked) {
            log.print(base::LogType::error, "{}", checked.error());
            return exit_wrong_use;
        }
        log.print(base::LogType::information, "Configuration file is OK.");
        return 0;
    }
    std::string error;
    if (!log.configure(config->log, error)) {
        log.print(base::LogType::error, "Error: {}", error);
        return exit_failed;
    }
    return serve(std::move(*config), flags, log);
}

}  // namespace cli
