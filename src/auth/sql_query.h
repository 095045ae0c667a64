// A query as the configuration has it, and what stands in its place: the text with named
// parameters, ":v1", ":v2", ..., and what each of them is bound to. What a client says is never
// part of the text.
//
// The placeholders of other programs are taken as they are, one kind in a query:
//
//     ?              in the order of the query's arguments, the last one for all that follow
//     $1 $2          by number
//     %s %d          mosquitto-auth-plug: texts in order, and the access; %% is a percent sign
//     ${username}    by name: username, clientid, peerhost, access
//
// Quotes around a placeholder go with it. One inside a longer text cannot be bound, and is refused.
//
// Immutable once made. No I/O.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace auth {

enum class SqlArgument : std::uint8_t {
    user_name,
    client_id,
    peer_host,
    access,
};

class SqlQuery {
public:
    static constexpr std::size_t bytes_max = 16'384;
    static constexpr std::size_t arguments_max = 32;

    SqlQuery() = default;
    // `arguments` is what "?" and "$1" stand for, in their order. Fails with a sentence.
    static base::Result<SqlQuery, std::string> parse(std::string_view text,
                                                     std::span<const SqlArgument> arguments);

    bool is_empty() const { return text_.empty(); }
    const std::string& text() const { return text_; }
    // Of :v1, :v2, ...
    const std::vector<SqlArgument>& arguments() const { return arguments_; }
    bool asks_for(SqlArgument argument) const;

private:
    friend class SqlQueryParser;

    std::string text_;
    std::vector<SqlArgument> arguments_;
};

}  // namespace auth
