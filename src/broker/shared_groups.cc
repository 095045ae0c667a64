#include "broker/shared_groups.h"

#include <string>
#include <utility>

#include "base/assert.h"

namespace broker {

// The lock of a group is taken after that of all groups is free; meanwhile the count keeps it.
SharedGroupRef SharedGroups::join(std::string_view name, std::string_view filter,
                                  const SharedMember& member, bool is_connected) {
    std::string key(name);
    key.append("/").append(filter);
    SharedGroupRef group = groups_.with([&](Groups& groups) {
        const auto found = groups.by_key.find(key);
        Entry& entry =
            found == groups.by_key.end() ? begin(groups, std::move(key), filter) : found->second;
        ++entry.members;
        return entry.group;
    });
    group->add(member, is_connected);
    return group;
}

SharedGroups::Entry& SharedGroups::begin(Groups& groups, std::string key, std::string_view filter) {
    const SharedGroupId id{groups.next_id++};
    SharedGroupRef group = SharedGroup::make(id, std::move(key), filter.size());
    groups.by_filter.insert(filter).value.emplace(id, group);
    groups.by_id.emplace(id, group);
    Entry& entry = groups.by_key[group->key()];
    entry.group = std::move(group);
    count_.fetch_add(1);
    // Before the lock is free, so that no cache can tag an old answer with the new version.
    version_.fetch_add(1);
    return entry;
}

void SharedGroups::leave(const SharedGroup& group, const SharedMember& member) {
    group.remove(member);
    groups_.with([&](Groups& groups) {
        const auto found = groups.by_key.find(group.key());
        ASSERT(found != groups.by_key.end() && found->second.group.get() == &group);
        if (--found->second.members == 0) end(groups, group);
    });
}

void SharedGroups::end(Groups& groups, const SharedGroup& group) {
    auto* const at_filter = groups.by_filter.find(group.filter());
    at_filter->erase(group.id());
    if (at_filter->empty()) groups.by_filter.erase(group.filter());
    groups.by_id.erase(group.id());
    groups.by_key.erase(group.key());
    count_.fetch_sub(1);
    version_.fetch_add(1);
}

void SharedGroups::collect(std::string_view topic, std::vector<SharedGroupRef>& found) const {
    groups_.read([&](const Groups& groups) {
        groups.by_filter.match(topic, [&](const auto& at_filter) {
            for (const auto& [id, group] : at_filter) found.push_back(group);
        });
    });
}

SharedGroupRef SharedGroups::find(SharedGroupId id) const {
    return groups_.read([&](const Groups& groups) {
        const auto found = groups.by_id.find(id);
        return found == groups.by_id.end() ? SharedGroupRef{} : found->second;
    });
}

SharedGroupRef SharedGroups::find(std::string_view key) const {
    return groups_.read([&](const Groups& groups) {
        const auto found = groups.by_key.find(key);
        return found == groups.by_key.end() ? SharedGroupRef() : found->second.group;
    });
}

std::span<const SharedGroupRef> SharedGroupCache::groups_for(std::string_view topic) {
    // Read before the question: an answer may be newer than its tag, never older.
    const std::uint64_t version = groups_.version();
    if (const auto* const known = answers_.find(topic, version)) return *known;
    found_.clear();
    groups_.collect(topic, found_);
    if (found_.size() <= kept_groups_max) answers_.keep(topic, version, found_);
    return found_;
}

}  // namespace broker
