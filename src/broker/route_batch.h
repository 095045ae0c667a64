// Messages on their way from one shard to another: everything of one turn in one block.
//
//     header topic properties payload | header target topic ... | header (refers to a Message) |
//     ...
//
// Small messages are copied into the block, so that crossing shards allocates nothing per message.
// One that exists as a Message already, or is large, is referenced. Move-only; made by one thread,
// read by another after the inbox has handed it over.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "broker/publication.h"
#include "broker/shared_group.h"

namespace broker {

class RouteBatch {
public:
    RouteBatch() = default;
    // What is moved from is empty, and can be filled again.
    RouteBatch(RouteBatch&& other) noexcept { *this = std::move(other); }
    RouteBatch& operator=(RouteBatch&& other) noexcept {
        block_ = std::exchange(other.block_, {});
        kept_ = std::exchange(other.kept_, {});
        kept_bytes_ = std::exchange(other.kept_bytes_, 0);
        count_ = std::exchange(other.count_, 0);
        return *this;
    }

    // For the subscribers of its topic, or for one member of a shared subscription.
    void add(Publication& publication, const SharedTarget* target = nullptr);
    // Calls `each(Publication&, const SharedTarget*)` in the order of add().
    template <typename Each>
    void for_each(Each&& each) const {
        std::size_t position = 0;
        std::size_t kept = 0;
        while (position < block_.size()) {
            Entry entry = read(position, kept);
            each(entry.publication, entry.target ? &*entry.target : nullptr);
        }
    }
    bool empty() const { return count_ == 0; }
    std::size_t count() const { return count_; }
    // Memory it holds: what the limit between shards counts.
    std::size_t bytes() const { return block_.size() + kept_bytes_; }

private:
    struct Header;
    struct Entry {
        Publication publication;
        std::optional<SharedTarget> target;
    };
    static constexpr std::size_t copied_payload_max = 4096;
    Entry read(std::size_t& position, std::size_t& kept) const;

    std::vector<std::uint8_t> block_;
    std::vector<MessageRef> kept_;
    std::size_t kept_bytes_ = 0;
    std::size_t count_ = 0;
};

}  // namespace broker
