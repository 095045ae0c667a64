// An open-addressing hash table from a hash to a 32-bit number, usually a place in a Pool. Keys
// live there, so it asks its caller whether a candidate is the one that is meant.
//
// Linear probing at most 3/4 full; erasing shifts back what follows, so there are no tombstones and
// a table that saw millions come and go is as fast as a new one. It grows by two and shrinks again.
// Cost: 11 to 21 bytes an entry. Threads: the owner's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace broker {

class HashIndex {
public:
    static constexpr std::uint32_t none = 0xFFFFFFFF;

    // The number under `hash` for which `is_it(number)` holds, or none.
    template <typename IsIt>
    std::uint32_t find(std::uint64_t hash, IsIt&& is_it) const {
        if (slots_.empty()) return none;
        const std::uint32_t tag = tag_of(hash);
        for (std::size_t at = tag & mask_;; at = (at + 1) & mask_) {
            const Slot& slot = slots_[at];
            if (slot.number == none) return none;
            if (slot.tag == tag && is_it(slot.number)) return slot.number;
        }
    }
    // `number` is not none; the pair is not in the table yet.
    void insert(std::uint64_t hash, std::uint32_t number);
    // The pair is in the table.
    void erase(std::uint64_t hash, std::uint32_t number);
    void renumber(std::uint64_t hash, std::uint32_t from, std::uint32_t to);

    // Calls `each(number)` for all, in no order; `each` does not change the table.
    template <typename Each>
    void for_each(Each&& each) const {
        for (const Slot& slot : slots_) {
            if (slot.number != none) each(slot.number);
        }
    }
    std::size_t size() const { return size_; }

private:
    struct Slot {
        std::uint32_t tag = 0;
        std::uint32_t number = none;
    };
    static std::uint32_t tag_of(std::uint64_t hash) {
        return static_cast<std::uint32_t>(hash >> 32);
    }
    std::size_t place_of(std::uint64_t hash, std::uint32_t number) const;
    void place(Slot slot);
    void resize(std::size_t slots);

    std::vector<Slot> slots_;  // None, or a power of two.
    std::size_t mask_ = 0;
    std::size_t size_ = 0;
};

}  // namespace broker
