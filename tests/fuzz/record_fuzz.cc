// Records of the store: any key and value is a record or is refused, and a record that is read can
// be written and read again.
//
//     input := size of the key, key, value; its checksum is put right if the input says so
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdlib>
#include <vector>

#include "storage/record.h"

namespace {

using base::Bytes;
using storage::Record;
using storage::WriteList;

void require(bool condition) {
    if (!condition) std::abort();
}

void put_checksum(std::vector<std::uint8_t>& value, Bytes key) {
    const std::uint64_t seed = XXH3_64bits(key.data(), key.size());
    const std::uint64_t hash = XXH3_64bits_withSeed(value.data(), value.size(), seed);
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        value.push_back(static_cast<std::uint8_t>(hash >> shift));
    }
}

struct Pair {
    std::vector<std::uint8_t> key;
    std::vector<std::uint8_t> value;
    bool operator==(const Pair&) const = default;
};

Pair encoded(const Record& record) {
    WriteList out;
    std::visit([&](const auto& one) { put(out, one); }, record);
    Pair pair;
    out.for_each([&](const WriteList::Write& write) {
        pair.key.assign(write.first.begin(), write.first.end());
        pair.value.assign(write.second.begin(), write.second.end());
    });
    return pair;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const bool is_whole = (data[0] & 1) != 0;
    const std::size_t key_size = std::min<std::size_t>(data[1], size - 2);
    const Bytes key(data + 2, key_size);
    std::vector<std::uint8_t> value(data + 2 + key_size, data + size);
    if (is_whole) put_checksum(value, key);
    storage::describe_key(key);
    const auto record = storage::decode_record(key, value);
    if (!record) return 0;
    const Pair once = encoded(*record);
    require(std::equal(key.begin(), key.end(), once.key.begin(), once.key.end()));
    const auto again = storage::decode_record(once.key, once.value);
    require(again.has_value());
    require(encoded(*again) == once);
    return 0;
}
