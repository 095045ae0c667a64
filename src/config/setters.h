// How a row of the option table names its setting: text<&Listener::tls, &Tls::cafile> is the member
// at the end of that path, in the object the line is about.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "config/options.h"

namespace config {

template <typename Member>
struct MemberTraits;
template <typename Class, typename Value>
struct MemberTraits<Value Class::*> {
    using Owner = Class;
};
template <auto member>
using OwnerOf = typename MemberTraits<decltype(member)>::Owner;

template <auto first, auto... rest>
auto& member_at(auto& owner) {
    if constexpr (sizeof...(rest) == 0) {
        return owner.*first;
    } else {
        return member_at<rest...>(owner.*first);
    }
}

template <auto first, auto... rest>
auto& member_of(Draft& draft) {
    return member_at<first, rest...>(draft.target<OwnerOf<first>>());
}

template <auto first, auto... rest>
bool same(const Compared& one, const Compared& other) {
    using Owner = OwnerOf<first>;
    if constexpr (std::is_same_v<Owner, Config>) {
        return member_at<first, rest...>(one.config) == member_at<first, rest...>(other.config);
    } else if constexpr (std::is_same_v<Owner, Listener>) {
        return member_at<first, rest...>(*one.listener) ==
               member_at<first, rest...>(*other.listener);
    } else {
        static_assert(std::is_same_v<Owner, Security>);
        return member_at<first, rest...>(one.listener->security) ==
               member_at<first, rest...>(other.listener->security);
    }
}

// The row of a member that `set` writes. Bridges and plugins are compared whole, not by member.
template <auto first, auto... rest>
constexpr Setting setting(Outcome (*set)(Draft&, Words&)) {
    using Owner = OwnerOf<first>;
    if constexpr (std::is_same_v<Owner, Bridge> || std::is_same_v<Owner, Plugin>) {
        return {.set = set};
    } else {
        return {.set = set,
                .same = &same<first, rest...>,
                .of_listener = !std::is_same_v<Owner, Config>};
    }
}

template <auto... path>
Outcome set_boolean(Draft& draft, Words& words) {
    const auto value = words.boolean();
    if (!value) return base::fail(value.error());
    member_of<path...>(draft) = *value;
    return {};
}
template <auto... path>
inline constexpr Setting boolean = setting<path...>(&set_boolean<path...>);

// A text may be given once: a second one would silently undo the first.
template <auto first, auto... rest>
Outcome set_text(Draft& draft, Words& words) {
    auto& member = member_of<first, rest...>(draft);
    OwnerOf<first> fresh{};
    if (member != member_at<first, rest...>(fresh)) {
        return base::fail("Error: Duplicate '" + std::string(words.key()) +
                          "' value in configuration.");
    }
    auto value = words.text();
    if (!value) return base::fail(value.error());
    member = std::move(*value);
    return {};
}
template <auto... path>
inline constexpr Setting text = setting<path...>(&set_text<path...>);

// What is below the range becomes `below`, or is refused if there is none.
struct Range {
    std::int64_t min = 0;
    std::int64_t max = std::numeric_limits<int>::max();
    std::int64_t below = std::numeric_limits<std::int64_t>::min();  // Refuse.

    constexpr bool refuses_below() const {
        return below == std::numeric_limits<std::int64_t>::min();
    }
};
inline constexpr Range any_u16{.max = 65'535};
inline constexpr Range at_least_0{.below = 0};
inline constexpr Range no_limit_below_0{.below = -1};

std::string out_of_range(std::string_view name, std::int64_t value, const Range& range);

template <typename T>
struct ValueOf {
    using type = T;
};
template <typename T>
struct ValueOf<std::optional<T>> {
    using type = T;
};

template <Range range, auto... path>
Outcome set_number(Draft& draft, Words& words) {
    auto& member = member_of<path...>(draft);
    using Value = typename ValueOf<std::remove_reference_t<decltype(member)>>::type;
    const auto value = words.number();
    if (!value) return base::fail(value.error());
    if (*value > range.max || (*value < range.min && range.refuses_below())) {
        return base::fail(out_of_range(words.key(), *value, range));
    }
    member = static_cast<Value>(*value < range.min ? range.below : *value);
    return {};
}
template <Range range, auto... path>
inline constexpr Setting number = setting<path...>(&set_number<range, path...>);

}  // namespace config
