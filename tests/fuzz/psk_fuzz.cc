// A psk_file: whatever stands in it, an error names a line, and a key is found as it was written.
#include <cstdlib>
#include <string>

#include "net/psk_table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto table = net::PskTable::parse(text, "f");
    if (!table) {
        if (!table.error().starts_with("psk_file f:")) std::abort();
        return 0;
    }
    const auto again = net::PskTable::parse(text + "\nfuzz-added:00ff", "f");
    if (again && again->find("fuzz-added").size() != 2) std::abort();
    return 0;
}
