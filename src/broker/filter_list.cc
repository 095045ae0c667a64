#include "broker/filter_list.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"

namespace broker {

void FilterList::add(std::string_view filter) {
    filters_.emplace_back(filter);
    if (positions_) return index(filters_.size() - 1);
    if (filters_.size() <= searched_max) return;
    positions_ = std::make_unique<HashIndex>();
    for (std::size_t position = 0; position < filters_.size(); ++position) index(position);
}

bool FilterList::remove(std::string_view filter) {
    const std::size_t position = position_of(filter);
    if (position == filters_.size()) return false;
    remove_at(position);
    return true;
}

std::string FilterList::take_any() {
    ASSERT(!filters_.empty());
    std::string taken = filters_.back();
    remove_at(filters_.size() - 1);
    return taken;
}

void FilterList::index(std::size_t position) {
    positions_->insert(base::hash(filters_[position]), static_cast<std::uint32_t>(position));
}

std::size_t FilterList::position_of(std::string_view filter) const {
    if (!positions_) {
        const auto found = std::find(filters_.begin(), filters_.end(), filter);
        return static_cast<std::size_t>(found - filters_.begin());
    }
    const std::uint32_t found = positions_->find(
        base::hash(filter), [&](std::uint32_t position) { return filters_[position] == filter; });
    return found == HashIndex::none ? filters_.size() : found;
}

// The last one takes its place.
void FilterList::remove_at(std::size_t position) {
    const std::size_t last = filters_.size() - 1;
    if (positions_) {
        const auto number = [](std::size_t at) { return static_cast<std::uint32_t>(at); };
        positions_->erase(base::hash(filters_[position]), number(position));
        if (position != last) {
            positions_->renumber(base::hash(filters_[last]), number(last), number(position));
        }
    }
    if (position != last) filters_[position] = std::move(filters_[last]);
    filters_.pop_back();
    if (!filters_.empty()) return;
    filters_.shrink_to_fit();
    positions_.reset();
}

}  // namespace broker
