// Batches of changes: what need not be written is left out.
#include <gtest/gtest.h>

#include "broker/store.h"

namespace broker {
namespace {

constexpr SessionNumber one{1};
constexpr SessionNumber two{2};

MessageKept kept(SessionNumber session, std::uint64_t order) {
    return {.session = session, .order = order};
}

TEST(ChangeBatch, leaves_out_a_message_that_came_and_went) {
    ChangeBatch batch;
    batch.add(kept(one, 1));
    batch.add(kept(two, 1));
    batch.add(MessageSent{one, 1, OutgoingState::wait_puback, 7});
    batch.add(MessageDone{one, 1});
    batch.prune();
    ASSERT_EQ(1U, batch.size());
    EXPECT_EQ(two, std::get<MessageKept>(batch.all()[0]).session);
}

TEST(ChangeBatch, keeps_the_end_of_a_message_that_is_in_the_store) {
    ChangeBatch batch;
    batch.add(MessageSent{one, 1, OutgoingState::wait_puback, 7});
    batch.add(MessageDone{one, 1});
    batch.add(kept(one, 2));
    batch.prune();
    EXPECT_EQ(3U, batch.size());
}

TEST(ChangeBatch, a_group_of_turns_is_pruned_as_one) {
    ChangeBatch group;
    ChangeBatch turn;
    turn.add(kept(one, 1));
    group.absorb(turn);
    EXPECT_TRUE(turn.empty());
    turn.add(ReceivedKept{two, 3});
    turn.add(MessageDone{one, 1});
    group.absorb(turn);
    EXPECT_TRUE(turn.empty());
    group.prune();
    ASSERT_EQ(1U, group.size());
    EXPECT_TRUE(std::holds_alternative<ReceivedKept>(group.all()[0]));
}

}  // namespace
}  // namespace broker
