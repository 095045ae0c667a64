#include "broker/hash_index.h"

#include "base/assert.h"

namespace broker {
namespace {

constexpr std::size_t slots_min = 16;

}  // namespace

void HashIndex::place(Slot slot) {
    std::size_t at = slot.tag & mask_;
    while (slots_[at].number != none) at = (at + 1) & mask_;
    slots_[at] = slot;
}

void HashIndex::resize(std::size_t slots) {
    std::vector<Slot> old(slots);
    old.swap(slots_);
    mask_ = slots - 1;
    for (const Slot& slot : old) {
        if (slot.number != none) place(slot);
    }
}

void HashIndex::insert(std::uint64_t hash, std::uint32_t number) {
    ASSERT(number != none);
    if (slots_.empty()) {
        resize(slots_min);
    } else if ((size_ + 1) * 4 > slots_.size() * 3) {
        resize(slots_.size() * 2);
    }
    place({tag_of(hash), number});
    ++size_;
}

std::size_t HashIndex::place_of(std::uint64_t hash, std::uint32_t number) const {
    ASSERT(!slots_.empty());
    std::size_t at = tag_of(hash) & mask_;
    while (slots_[at].number != number) {
        ASSERT(slots_[at].number != none);
        at = (at + 1) & mask_;
    }
    return at;
}

void HashIndex::renumber(std::uint64_t hash, std::uint32_t from, std::uint32_t to) {
    slots_[place_of(hash, from)].number = to;
}

void HashIndex::erase(std::uint64_t hash, std::uint32_t number) {
    std::size_t hole = place_of(hash, number);
    for (std::size_t at = (hole + 1) & mask_; slots_[at].number != none; at = (at + 1) & mask_) {
        // What probes past the hole moves into it; what begins after the hole stays.
        const std::size_t home = slots_[at].tag & mask_;
        if (((at - home) & mask_) < ((at - hole) & mask_)) continue;
        slots_[hole] = slots_[at];
        hole = at;
    }
    slots_[hole] = Slot{};
    --size_;
    if (slots_.size() > slots_min && size_ * 8 < slots_.size()) resize(slots_.size() / 2);
}

}  // namespace broker
