#include "auth/acl_authorizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "auth/access_file.h"
#include "auth/acl_ruling.h"
#include "base/assert.h"

namespace auth {

using broker::AccessRequest;

base::Result<AclTables, std::string> read_acl_files(std::span<const std::string> files,
                                                    std::vector<std::string>& warnings) {
    AclTables tables;
    for (auto file = files.begin(); file != files.end(); ++file) {
        const auto before = std::find(files.begin(), file, *file);
        if (file->empty() || before != file) {
            const auto same = static_cast<std::size_t>(before - files.begin());
            tables.push_back(file->empty() ? AclTableRef() : tables[same]);
            continue;
        }
        const auto text = read_access_file("acl_file", *file);
        if (!text) return base::fail(text.error());
        auto table = AclTable::parse(*text, *file);
        if (!table) return base::fail(std::move(table.error()));
        warn_of_readers(*file, warnings);
        tables.push_back(std::move(*table));
    }
    return tables;
}

// The rules of one client, of each table that counts for it: its realm's, or, after a restart, when
// nobody knows any more which that was, of all.
class AclAuthorizer::Known : public broker::KnownRights {
public:
    Known(std::uint64_t version, std::vector<AclRights> rights, AclTables tables)
        : version_(version), rights_(std::move(rights)), tables_(std::move(tables)) {}

    std::uint64_t version() const { return version_; }
    bool is_allowed(const AccessRequest& request) const {
        return std::ranges::all_of(rights_, [&](const AclRights& each) {
            return each.judge(request.access, request.topic).is_allowed;
        });
    }
    // Of the first that forbids it, or of the last.
    std::string explain(const AccessRequest& request) const {
        std::string text = "there is no acl_file";
        for (std::size_t i = 0; i < rights_.size(); ++i) {
            const AclRights::Verdict verdict = rights_[i].judge(request.access, request.topic);
            text = verdict.rule ? fmt::format("{}:{}: {}", tables_[i]->file(), verdict.rule->line,
                                              tables_[i]->text_of(*verdict.rule))
                                : fmt::format("no rule of {}", tables_[i]->file());
            if (!verdict.is_allowed) break;
        }
        return text;
    }

private:
    std::uint64_t version_;
    std::vector<AclRights> rights_;
    AclTables tables_;
};

void AclAuthorizer::use(AclTables tables) {
    const bool is_open =
        std::ranges::none_of(tables, [](const AclTableRef& each) { return bool(each); });
    tables_.with([&](AclTables& mine) {
        mine.swap(tables);
        version_.fetch_add(1);
        allows_everything_.store(is_open);
    });
}

AclTableRef AclAuthorizer::table(std::size_t index) {
    return tables_.with([&](const AclTables& tables) { return tables[index]; });
}

AclAuthorizer::Known AclAuthorizer::gather(const AccessRequest& request) {
    AclTables wanted;
    std::uint64_t version = 0;
    tables_.with([&](const AclTables& tables) {
        version = version_.load();
        // Which of them are its own nobody knows, so none is asked.
        if (request.realm == 0 && request.if_unknown && tables.size() > 1) return;
        if (request.realm == 0) {
            wanted = tables;
        } else {
            ASSERT(request.realm <= tables.size());
            wanted.push_back(tables[request.realm - 1]);
        }
    });
    std::erase_if(wanted, [](const AclTableRef& each) { return !each; });
    std::vector<AclRights> rights;
    for (const AclTableRef& table : wanted) {
        rights.emplace_back(table, request.client_id, request.user_name);
    }
    return {version, std::move(rights), std::move(wanted)};
}

bool AclAuthorizer::is_allowed(const AccessRequest& request) {
    if (!request.known) return gather(request).is_allowed(request);
    const auto* known = static_cast<const Known*>(request.known->get());
    if (!known || known->version() != version_.load(std::memory_order_acquire)) {
        auto fresh = std::make_unique<Known>(gather(request));
        known = fresh.get();
        *request.known = std::move(fresh);
    }
    return known->is_allowed(request);
}

std::string AclAuthorizer::explain(const AccessRequest& request) {
    return gather(request).explain(request);
}

void AclAuthorizer::inquire(const broker::Inquiry& inquiry, const broker::OnRuling& done) {
    const AclTableRef mine = inquiry.realm == 0 ? AclTableRef() : table(inquiry.realm - 1);
    if (mine) return done(ruling_of(mine, inquiry));
    done({.is_allowed = true, .because = "there is no acl_file: everything is allowed"});
}

}  // namespace auth
