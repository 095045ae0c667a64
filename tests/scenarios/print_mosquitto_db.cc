// print_mosquitto_db FILE: what comes over from a mosquitto.db, a line for each change and one for
// the summary. For the scenario that makes such files with a real Mosquitto.
#include <fmt/format.h>

#include <cstdio>

#include "storage/mosquitto_import.h"

namespace {

using base::as_text;

std::string described(const broker::MessageRef& message) {
    if (!message) return "none";
    return fmt::format("{} '{}' q{} properties {} expiry {}", message->topic(),
                       as_text(message->payload()), static_cast<int>(message->qos()),
                       message->properties().size(), message->expiry_wall_ms() / 1000);
}

void print(const broker::SessionKept& kept) {
    fmt::print("session {} {} expiry {} left {}\n", static_cast<std::uint64_t>(kept.session),
               kept.client_id, kept.expiry_s, kept.left_wall_ms / 1000);
}

void print(const broker::SubscriptionKept& kept) {
    fmt::print("subscription {} {} q{} no local {} as published {} id {}\n",
               static_cast<std::uint64_t>(kept.session), kept.filter,
               static_cast<int>(kept.options.qos), kept.options.no_local,
               kept.options.retain_as_published, kept.subscription_id);
}

void print(const broker::MessageKept& kept) {
    std::string ids;
    kept.ids.for_each([&](std::uint32_t id) { ids += fmt::format(" id {}", id); });
    fmt::print("message {} order {} q{} retain {} packet {} state {}{}: {}\n",
               static_cast<std::uint64_t>(kept.session), kept.order, static_cast<int>(kept.qos),
               kept.retain, kept.packet_id, static_cast<int>(kept.state), ids,
               described(kept.message));
}

void print(const broker::ReceivedKept& kept) {
    fmt::print("received {} packet {}\n", static_cast<std::uint64_t>(kept.session), kept.packet_id);
}

void print(const broker::RetainedKept& kept) {
    fmt::print("retained {}\n", described(kept.message));
}

template <typename Other>
void print(const Other&) {
    fmt::print("no such change comes from a file\n");
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): who cannot print has nothing else to do.
int main(int count, char** arguments) {
    if (count != 2) return 2;
    const auto imported = storage::import_mosquitto_db(arguments[1], {});
    if (!imported) {
        fmt::print(stderr, "{}\n", imported.error());
        return 1;
    }
    if (!*imported) {
        fmt::print("no file\n");
        return 0;
    }
    for (const broker::Change& change : (*imported)->changes.all()) {
        std::visit([](const auto& one) { print(one); }, change);
    }
    fmt::print("{}\n", to_string((*imported)->summary));
    return 0;
}
