// An existing mosquitto.db as the changes that lead to the same state here: sessions with their
// subscriptions, what waits for them and what is in flight in both directions, and what is
// retained.
//
// For the first start on an empty store, before recover(): whoever has the store fills it with the
// changes and logs to_string(summary). Numbers of sessions begin at 1. The file is read whole and
// not touched.
//
// QoS 2 from clients differs: Mosquitto gives such a message to its subscribers when it is
// released, nightjar when it arrives. What Mosquitto had and had not given yet is therefore queued
// for the subscribers behind what waits for them, and the client's release will find its
// identifier.
//
// No clock: what has expired since then is for the broker to find out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "broker/store.h"

namespace storage {

struct MosquittoTerms {
    // The option of that name which Mosquitto ran with: when a client left is worked out from it.
    std::optional<std::uint64_t> persistent_client_expiration_s{};
};

struct MosquittoSummary {
    // What came over.
    std::uint64_t sessions = 0;
    std::uint64_t subscriptions = 0;
    std::uint64_t queued = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t contents = 0;  // Of what is queued and in flight.
    std::uint64_t received = 0;  // QoS 2 identifiers from clients that are not released.
    std::uint64_t retained = 0;
    // What was left.
    std::uint64_t ending_sessions = 0;  // They end with their connection, or are a bridge's.
    std::uint64_t ending_messages = 0;  // Of these sessions.
    std::uint64_t qos0 = 0;
    std::uint64_t unanswered = 0;  // QoS 2 from clients, which will send it again.
    std::uint64_t misfits = 0;     // Of no session, without content, with an identifier used twice.
    std::uint64_t damaged = 0;     // Records whose own fields do not fit.
    // A sentence about the first damage; empty if the file is whole.
    std::string damage{};
    // False: Mosquitto wrote the file while it ran, and what happened afterwards is not in it.
    bool is_final = false;
};

// "came over: 12 sessions, 30 subscriptions, ...; left: ...", and what is wrong with the file.
std::string to_string(const MosquittoSummary& summary);

// Calls `each` with the changes, in the order of Store::restore(): each session before what is its
// own, its messages by their order. What is before the damage of a damaged file comes over. Fails
// with a sentence, and without a call, if the bytes are no mosquitto.db or one of a version that is
// not known.
base::Result<MosquittoSummary, std::string> read_mosquitto_db(
    base::Bytes file, const MosquittoTerms& terms,
    const std::function<void(broker::Change&&)>& each);

struct MosquittoImport {
    broker::ChangeBatch changes;
    MosquittoSummary summary;
};

// Larger files are refused.
inline constexpr std::uint64_t mosquitto_db_bytes_max = std::uint64_t{16} << 30;

// Nothing if there is no such file. Fails with a sentence that names it. The whole file and what
// comes of it are in memory at once.
base::Result<std::optional<MosquittoImport>, std::string> import_mosquitto_db(
    const std::string& path, const MosquittoTerms& terms);

}  // namespace storage
