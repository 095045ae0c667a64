// What clients may do by the acl_file of their listener; without one, everything.
//
// Owned by server/. Threads: is_allowed() and explain() by every shard; use() by one thread at a
// time, the first time before any of them. A shard looks at an atomic version for each question;
// only when that has changed, or for a new client, it takes the lock to gather the client's rules,
// which stay with the client's session (KnownRights).
#pragma once

#include <atomic>
#include <span>
#include <string>
#include <vector>

#include "auth/acl_table.h"
#include "base/guarded.h"

namespace auth {

// The tables of the realms 1, 2, ...; an empty reference for one without.
using AclTables = std::vector<AclTableRef>;

// Fails with a sentence, and appends what is odd about the files to `warnings`.
base::Result<AclTables, std::string> read_acl_files(std::span<const std::string> files,
                                                    std::vector<std::string>& warnings);

class AclAuthorizer : public broker::Authorizer {
public:
    // In place of what was there before.
    void use(AclTables tables);
    // Of the realm `index` + 1, which is there.
    AclTableRef table(std::size_t index);

    bool is_allowed(const broker::AccessRequest& request) override;
    bool allows_everything() const override {
        return allows_everything_.load(std::memory_order_relaxed);
    }
    std::string explain(const broker::AccessRequest& request) override;
    void inquire(const broker::Inquiry& inquiry, const broker::OnRuling& done) override;

private:
    class Known;

    Known gather(const broker::AccessRequest& request);

    std::atomic<bool> allows_everything_{true};
    std::atomic<std::uint64_t> version_{1};  // Of tables_.
    base::Guarded<AclTables> tables_;
};

}  // namespace auth
