// Topics and filters from a small alphabet, so that random ones meet: for tests against a model.
#pragma once

#include <cstddef>
#include <random>
#include <string>

namespace broker {

class RandomTopics {
public:
    explicit RandomTopics(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t end) { return random_() % end; }
    std::string topic() { return levels(false); }
    // With wildcards in about two of three.
    std::string filter() { return levels(true); }

private:
    std::string level(bool first) {
        static const std::string long_level(30, 'x');
        switch (below(first ? 7 : 6)) {
            case 0:
                return "";
            case 1:
                return long_level;
            case 6:
                return "$SYS";
            default:
                return std::string(1, static_cast<char>('a' + below(3)));
        }
    }
    std::string levels(bool wild) {
        const std::size_t count = 1 + below(4);
        std::string text;
        for (std::size_t i = 0; i < count; ++i) {
            if (i > 0) text += '/';
            const std::size_t kind = wild ? below(6) : 5;
            if (kind == 0) return text + '#';
            text += kind == 1 ? "+" : level(i == 0);
        }
        return text.empty() ? "a" : text;
    }

    std::mt19937 random_;
};

}  // namespace broker
