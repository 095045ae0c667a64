// What the operating system lets this process have.
#pragma once

#include <cstddef>

namespace net {

// Raises the limit of open files to the hard limit; returns what holds now.
std::size_t raise_fd_limit();

}  // namespace net
