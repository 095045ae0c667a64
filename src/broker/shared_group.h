// One group of a shared subscription: the sessions that take turns at the messages of a filter
// (section 4.8.2).
//
//     | connected: these take turns | absent: only while nobody is connected |
//
// Ownership: by reference, from SharedGroups, the sessions and the shards' caches; one that nobody
// is in any more chooses nobody. Threads: any; who chooses shares the lock. Cost: constant, however
// many members there are.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "base/ref_counted.h"
#include "broker/ids.h"
#include "broker/options.h"

namespace broker {

// One session's place in a group.
struct SharedMember {
    std::uint32_t shard = 0;
    SessionId session{};
    SharedMark mark = 0;
};

// A message on its way to one member. By the time it arrives the member may have gone, and its
// session's id may name another one.
struct SharedTarget {
    SharedGroupId group{};
    SharedMember member;
    std::uint8_t attempt = 0;   // How many members did not take it before.
    std::uint8_t origin = 0;    // The shard whose client sent it.
    bool is_passed_on = false;  // Not by its origin: the shard that it went to passed it on.
};

enum class Among : std::uint8_t { everybody, connected };

class SharedGroup : public base::RefCounted<SharedGroup> {
public:
    // `key` is "group/filter"; the filter is its last `filter_size` bytes.
    static base::Ref<SharedGroup> make(SharedGroupId id, std::string key, std::size_t filter_size);
    static void destroy(const SharedGroup* group) { delete group; }

    SharedGroupId id() const { return id_; }
    std::string_view key() const { return key_; }
    std::string_view filter() const {
        return std::string_view(key_).substr(key_.size() - filter_size_);
    }

    // The member is not in the group.
    void add(const SharedMember& member, bool is_connected) const;
    // These do nothing for one that is not in the group.
    void remove(const SharedMember& member) const;
    void set_connected(const SharedMember& member, bool is_connected) const;

    // Whose turn it is. With `attempt` 1 and more the one after that, who may be the same if there
    // is no other.
    std::optional<SharedMember> choose(SharedStrategy strategy, std::string_view topic,
                                       std::uint8_t attempt, Among among) const;

private:
    struct Members {
        std::vector<SharedMember> all;  // The connected ones first.
        std::size_t connected = 0;
        std::unordered_map<std::uint64_t, std::size_t> positions;

        void swap(std::size_t one, std::size_t other);
        void connect(std::size_t position);
        void disconnect(std::size_t position);
    };
    SharedGroup(SharedGroupId id, std::string key, std::size_t filter_size)
        : id_(id), key_(std::move(key)), filter_size_(filter_size) {}
    ~SharedGroup() = default;

    const SharedGroupId id_;
    const std::string key_;
    const std::size_t filter_size_;
    mutable base::Guarded<Members, std::shared_mutex> members_;
    mutable std::atomic<std::uint64_t> turn_{0};
};

using SharedGroupRef = base::Ref<SharedGroup>;

}  // namespace broker
