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

// What the copies of a piece of work have in common. If none of them was run, and all are gone,
// who waits is told so.
class Errand : public base::RefCounted<Errand> {
public:
    Errand(LateAnswers::Post post, std::uint32_t shard, std::function<void()> if_dropped)
        : post_(std::move(post)), shard_(shard), if_dropped_(std::move(if_dropped)) {}
    static void destroy(const Errand* errand) {
        if (!errand->is_done_) errand->post_(errand->shard_, errand->if_dropped_);
        delete errand;
    }
    // By who runs it, or could not post it.
    void done() const { is_done_ = true; }

private:
    const LateAnswers::Post post_;
    const std::uint32_t shard_;
    const std::function<void()> if_dropped_;
    mutable bool is_done_ = false;
};

AuthAnswer busy(const char* why) {
    // Not "not authorised": the client is to try again.
    return AuthAnswer::refuse(mqtt::ReasonCode::server_busy, why);
}

}  // namespace

broker::AuthBegun LateAnswers::begin(std::uint32_t shard, Work work) {
    const auto ticket = base::Ref<Ticket>::adopt(new Ticket);
    const auto make = [this, shard, ticket, work = std::move(work)](std::size_t worker) {
        if (!ticket->is_wanted()) return;
        post_(shard, [ticket, answer = work(worker)] { ticket->answer(answer); });
    };
    if (!post(shard, make, [ticket] { ticket->answer(busy("who knows the users has changed")); })) {
        return {busy("too many wait for their authentication"), nullptr};
    }
    return {AuthAnswer::later(), std::make_unique<LateExchange>(ticket)};
}

bool LateAnswers::ask(std::uint32_t shard,
                      std::function<std::function<void()>(std::size_t worker)> work,
                      std::function<void()> if_dropped) {
    return post(
        shard,
        [this, shard, work = std::move(work)](std::size_t worker) { post_(shard, work(worker)); },
        std::move(if_dropped));
}

bool LateAnswers::post(std::uint32_t shard, WorkPool::Work work, std::function<void()> if_dropped) {
    const auto errand = base::Ref<Errand>::adopt(new Errand(post_, shard, std::move(if_dropped)));
    const bool is_posted = pool_.post([errand, work = std::move(work)](std::size_t worker) {
        errand->done();
        work(worker);
    });
    if (!is_posted) errand->done();
    return is_posted;
}

}  // namespace auth
