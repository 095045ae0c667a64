#include "cli/sql_tool.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "auth/mosquitto_hash.h"
#include "auth/sql_messages.h"
#include "cli/ask_password.h"
#include "config/parse.h"
#include "mqtt/topic.h"
#include "server/logger.h"
#include "server/message_tables.h"
#include "server/sql_access.h"

namespace cli {
namespace {

using Outcome = base::Result<void, std::string>;
using config::SqlAuth;

constexpr int exit_wrong_use = 3;
constexpr std::uint32_t iterations = 10'000;
constexpr const char* default_config = "/etc/nightjar/nightjar.conf";

struct SqlOptions {
    std::string file = default_config;
    std::optional<std::uint16_t> port;  // Of the listener whose database is meant.
    std::optional<std::string> password;
    std::string client_id = "nightjar-sql";
    std::string peer = "127.0.0.1";
    bool is_super = false;
    bool denies = false;
    bool help = false;
    std::vector<std::string> words;
};

// What a command works with.
struct Database {
    const SqlAuth& sql;
    auth::SqlConnection connection;
    auth::SqlSource source;
};

Outcome fail(std::string sentence) {
    return base::fail("Error: " + std::move(sentence));
}

Outcome run_all(Database& database, std::span<const std::string> statements) {
    for (const std::string& statement : statements) {
        if (auto done = database.connection.execute(statement); !done) {
            return fail(done.error().message);
        }
    }
    return {};
}

// MySQL would take "Ann" for "ann" otherwise.
std::string table_options(const SqlAuth& sql) {
    return sql.kind == SqlAuth::Kind::mysql ? " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" : "";
}

Outcome init(Database& database, const SqlOptions&) {
    const std::string options = table_options(database.sql);
    const std::array<std::string, 3> statements{
        "CREATE TABLE IF NOT EXISTS mqtt_user (username VARCHAR(255) NOT NULL PRIMARY KEY,"
        " password_hash VARCHAR(255) NOT NULL, salt VARCHAR(255),"
        " is_superuser INTEGER NOT NULL DEFAULT 0, enabled INTEGER NOT NULL DEFAULT 1,"
        " clientid VARCHAR(255))" +
            options,
        "CREATE TABLE IF NOT EXISTS mqtt_acl (username VARCHAR(255) NOT NULL,"
        " clientid VARCHAR(255), ipaddress VARCHAR(64),"
        " permission VARCHAR(8) NOT NULL DEFAULT 'allow',"
        " action VARCHAR(16) NOT NULL DEFAULT 'all', topic VARCHAR(1024) NOT NULL)" +
            options,
        // MySQL has no IF NOT EXISTS here, so that it is made apart and may fail.
        "CREATE INDEX mqtt_acl_username ON mqtt_acl (username)"};
    if (auto done = run_all(database, std::span(statements).first(2)); !done) return done;
    (void)database.connection.execute(statements[2]);
    fmt::print("The tables mqtt_user and mqtt_acl are there.\n");
    return {};
}

// In a transaction: a user is there all the time.
Outcome write(Database& database, std::span<const std::string> statements,
              std::span<const std::vector<std::string>> values) {
    auto& connection = database.connection;
    auto done = connection.execute("BEGIN");
    for (std::size_t i = 0; done && i < statements.size(); ++i) {
        done = connection.execute(statements[i], values[i]);
    }
    if (done) done = connection.execute("COMMIT");
    if (done) return {};
    (void)connection.execute("ROLLBACK");
    return fail(done.error().message);
}

Outcome add_user(Database& database, const SqlOptions& options) {
    auto password = options.password ? base::Result<std::string, std::string>(*options.password)
                                     : ask_password_twice();
    if (!password) return base::fail(password.error());
    if (password->empty()) return fail("a password is not empty.");
    const std::string& user = options.words[1];
    const std::string hash = auth::MosquittoHash::make(auth::MosquittoHash::Kind::pbkdf2,
                                                       base::as_bytes(*password), iterations)
                                 .to_text();
    const std::array<std::string, 2> statements{
        "DELETE FROM mqtt_user WHERE username = :v1",
        fmt::format("INSERT INTO mqtt_user (username, password_hash, is_superuser) "
                    "VALUES (:v1, :v2, {})",
                    options.is_super ? 1 : 0)};
    const std::array<std::vector<std::string>, 2> values{{{user}, {user, hash}}};
    return write(database, statements, values);
}

Outcome grant(Database& database, const SqlOptions& options) {
    const std::string& action = options.words[2];
    const std::string& filter = options.words[3];
    constexpr std::array<std::string_view, 3> actions{"publish", "subscribe", "all"};
    if (std::find(actions.begin(), actions.end(), action) == actions.end()) {
        return fail(fmt::format("'{}' is none of publish, subscribe and all.", action));
    }
    if (!mqtt::is_valid_topic_filter(filter.starts_with("eq ") ? filter.substr(3) : filter)) {
        return fail(fmt::format("'{}' is no topic filter.", filter));
    }
    const std::array<std::string, 1> statements{
        "INSERT INTO mqtt_acl (username, permission, action, topic) "
        "VALUES (:v1, :v2, :v3, :v4)"};
    const std::array<std::vector<std::string>, 1> values{
        {{options.words[1], options.denies ? "deny" : "allow", action, filter}}};
    return write(database, statements, values);
}

auth::SqlValues values_of(const SqlOptions& options) {
    return {
        .user_name = options.words[1], .client_id = options.client_id, .peer_host = options.peer};
}

base::Result<auth::KnownUser, std::string> find_user(Database& database,
                                                     const SqlOptions& options) {
    auto user = database.source.read_user(0, values_of(options));
    if (!user) return base::fail("Error: " + user.error());
    if (!*user) return base::fail(fmt::format("there is no user '{}'", options.words[1]));
    return std::move(**user);
}

// What becomes of a login.
Outcome test(Database& database, const SqlOptions& options) {
    auto password = options.password ? base::Result<std::string, std::string>(*options.password)
                                     : ask_password("Password: ");
    if (!password) return base::fail(password.error());
    const auto user = find_user(database, options);
    if (!user) return base::fail(user.error());
    const auto match =
        auth::verify_password({user->hash, user->salt, database.sql.plain_passwords}, *password);
    if (match == auth::PasswordMatch::unreadable) {
        return base::fail(std::string("refused: the password hash is of no kind that is known"));
    }
    if (match == auth::PasswordMatch::wrong)
        return base::fail(std::string("refused: wrong password"));
    if (!user->is_enabled) return base::fail(std::string("refused: the user is not enabled"));
    if (user->client_id && *user->client_id != options.client_id) {
        return base::fail(fmt::format("refused: only the client id '{}'", *user->client_id));
    }
    fmt::print("accepted{}\n", user->is_super ? ", and may do everything" : "");
    return {};
}

// Which row decides.
Outcome explain(Database& database, const SqlOptions& options) {
    constexpr std::array<std::pair<std::string_view, broker::Access>, 3> accesses{{
        {"publish", broker::Access::publish},
        {"subscribe", broker::Access::subscribe},
        {"receive", broker::Access::receive},
    }};
    const auto* access = std::find_if(accesses.begin(), accesses.end(), [&](const auto& each) {
        return each.first == options.words[2];
    });
    if (access == accesses.end()) {
        return fail(
            fmt::format("'{}' is none of publish, subscribe and receive.", options.words[2]));
    }
    const auto user = find_user(database, options);
    if (!user) return base::fail(user.error());
    const auto rules = database.source.read_rules(0, *user, values_of(options));
    if (!rules) return fail(rules.error());
    const std::string& topic = options.words[3];
    const bool allows = rules->allows(access->second, topic);
    fmt::print("{}: {}\n", allows ? "allowed" : "denied", rules->explain(access->second, topic));
    return {};
}

// Those of mysql_store, wherever users are.
Outcome init_store(const config::Config& config, const SqlOptions& options) {
    if (!config.mysql_store.is_on()) {
        return fail(fmt::format("{} has no mysql_store.", options.file));
    }
    if (auto checked = server::check_message_tables(config); !checked) return checked;
    auto server = server::sql_server(config.mysql_store.database);
    if (!server) return base::fail(server.error());
    auth::SqlConnection connection(std::move(*server));
    std::set<std::string> tables;
    for (const config::MysqlStoreLine& line : config.mysql_store.lines) tables.insert(line.table);
    for (const std::string& table : tables) {
        if (auto made = connection.execute(auth::create_text(table)); !made) {
            return fail(made.error().message);
        }
        fmt::print("The table {} is there.\n", table);
    }
    return {};
}

struct Command {
    std::string_view name;
    std::size_t words;                                              // Itself included.
    Outcome (*run)(Database& database, const SqlOptions& options);  // Null: init_store().
};
constexpr std::array<Command, 6> commands{{
    {"init", 1, &init},
    {"init-store", 1, nullptr},
    {"add-user", 2, &add_user},
    {"grant", 4, &grant},
    {"test", 2, &test},
    {"explain", 4, &explain},
}};

Outcome read_value(std::string_view flag, const std::string& value, SqlOptions& options) {
    if (flag == "-c") options.file = value;
    if (flag == "-b") options.password = value;
    if (flag == "-i") options.client_id = value;
    if (flag == "-a") options.peer = value;
    if (flag != "-l") return {};
    std::uint16_t port = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), port);
    if (read.ec != std::errc() || read.ptr != value.data() + value.size()) {
        return fail(fmt::format("'{}' is no port.", value));
    }
    options.port = port;
    return {};
}

