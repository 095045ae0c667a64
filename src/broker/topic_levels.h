// The levels of topics and filters, and the key of a tree's node among its siblings.
#pragma once

#include <cstdint>
#include <string_view>

namespace broker {

// Takes the levels off the front: "a//b" has "a", "" and "b".
class LevelReader {
public:
    explicit LevelReader(std::string_view text) : rest_(text) {}

    bool at_end() const { return at_end_; }
    // Not at the end.
    std::string_view next() {
        const std::size_t slash = rest_.find('/');
        const std::string_view level = rest_.substr(0, slash);
        at_end_ = slash == std::string_view::npos;
        if (!at_end_) rest_.remove_prefix(slash + 1);
        return level;
    }

private:
    std::string_view rest_;
    bool at_end_ = false;
};

// The hash of a child in a table that serves a whole tree. The level's hash is seeded, so whoever
// chooses the levels cannot choose the keys.
inline std::uint64_t child_key(std::uint32_t parent, std::uint64_t level_hash) {
    std::uint64_t key = level_hash + parent * 0x9E3779B97F4A7C15ULL;
    key ^= key >> 32;
    return key * 0xD6E8FEB86659FD93ULL;
}

}  // namespace broker
