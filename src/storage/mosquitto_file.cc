// mosquitto.db on disk, and what people are told about it.
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "storage/mosquitto_import.h"

namespace storage {
namespace {

using Buffer = std::vector<std::uint8_t>;

// 1234567 as people write it.
std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
    return digits;
}

// Appends "12 sessions" to a list; `many` is the word for all numbers but 1.
void add(std::string& list, std::uint64_t number, std::string_view one, std::string_view many) {
    if (number == 0) return;
    if (!list.empty()) list += ", ";
    list += grouped(number);
    list += ' ';
    list += number == 1 ? one : many;
}

std::string came_over(const MosquittoSummary& summary) {
    std::string list;
    add(list, summary.sessions, "session", "sessions");
    add(list, summary.subscriptions, "subscription", "subscriptions");
    add(list, summary.queued, "queued message", "queued messages");
    add(list, summary.in_flight, "message in flight", "messages in flight");
    add(list, summary.contents, "content of these", "contents of these");
    add(list, summary.received, "QoS 2 identifier of a client", "QoS 2 identifiers of clients");
    add(list, summary.retained, "retained message", "retained messages");
    return list.empty() ? "nothing" : list;
}

std::string left(const MosquittoSummary& summary) {
    std::string list;
    add(list, summary.ending_sessions, "session that ends with its connection or is a bridge's",
        "sessions that end with their connection or are a bridge's");
    add(list, summary.ending_messages, "message of these", "messages of these");
    add(list, summary.qos0, "queued message of QoS 0", "queued messages of QoS 0");
    add(list, summary.unanswered, "QoS 2 message that its client will send again",
        "QoS 2 messages that their clients will send again");
    add(list, summary.misfits, "record that fits nothing else", "records that fit nothing else");
    add(list, summary.damaged, "damaged record", "damaged records");
    return list.empty() ? "nothing" : list;
}

base::Result<Buffer, std::string> read_whole(const std::string& path) {
    std::error_code error;
    const std::uint64_t size = std::filesystem::file_size(path, error);
    if (error) return base::fail(error.message());
    if (size > mosquitto_db_bytes_max) {
        return base::fail(fmt::format("is longer than {} bytes", mosquitto_db_bytes_max));
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) return base::fail(std::generic_category().message(errno));
    Buffer bytes(size);
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
    if (file.bad()) return base::fail(std::generic_category().message(errno));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    return bytes;
}

}  // namespace

std::string to_string(const MosquittoSummary& summary) {
    std::string text = fmt::format("came over: {}; left: {}", came_over(summary), left(summary));
    if (!summary.damage.empty()) text += fmt::format("; the file is damaged: {}", summary.damage);
    if (!summary.is_final) {
        text +=
            "; Mosquitto wrote the file while it ran, and what happened afterwards is not there";
    }
    return text;
}

base::Result<std::optional<MosquittoImport>, std::string> import_mosquitto_db(
    const std::string& path, const MosquittoTerms& terms) {
    const auto failed = [&](const std::string& why) {
        return base::fail(fmt::format("{}: {}", path, why));
    };
    std::error_code error;
    if (!std::filesystem::exists(path, error)) {
        if (error) return failed(error.message());
        return std::optional<MosquittoImport>();
    }
    const auto bytes = read_whole(path);
    if (!bytes) return failed(bytes.error());
    std::optional<MosquittoImport> imported(std::in_place);
    // Mosquitto takes an empty file for none, too: a disk that was full leaves one.
    if (bytes->empty()) return std::optional<MosquittoImport>();
    auto summary = read_mosquitto_db(
        *bytes, terms, [&](broker::Change&& change) { imported->changes.add(std::move(change)); });
    if (!summary) return failed(summary.error());
    imported->summary = std::move(*summary);
    return imported;
}

}  // namespace storage
