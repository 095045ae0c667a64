// MQTT's rule for UTF-8 strings, sections 1.5.3 (3.1.1) and 1.5.4 (5.0).
#pragma once

#include <cstddef>
#include <string_view>

namespace mqtt {

// Well-formed, shortest forms only, no surrogates [MQTT-1.5.4-1], no U+0000 [MQTT-1.5.4-2].
// Control characters and non-characters are allowed, as the specification only advises against
// them. Fast for ASCII: eight bytes a step.
bool is_valid_utf8(std::string_view text);

// The same for a payload that says it is text (section 3.3.2.3.2), where U+0000 is a character.
bool is_valid_utf8_payload(std::string_view text);

// Bytes of the well-formed character that `text` begins with, 1 to 4; 0 if it is ill-formed, cut
// short or U+0000. `text` is not empty.
std::size_t leading_character_size(std::string_view text);

}  // namespace mqtt