// A flag without a value, or a word.
Outcome read_word(std::string_view word, SqlOptions& options) {
    if (word == "--superuser") {
        options.is_super = true;
    } else if (word == "--deny") {
        options.denies = true;
    } else if (word == "-h" || word == "--help") {
        options.help = true;
    } else if (word.starts_with('-')) {
        return fail(fmt::format("Unknown option '{}'.", word));
    } else {
        options.words.emplace_back(word);
    }
    return {};
}

base::Result<SqlOptions, std::string> parse(std::span<char*> arguments) {
    constexpr std::array<std::string_view, 5> with_value{"-c", "-b", "-i", "-a", "-l"};
    SqlOptions options;
    while (!arguments.empty()) {
        const std::string_view word = arguments[0];
        const bool has_value =
            std::find(with_value.begin(), with_value.end(), word) != with_value.end();
        if (has_value && arguments.size() == 1) {
            return base::fail(fmt::format("Error: {} needs a value.", word));
        }
        const Outcome read =
            has_value ? read_value(word, arguments[1], options) : read_word(word, options);
        if (!read) return base::fail(read.error());
        arguments = arguments.subspan(has_value ? 2 : 1);
    }
    return options;
}

base::Result<const Command*, std::string> find_command(const SqlOptions& options) {
    if (options.words.empty()) return base::fail(std::string("Error: a command is needed."));
    const auto* found = std::find_if(commands.begin(), commands.end(), [&](const Command& each) {
        return each.name == options.words[0];
    });
    if (found == commands.end()) {
        return base::fail(fmt::format("Error: there is no command '{}'.", options.words[0]));
    }
    if (found->words != options.words.size()) {
        return base::fail(fmt::format("Error: {} takes {} words.", found->name, found->words - 1));
    }
    return found;
}

