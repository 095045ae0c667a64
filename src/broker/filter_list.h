// The filters that one session subscribes to, each once, in no order.
//
// A short list is searched; a long one has an index from filter to position, so that adding and
// removing cost the same however many there are. Owned by its Session; thread: the shard's. Limit:
// max_subscriptions_per_client, which is the caller's to keep.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/hash_index.h"

namespace broker {

class FilterList {
public:
    std::size_t size() const { return filters_.size(); }
    bool empty() const { return filters_.empty(); }
    std::vector<std::string>::const_iterator begin() const { return filters_.begin(); }
    std::vector<std::string>::const_iterator end() const { return filters_.end(); }

    bool contains(std::string_view filter) const { return position_of(filter) != filters_.size(); }
    // The filter is not in the list.
    void add(std::string_view filter);
    // False if the filter is not in the list.
    bool remove(std::string_view filter);
    // Takes any of them out of a list that is not empty.
    std::string take_any();

private:
    // What is read faster than hashed.
    static constexpr std::size_t searched_max = 16;

    void index(std::size_t position);
    std::size_t position_of(std::string_view filter) const;
    void remove_at(std::size_t position);

    std::vector<std::string> filters_;
    std::unique_ptr<HashIndex> positions_;  // Of a list that is or was long.
};

}  // namespace broker
