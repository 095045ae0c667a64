#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace base {

void assertion_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "nightjar: %s:%d: assertion failed: %s\n", file, line, condition);
    std::abort();
}

}  // namespace base
