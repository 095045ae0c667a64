#include "cli/db_tool.h"

#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "storage/restorer.h"
#include "storage/rocks_engine.h"

namespace cli {
namespace {

using base::Bytes;
using nlohmann::ordered_json;
using storage::Engine;
using Outcome = base::Result<void, std::string>;

constexpr int exit_fine = 0;
constexpr int exit_bad = 1;
constexpr int exit_wrong_use = 3;

constexpr std::string_view usage =
    "Usage: nightjar db dump|stats|verify STORE [--json]\n\n"
    " dump   : every record, one a line.\n"
    " stats  : how many records of each kind there are, and how large.\n"
    " verify : read everything as the broker would; 1 if something is damaged.\n"
    " --json : one JSON object a line.\n\n"
    "STORE is the directory that the broker names at its start, nightjar.store. Nothing in it is\n"
    "changed; the broker may be running.\n";

struct DbCall {
    std::string_view action;
    std::string store;
    bool json = false;
    bool help = false;
};

base::Result<DbCall, std::string> parse(std::span<char*> arguments) {
    DbCall call;
    for (const std::string_view word : arguments) {
        if (word == "--json") {
            call.json = true;
        } else if (word == "--help" || word == "-h") {
            call.help = true;
        } else if (word.starts_with('-')) {
            return base::fail(fmt::format("Error: Unknown option '{}'.", word));
        } else if (call.action.empty()) {
            call.action = word;
        } else if (call.store.empty()) {
            call.store = word;
        } else {
            return base::fail(fmt::format("Error: one store at a time, not also '{}'.", word));
        }
    }
    if (call.help) return call;
    if (call.action != "dump" && call.action != "stats" && call.action != "verify") {
        return base::fail(std::string("Error: dump, stats or verify is needed."));
    }
    if (call.store.empty()) return base::fail(std::string("Error: a store is needed."));
    return call;
}

void print_line(const ordered_json& line, bool json) {
    if (json) {
        fmt::print("{}\n", line.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
        return;
    }
    std::string text;
    for (const auto& [name, value] : line.items()) {
        if (!text.empty()) text += ' ';
        if (name != "record") text.append(name).append("=");
        text += name == "record"
                    ? value.get<std::string>()
                    : value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    }
    fmt::print("{}\n", text);
}

// Adds what is in a record to the line about it.
struct Describe {
    ordered_json& line;

    void message(const broker::MessageRef& one) const {
        line["topic"] = one->topic();
        line["qos"] = static_cast<int>(one->qos());
        if (one->retain()) line["retain"] = true;
        if (one->expiry_wall_ms() != 0) line["expires_ms"] = one->expiry_wall_ms();
        if (!one->properties().empty()) line["properties_bytes"] = one->properties().size();
        line["payload_bytes"] = one->payload().size();
        constexpr std::size_t shown = 80;
        line["payload"] = std::string(base::as_text(one->payload())).substr(0, shown);
    }
    void operator()(const storage::StoreRecord& one) const { line["format"] = one.format; }
    void operator()(const broker::SessionKept& one) const {
        line["client_id"] = one.client_id;
        line["expiry_s"] = one.expiry_s;
        line["left_ms"] = one.left_wall_ms;
        if (!one.will) return;
        line["will_delay_s"] = one.will_delay_s;
        if (one.will_expiry_s) line["will_expiry_s"] = *one.will_expiry_s;
        if (!one.will_user_name.empty()) line["will_user_name"] = one.will_user_name;
        message(one.will);
    }
    void operator()(const broker::SubscriptionKept& one) const {
        line["qos"] = static_cast<int>(one.options.qos);
        line["no_local"] = one.options.no_local;
        line["retain_as_published"] = one.options.retain_as_published;
        line["retain_handling"] = static_cast<int>(one.options.retain_handling);
        if (one.subscription_id != 0) line["subscription_id"] = one.subscription_id;
    }
    void operator()(const storage::ContentRecord& one) const { message(one.message); }
    void operator()(const storage::MessageRecord& one) const {
        if (one.kept.message) {
            message(one.kept.message);
        } else {
            line["content"] = static_cast<std::uint64_t>(one.content);
        }
        line["qos"] = static_cast<int>(one.kept.qos);
        line["retain"] = one.kept.retain;
        line["state"] =
            state(one.kept.packet_id == 0 ? broker::OutgoingState::done : one.kept.state);
        if (one.kept.packet_id != 0) line["packet_id"] = one.kept.packet_id;
    }
    void operator()(const broker::MessageSent& one) const {
        line["state"] = state(one.state);
        line["packet_id"] = one.packet_id;
    }
    void operator()(const broker::ReceivedKept&) const {}
    void operator()(const broker::RetainedKept& one) const { message(one.message); }
    void operator()(const broker::LayoutKept& one) const { line["shards"] = one.shards; }
    void operator()(const broker::HandoverTaken& one) const { line["count"] = one.count; }
    void operator()(const storage::HandoverRecord& one) const {
        line["content"] = static_cast<std::uint64_t>(one.content);
        if (!one.kept.group.empty()) line["group"] = one.kept.group;
    }

    static std::string_view state(broker::OutgoingState state) {
        switch (state) {
            case broker::OutgoingState::done:
                break;
            case broker::OutgoingState::wait_puback:
                return "wait_puback";
            case broker::OutgoingState::wait_pubrec:
                return "wait_pubrec";
            case broker::OutgoingState::wait_pubcomp:
                return "wait_pubcomp";
        }
        return "queued";
    }
};

bool is_damaged(Bytes key) {
    return !key.empty() && key[0] == static_cast<std::uint8_t>(storage::RecordKind::damaged);
}

ordered_json line_of(Bytes key, Bytes value) {
    ordered_json line{{"record", storage::describe_key(key)}};
    line["bytes"] = key.size() + value.size();
    if (is_damaged(key)) return line;
    const auto record = storage::decode_record(key, value);
    if (record) {
        std::visit(Describe{line}, *record);
    } else {
        line["fault"] = storage::to_text(record.error());
    }
    return line;
}

Outcome dump(Engine& engine, bool json) {
    return engine.scan({}, [&](Bytes key, Bytes value) {
        print_line(line_of(key, value), json);
        return true;
    });
}

Outcome stats(Engine& engine, bool json) {
    struct Figures {
        std::uint64_t records = 0;
        std::uint64_t bytes = 0;
    };
    std::map<std::uint8_t, Figures> kinds;
    auto scanned = engine.scan({}, [&](Bytes key, Bytes value) {
        Figures& kind = kinds[key.empty() ? std::uint8_t{0} : key[0]];
        ++kind.records;
        kind.bytes += key.size() + value.size();
        return true;
    });
    for (const auto& [kind, figures] : kinds) {
        print_line(
            ordered_json{{"record", storage::name_of(static_cast<storage::RecordKind>(kind))},
                         {"records", figures.records},
                         {"bytes", figures.bytes}},
            json);
    }
    return scanned;
}

// What the broker would say of each record that it sets aside.
class PrintedLog : public base::Log {
public:
    explicit PrintedLog(bool json) : json_(json) {}
    bool enabled(base::LogType) const override { return true; }
    void write(base::LogType, std::string_view line) override {
        if (json_) {
            print_line(ordered_json{{"fault", line}}, true);
        } else {
            fmt::print("{}\n", line);
        }
    }

private:
    bool json_;
};

// The count of what is damaged, or was set aside earlier.
base::Result<std::size_t, std::string> verify(Engine& engine, bool json) {
    storage::Ledger ledger;
    PrintedLog log(json);
    std::size_t changes = 0;
    std::size_t set_aside = 0;
    const storage::Restorer::Each count = [&](const broker::Change&) { ++changes; };
    constexpr std::size_t held_bytes_max = 1;  // Content is looked at, and not needed any more.
    storage::Restorer restorer(engine, ledger, log, count, held_bytes_max);
    const auto scanned = engine.scan({}, [&](Bytes key, Bytes value) {
        if (is_damaged(key)) ++set_aside;
        restorer.apply(key, value);
        return true;
    });
    if (!scanned) return base::fail(scanned.error());
    restorer.finish();
    print_line(ordered_json{{"record", "all"},
                            {"restored", changes},
                            {"damaged", restorer.set_aside_count()},
                            {"set_aside_earlier", set_aside}},
               json);
    return restorer.set_aside_count() + set_aside;
}

}  // namespace

int run_db(std::span<char*> arguments) {
    const auto call = parse(arguments);
    if (!call) {
        fmt::print(stderr, "{}\n\n{}", call.error(), usage);
        return exit_wrong_use;
    }
    if (call->help) {
        fmt::print("{}", usage);
        return exit_fine;
    }
    const auto engine = storage::open_rocks_engine(call->store, {.read_only = true});
    if (!engine) {
        fmt::print(stderr, "{}\n", engine.error());
        return exit_bad;
    }
    if (call->action == "verify") {
        const auto faults = verify(**engine, call->json);
        if (faults) return *faults == 0 ? exit_fine : exit_bad;
        fmt::print(stderr, "Error: store {}: {}\n", call->store, faults.error());
        return exit_bad;
    }
    const Outcome shown =
        call->action == "dump" ? dump(**engine, call->json) : stats(**engine, call->json);
    if (!shown) fmt::print(stderr, "Error: store {}: {}\n", call->store, shown.error());
    return shown ? exit_fine : exit_bad;
}

}  // namespace cli
