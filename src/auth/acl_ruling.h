// What an acl_file says about a client and a topic, in words for a person who wants to change it:
// the line that decides, and the one that would allow it.
#pragma once

#include "auth/acl_table.h"

namespace auth {

broker::Ruling ruling_of(const AclTableRef& table, const broker::Inquiry& inquiry);

}  // namespace auth
