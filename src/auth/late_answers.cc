#include "auth/late_answers.h"

#include <atomic>
#include <utility>

#include "base/assert.h"
#include "base/ref_counted.h"

namespace auth {
namespace {

using broker::AuthAnswer;

// What the exchange and its work have in common; the last of the two destroys it.
class Ticket : public base::RefCounted<Ticket> {
public:
    static void destroy(const Ticket* ticket) { delete ticket; }

    // Any thread.
    bool is_wanted() const { return is_wanted_.load(std::memory_order_relaxed); }
    // The shard's thread.
    void wait(broker::AuthWaiter& waiter) const { waiter_ = &waiter; }
    void give_up() const {
        waiter_ = nullptr;
        is_wanted_.store(false, std::memory_order_relaxed);
    }
    void answer(AuthAnswer answer) const {
        if (broker::AuthWaiter* const waiter = std::exchange(waiter_, nullptr)) {
            waiter->on_answer(std::move(answer));
        }
    }

private:
    mutable std::atomic<bool> is_wanted_{true};
    mutable broker::AuthWaiter* waiter_ = nullptr;
};

class LateExchange : public broker::AuthExchange {
public:
    explicit LateExchange(base::Ref<Ticket> ticket) : ticket_(std::move(ticket)) {}
    LateExchange(const LateExchange&) = delete;
    LateExchange& operator=(const LateExchange&) = delete;
    ~LateExchange() override { ticket_->give_up(); }

    // There is only one message: CONNECT's.
    AuthAnswer step(base::Bytes) override {
        return AuthAnswer::refuse(mqtt::ReasonCode::protocol_error);
    }
    void answer_to(broker::AuthWaiter& waiter) override { ticket_->wait(waiter); }

private:
    base::Ref<Ticket> ticket_;
};

}  // namespace

broker::AuthBegun LateAnswers::begin(std::uint32_t shard, Work work) {
    const auto ticket = base::Ref<Ticket>::adopt(new Ticket);
    const bool is_posted =
        pool_.post([this, shard, ticket, make = std::move(work)](std::size_t worker) {
            if (!ticket->is_wanted()) return;
            post_(shard, [ticket, answer = make(worker)] { ticket->answer(answer); });
        });
    if (!is_posted) {
        // Not "not authorised": the client is to try again.
        return {AuthAnswer::refuse(mqtt::ReasonCode::server_busy,
                                   "too many wait for their authentication"),
                nullptr};
    }
    return {AuthAnswer::later(), std::make_unique<LateExchange>(ticket)};
}

bool LateAnswers::ask(std::uint32_t shard,
                      std::function<std::function<void()>(std::size_t worker)> work) {
    return pool_.post(
        [this, shard, work = std::move(work)](std::size_t worker) { post_(shard, work(worker)); });
}

}  // namespace auth
