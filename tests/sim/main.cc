// sim SEED                       one seed, with a line for everything that happens
// sim --seeds N [--from SEED]    many, and the first that fails
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>

#include "sim/simulation.h"

namespace {

struct Arguments {
    std::optional<std::uint64_t> seed;
    std::optional<std::uint64_t> seeds;
    std::uint64_t from = 1;
};

std::optional<std::uint64_t> number_of(const char* text) {
    if (!text) return std::nullopt;
    std::uint64_t number = 0;
    const char* const end = text + std::strlen(text);
    const auto [at, error] = std::from_chars(text, end, number);
    if (error != std::errc() || at != end) return std::nullopt;
    return number;
}

// Nothing if they are not understood.
std::optional<Arguments> parse(char** words) {
    Arguments arguments;
    for (; *words; ++words) {
        const std::string_view word = *words;
        if (word == "--seeds") {
            arguments.seeds = number_of(*++words);
            if (!arguments.seeds) return std::nullopt;
        } else if (word == "--from") {
            const auto from = number_of(*++words);
            if (!from) return std::nullopt;
            arguments.from = *from;
        } else {
            arguments.seed = number_of(*words);
            if (!arguments.seed) return std::nullopt;
        }
    }
    if (arguments.seed.has_value() == arguments.seeds.has_value()) return std::nullopt;
    return arguments;
}

int run_one(const Arguments& arguments) {
    sim::Trace trace(stdout);
    const auto outcome = sim::simulate({.seed = *arguments.seed}, trace);
    std::printf("seed %llu: %zu published, %zu acknowledged, %zu crashes, digest %016llx\n",
                static_cast<unsigned long long>(*arguments.seed), outcome.published,
                outcome.acknowledged, outcome.crashes,
                static_cast<unsigned long long>(outcome.digest));
    if (outcome.violation.empty()) return 0;
    std::printf("broken: %s\n", outcome.violation.c_str());
    return 1;
}

int run_many(const Arguments& arguments) {
    std::size_t acknowledged = 0;
    std::size_t crashes = 0;
    for (std::uint64_t seed = arguments.from; seed < arguments.from + *arguments.seeds; ++seed) {
        sim::Trace trace;
        const auto outcome = sim::simulate({.seed = seed}, trace);
        acknowledged += outcome.acknowledged;
        crashes += outcome.crashes;
        if (outcome.violation.empty()) continue;
        std::printf("seed %llu: broken: %s\nto see how: ./dev sim %llu\n",
                    static_cast<unsigned long long>(seed), outcome.violation.c_str(),
                    static_cast<unsigned long long>(seed));
        return 1;
    }
    std::printf("%llu seeds: %zu messages acknowledged, %zu crashes, every promise kept\n",
                static_cast<unsigned long long>(*arguments.seeds), acknowledged, crashes);
    return 0;
}

}  // namespace

int main(int, char** words) {
    const auto arguments = parse(words + 1);
    if (!arguments) {
        std::fputs("usage: sim SEED | --seeds N [--from SEED]\n", stderr);
        return 2;
    }
    return arguments->seed ? run_one(*arguments) : run_many(*arguments);
}
