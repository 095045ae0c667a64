#include "mqtt/properties.h"

#include "mqtt/property_type.h"
#include "mqtt/sizer.h"

namespace mqtt {

namespace {

constexpr std::size_t pair_overhead = 1 + 2 + 2;  // The id and two lengths.

}  // namespace

std::optional<UserProperties::Pair> UserProperties::next(Bytes& rest) {
    Reader in(rest);
    while (in.left() > 0) {
        const auto id = static_cast<PropertyId>(in.u8());
        if (id != PropertyId::user_property) {
            skip_property_value(in, id);
            continue;
        }
        Pair pair;
        pair.key = in.raw_text();
        pair.value = in.raw_text();
        rest = rest.last(in.left());
        return pair;
    }
    return std::nullopt;
}

bool UserProperties::empty() const {
    Bytes rest = encoded_;
    return !next(rest);
}

std::size_t UserProperties::count() const {
    std::size_t count = 0;
    for_each([&](const Pair&) { ++count; });
    return count;
}

void UserProperties::write(Writer& out) const {
    for_each([&](const Pair& pair) {
        put_id(out, PropertyId::user_property);
        out.text(pair.key);
        out.text(pair.value);
    });
}

std::size_t UserProperties::encoded_size() const {
    std::size_t size = 0;
    for_each(
        [&](const Pair& pair) { size += pair_overhead + pair.key.size() + pair.value.size(); });
    return size;
}

void write_forwarded(Writer& out, const MessageProperties& properties) {
    put_forwarded(out, properties);
}

std::size_t forwarded_size(const MessageProperties& properties) {
    return size_of([&](auto& to) { put_forwarded(to, properties); });
}

}  // namespace mqtt
