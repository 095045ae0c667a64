// A count for each of many contents, by their numbers, which are given in ascending order and go in
// about the same: who waits for a content, how large it is.
//
// The counts lie in pages, which are there while they have one that is not 0. Cost: about 5 bytes a
// count where numbers stand close, at the worst 320 for one that stands alone. Thread: one at a
// time.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>

#include "storage/record.h"

namespace storage {

class NumberTable {
public:
    // 0 for what was never set.
    std::uint32_t get(ContentNumber number) const {
        const auto found = pages_.find(page_of(number));
        return found == pages_.end() ? 0 : found->second.counts[place_of(number)];
    }
    void set(ContentNumber number, std::uint32_t count) {
        Page& page = pages_[page_of(number)];
        std::uint32_t& slot = page.counts[place_of(number)];
        page.used += (count != 0 ? 1U : 0U) - (slot != 0 ? 1U : 0U);
        slot = count;
        if (page.used == 0) pages_.erase(page_of(number));
    }
    // Calls `each(number, count)` for each that is not 0, in no order.
    template <typename Each>
    void for_each(Each&& each) const {
        for (const auto& [first, page] : pages_) {
            for (std::uint64_t place = 0; place < page_size; ++place) {
                if (page.counts[place] == 0) continue;
                each(ContentNumber{first * page_size + place}, page.counts[place]);
            }
        }
    }

private:
    static constexpr std::uint64_t page_size = 64;
    struct Page {
        std::array<std::uint32_t, page_size> counts{};
        std::uint32_t used = 0;  // That are not 0.
    };
    static std::uint64_t page_of(ContentNumber number) {
        return static_cast<std::uint64_t>(number) / page_size;
    }
    static std::uint64_t place_of(ContentNumber number) {
        return static_cast<std::uint64_t>(number) % page_size;
    }

    std::unordered_map<std::uint64_t, Page> pages_;
};

}  // namespace storage
