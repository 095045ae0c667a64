// A value or the reason there is none. The compiler does not let a caller drop one.
//
// tl::expected stands in for std::expected, which neither g++ 12 (C++20) nor clang 14 have.
#pragma once

#include <tl/expected.hpp>
#include <utility>

namespace base {

template <typename T, typename E>
class [[nodiscard]] Result : public tl::expected<T, E> {
public:
    using tl::expected<T, E>::expected;
};

template <typename E>
tl::unexpected<std::decay_t<E>> fail(E&& error) {
    return tl::unexpected<std::decay_t<E>>(std::forward<E>(error));
}

}  // namespace base