base::Result<const SqlAuth*, std::string> find_sql(const config::Config& config,
                                                   const SqlOptions& options) {
    for (const config::Listener& listener : config.listeners) {
        if (options.port && listener.port != *options.port) continue;
        if (listener.security.sql.kind != SqlAuth::Kind::none) return &listener.security.sql;
    }
    return base::fail(fmt::format("Error: {} names no database of users{}.", options.file,
                                  options.port ? " for this listener" : ""));
}

Outcome run(const SqlOptions& options) {
    const auto command = find_command(options);
    if (!command) return base::fail(command.error());
    config::Options source;
    source.file = options.file;
    const auto config = config::parse(source);
    if (!config) return base::fail(config::to_string(config.error()));
    if (!(*command)->run) return init_store(*config, options);
    const auto sql = find_sql(*config, options);
    if (!sql) return base::fail(sql.error());
    auto settings = server::sql_settings(**sql);
    if (!settings) return base::fail(settings.error());
    server::Logger log;
    const auth::SqlServer server = settings->server;
    Database database{**sql, auth::SqlConnection(server),
                      auth::SqlSource(std::move(*settings), log, {})};
    return (*command)->run(database, options);
}

}  // namespace

std::string sql_usage() {
    return fmt::format(
        "nightjar sql makes and looks at the users of the database that a configuration file\n"
        "names by auth_mysql_, auth_postgresql_ or auth_sqlite_.\n\n"
        "Usage: nightjar sql [-c FILE] [-l PORT] init\n"
        "       nightjar sql [-c FILE] init-store\n"
        "       nightjar sql [-c FILE] [-l PORT] add-user [-b PASSWORD] [--superuser] USER\n"
        "       nightjar sql [-c FILE] [-l PORT] grant [--deny] USER publish|subscribe|all FILTER\n"
        "       nightjar sql [-c FILE] [-l PORT] test [-b PASSWORD] [-i CLIENT] USER\n"
        "       nightjar sql [-c FILE] [-l PORT] explain [-i CLIENT] [-a ADDRESS] USER\n"
        "                    publish|subscribe|receive TOPIC\n\n"
        " -a : the client's address; default 127.0.0.1.\n"
        " -b : the password stands on the command line, where others may see it.\n"
        " -c : the broker's configuration file; default {}.\n"
        " -i : the client's id.\n"
        " -l : the listener whose database is meant; default: the first that has one.\n\n"
        "init makes the tables mqtt_user and mqtt_acl; add-user and grant write into them; test\n"
        "and explain ask the queries of the file, and exit with 1 if the user is refused.\n"
        "init-store makes the tables that the lines of mysql_store name.\n",
        default_config);
}

int run_sql(std::span<char*> arguments) {
    const auto options = parse(arguments);
    if (options && options->help) {
        fmt::print("{}", sql_usage());
        return 0;
    }
    if (!options) {
        fmt::print(stderr, "{}\nUse 'nightjar sql --help' to see usage.\n", options.error());
        return exit_wrong_use;
    }
    const Outcome done = run(*options);
    if (done) return 0;
    fmt::print(stderr, "{}\n", done.error());
    return 1;
}

}  // namespace cli
