#include "auth/sql_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace auth {
namespace {

constexpr std::array<std::pair<std::string_view, SqlArgument>, 4> names{{
    {"username", SqlArgument::user_name},
    {"clientid", SqlArgument::client_id},
    {"peerhost", SqlArgument::peer_host},
    {"access", SqlArgument::access},
}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_word(char c) {
    return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_quote(char c) {
    return c == '\'' || c == '"' || c == '`';
}

std::optional<SqlArgument> argument_of(std::string_view name) {
    const auto* found = std::find_if(names.begin(), names.end(),
                                     [&](const auto& each) { return each.first == name; });
    if (found == names.end()) return std::nullopt;
    return found->second;
}

}  // namespace

class SqlQueryParser {
public:
    SqlQueryParser(std::string_view text, std::span<const SqlArgument> arguments)
        : rest_(text), wanted_(arguments) {}

    base::Result<SqlQuery, std::string> parse();

private:
    using Outcome = base::Result<void, std::string>;
    // What a placeholder of any kind looks like, at the begin of a text.
    struct Placeholder {
        std::size_t bytes = 0;  // 0: there is none.
        char kind = 0;
        std::string_view name{};
    };

    static Placeholder placeholder_at(std::string_view text);
    Outcome read_next();
    Outcome read_quoted();
    Outcome refuse_unbindable(std::string_view quoted) const;
    Outcome bind(const Placeholder& found);
    base::Result<SqlArgument, std::string> resolve(const Placeholder& found);
    void copy(std::size_t bytes) {
        query_.text_ += rest_.substr(0, bytes);
        rest_.remove_prefix(bytes);
    }

    std::string_view rest_;
    std::span<const SqlArgument> wanted_;
    SqlQuery query_;
    char kind_ = 0;             // Of the placeholders: the first one decides.
    std::size_t in_order_ = 0;  // How many of "?", or of %s, there were.
};

SqlQueryParser::Placeholder SqlQueryParser::placeholder_at(std::string_view text) {
    if (text.starts_with('?')) return {1, '?'};
    if (text.starts_with("%s") || text.starts_with("%d")) return {2, '%', text.substr(1, 1)};
    if (text.starts_with("${")) {
        const std::size_t end = text.find('}');
        if (end == std::string_view::npos) return {};
        return {end + 1, '{', text.substr(2, end - 2)};
    }
    if (!text.starts_with('$')) return {};
    std::size_t end = 1;
    while (end < text.size() && end < 4 && is_digit(text[end])) ++end;
    if (end == 1) return {};
    return {end, '$', text.substr(1, end - 1)};
}

base::Result<SqlQuery, std::string> SqlQueryParser::parse() {
    if (rest_.size() > SqlQuery::bytes_max) {
        return base::fail(fmt::format("is longer than {} bytes", SqlQuery::bytes_max));
    }
    if (std::any_of(rest_.begin(), rest_.end(), [](char c) { return c > 0 && c < ' '; })) {
        return base::fail(std::string("has a control character"));
    }
    while (rest_.ends_with(' ') || rest_.ends_with(';')) rest_.remove_suffix(1);
    if (rest_.empty()) return base::fail(std::string("is empty"));
    while (!rest_.empty()) {
        if (auto read = read_next(); !read) return base::fail(std::move(read.error()));
    }
    return std::move(query_);
}

SqlQueryParser::Outcome SqlQueryParser::read_next() {
    const char first = rest_.front();
    if (is_quote(first)) return read_quoted();
    if (const Placeholder found = placeholder_at(rest_); found.bytes != 0) {
        rest_.remove_prefix(found.bytes);
        return bind(found);
    }
    if (rest_.starts_with("%%")) {
        rest_.remove_prefix(1);
    } else if (first == '$') {
        return base::fail(std::string("has a '$' that is neither $1 nor ${username}"));
    } else if (first == ';') {
        return base::fail(std::string("has more than one statement"));
    } else if (rest_.starts_with("--") || rest_.starts_with("/*")) {
        return base::fail(std::string("has a comment; leave it out"));
    } else if (rest_.starts_with("::")) {
        copy(1);  // PostgreSQL's cast.
    } else if (first == ':' && rest_.size() > 1 && (is_word(rest_[1]) || rest_[1] == '=')) {
        return base::fail(std::string("has a ':', which would begin the name of a parameter"));
    }
    copy(1);
    return {};
}

// A quoted text that is nothing but a placeholder is one; all others stay.
SqlQueryParser::Outcome SqlQueryParser::read_quoted() {
    const char quote = rest_.front();
    const std::size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) {
        return base::fail(fmt::format("has a {} without its end", quote));
    }
    const std::string_view quoted = rest_.substr(1, end - 1);
    const Placeholder found = placeholder_at(quoted);
    const bool is_whole = found.bytes != 0 && found.bytes == quoted.size();
    if (is_whole && found.kind != '?' && found.kind != '$' && quote != '`') {
        rest_.remove_prefix(end + 1);
        return bind(found);
    }
    if (auto judged = refuse_unbindable(quoted); !judged) return judged;
    std::string plain(rest_.substr(0, end + 1));
    for (std::size_t at = 0; (at = plain.find("%%", at)) != std::string::npos; ++at) {
        plain.erase(at, 1);
    }
    query_.text_ += plain;
    rest_.remove_prefix(end + 1);
    return {};
}

SqlQueryParser::Outcome SqlQueryParser::refuse_unbindable(std::string_view quoted) const {
    if (quoted.find('\\') != std::string_view::npos) {
        return base::fail(std::string("has a backslash in a quoted text; write '' for a quote"));
    }
    // Libraries that look for names of parameters do not know these quotes.
    if (rest_.front() != '\'' && quoted.find(':') != std::string_view::npos) {
        return base::fail(fmt::format("has a ':' between {0} and {0}", rest_.front()));
    }
    for (std::size_t at = 0; at < quoted.size(); ++at) {
        if (quoted.substr(at).starts_with("%%")) {
            ++at;
            continue;
        }
        const Placeholder found = placeholder_at(quoted.substr(at));
        if (found.bytes == 0 || found.kind == '?' || found.kind == '$') continue;
        return base::fail(fmt::format(
            "has {} inside a longer text, where it cannot be bound; join them by CONCAT() or ||",
            quoted.substr(at, found.bytes)));
    }
    return {};
}

SqlQueryParser::Outcome SqlQueryParser::bind(const Placeholder& found) {
    if (kind_ != 0 && kind_ != found.kind) {
        return base::fail(
            std::string("has placeholders of two kinds; use one of ?, %s, $1 and "
                        "${username}"));
    }
    kind_ = found.kind;
    const auto argument = resolve(found);
    if (!argument) return base::fail(argument.error());
    if (query_.arguments_.size() == SqlQuery::arguments_max) {
        return base::fail(fmt::format("has more than {} placeholders", SqlQuery::arguments_max));
    }
    query_.arguments_.push_back(*argument);
    // Blanks keep it apart from what stood next to the quotes.
    query_.text_ += fmt::format(" :v{} ", query_.arguments_.size());
    return {};
}

base::Result<SqlArgument, std::string> SqlQueryParser::resolve(const Placeholder& found) {
    if (found.kind == '{') {
        if (const auto argument = argument_of(found.name)) return *argument;
        return base::fail(
            fmt::format("has ${{{}}}; there are ${{username}}, ${{clientid}}, ${{peerhost}} and "
                        "${{access}}",
                        found.name));
    }
    if (found.kind == '%') {
        if (found.name == "d") return SqlArgument::access;
        std::vector<SqlArgument> texts(wanted_.begin(), wanted_.end());
        std::erase(texts, SqlArgument::access);
        return texts[std::min(in_order_++, texts.size() - 1)];
    }
    if (found.kind == '?') return wanted_[std::min(in_order_++, wanted_.size() - 1)];
    std::size_t number = 0;
    for (const char digit : found.name)
        number = number * 10 + static_cast<std::size_t>(digit - '0');
    if (number == 0 || number > wanted_.size()) {
        return base::fail(fmt::format("has ${}; there are $1 to ${}", found.name, wanted_.size()));
    }
    return wanted_[number - 1];
}

base::Result<SqlQuery, std::string> SqlQuery::parse(std::string_view text,
                                                    std::span<const SqlArgument> arguments) {
    return SqlQueryParser(text, arguments).parse();
}

bool SqlQuery::asks_for(SqlArgument argument) const {
    return std::find(arguments_.begin(), arguments_.end(), argument) != arguments_.end();
}

}  // namespace auth
