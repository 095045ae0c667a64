// The topic aliases that the broker uses towards one client (section 3.3.2.3.4): which topics the
// client knows by a number, and which of the others would deserve one more.
//
//     aliases:    number 1 .. limit -> topic, score      (the client has been told)
//     candidates: eight hashes, score                    (the client knows nothing of them)
//
// A score is the bytes that a topic's alias saved, or would have, halved from time to time: what
// was busy yesterday makes room. A number without a topic goes to the first topic that comes. Then
// a candidate takes the number of the topic that saves least, but only when it would have saved
// more than twice as much: each change costs a whole topic, and equals must not push each other
// out for ever.
//
// Owned by a Connection, made at the first PUBLISH to a client that takes aliases. Limits: the
// topics take at most 64 KiB. Cost of choose(): one look-up; O(limit) now and then. Thread: the
// shard's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/hash_index.h"
#include "broker/publish_encoder.h"

namespace broker {

class AliasTable {
public:
    static constexpr std::size_t topic_bytes_max = 65'536;
    static constexpr std::size_t candidates_max = 8;

    // `limit` is 1 or more.
    explicit AliasTable(std::uint16_t limit) : limit_(limit) {}

    // How the next PUBLISH to the client names `topic`, whose hash is `hash`; the caller sends it
    // so. `may_define`: the packet has room for the topic and a number.
    Alias choose(std::string_view topic, std::uint64_t hash, bool may_define);

private:
    struct Entry {
        std::uint64_t hash = 0;
        std::uint64_t score = 0;
        std::string topic;
    };
    struct Candidate {
        std::uint64_t hash = 0;
        std::uint64_t score = 0;
    };

    bool has_room(std::size_t topic_bytes) const {
        return topic_bytes_ + topic_bytes <= topic_bytes_max;
    }
    Alias add(std::string_view topic, std::uint64_t hash);
    Candidate* note_candidate(std::uint64_t hash, std::uint64_t saving);
    Alias replace_weakest(std::string_view topic, Candidate& candidate);
    void forget_a_little();
    void find_weakest();

    std::uint16_t limit_;
    HashIndex index_;  // Of entries_.
    std::vector<Entry> entries_;
    std::vector<Candidate> candidates_;
    std::size_t topic_bytes_ = 0;
    std::size_t weakest_ = 0;  // As of the last look at all: scores have only grown since.
    std::size_t uses_left_ = 0;
};

}  // namespace broker
