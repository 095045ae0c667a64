#include "broker/shared_group.h"

#include <utility>

#include "base/assert.h"
#include "base/hash.h"

namespace broker {
namespace {

// A session has one place in a group.
std::uint64_t key_of(const SharedMember& member) {
    return std::uint64_t{member.shard} << 32 | static_cast<std::uint32_t>(member.session);
}

}  // namespace

SharedGroupRef SharedGroup::make(SharedGroupId id, std::string key, std::size_t filter_size) {
    return SharedGroupRef::adopt(new SharedGroup(id, std::move(key), filter_size));
}

void SharedGroup::Members::swap(std::size_t one, std::size_t other) {
    std::swap(all[one], all[other]);
    positions[key_of(all[one])] = one;
    positions[key_of(all[other])] = other;
}

void SharedGroup::Members::connect(std::size_t position) {
    if (position >= connected) swap(position, connected++);
}

void SharedGroup::Members::disconnect(std::size_t position) {
    if (position < connected) swap(position, --connected);
}

void SharedGroup::add(const SharedMember& member, bool is_connected) const {
    members_.with([&](Members& members) {
        const bool is_new = members.positions.emplace(key_of(member), members.all.size()).second;
        ASSERT(is_new);
        members.all.push_back(member);
        if (is_connected) members.connect(members.all.size() - 1);
    });
}

void SharedGroup::remove(const SharedMember& member) const {
    members_.with([&](Members& members) {
        const auto found = members.positions.find(key_of(member));
        if (found == members.positions.end()) return;
        members.disconnect(found->second);
        members.swap(found->second, members.all.size() - 1);
        members.all.pop_back();
        members.positions.erase(found);
    });
}

void SharedGroup::set_connected(const SharedMember& member, bool is_connected) const {
    members_.with([&](Members& members) {
        const auto found = members.positions.find(key_of(member));
        if (found == members.positions.end()) return;
        if (is_connected) {
            members.connect(found->second);
        } else {
            members.disconnect(found->second);
        }
    });
}

std::optional<SharedMember> SharedGroup::choose(SharedStrategy strategy, std::string_view topic,
                                                std::uint8_t attempt, Among among) const {
    std::uint64_t turn = attempt;
    if (strategy == SharedStrategy::hash) turn += base::hash(topic);
    return members_.read([&](const Members& members) -> std::optional<SharedMember> {
        std::size_t candidates = members.connected;
        if (candidates == 0 && among == Among::everybody) candidates = members.all.size();
        if (candidates == 0) return std::nullopt;
        // Every turn is the next one's, so that an attempt needs no step of its own.
        if (strategy == SharedStrategy::round_robin) {
            turn = turn_.fetch_add(1, std::memory_order_relaxed);
        }
        return members.all[turn % candidates];
    });
}

}  // namespace broker
