// Something to do later, once: a callable that need not be copyable. Small ones (48 bytes, and
// safe to move) live inside the Task, so that posting them does not allocate.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace net {

class Task {
public:
    static constexpr std::size_t inline_bytes = 48;

    Task() = default;
    template <typename Function,
              typename = std::enable_if_t<!std::is_same_v<std::decay_t<Function>, Task>>>
    Task(Function&& function) {  // NOLINT(*-explicit-*): a lambda is a task.
        using F = std::decay_t<Function>;
        if constexpr (fits<F>()) {
            new (storage_) F(std::forward<Function>(function));
            act_ = &act_inline<F>;
        } else {
            new (storage_) F*(new F(std::forward<Function>(function)));
            act_ = &act_boxed<F>;
        }
    }
    Task(Task&& other) noexcept { take(other); }
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    ~Task() { reset(); }

    explicit operator bool() const { return act_ != nullptr; }
    // Runs it. What it holds dies with the Task, not with the call.
    void operator()() { act_(Act::run, storage_, nullptr); }

private:
    enum class Act { run, move, destroy };
    using ActFunction = void (*)(Act act, void* self, void* to);

    template <typename F>
    static constexpr bool fits() {
        // NOLINTNEXTLINE(misc-redundant-expression): it differs from one F to the next.
        return sizeof(F) <= inline_bytes && alignof(F) <= alignof(std::max_align_t) &&
               std::is_nothrow_move_constructible_v<F>;
    }
    template <typename F>
    static void act_inline(Act act, void* self, void* to) {
        F* const function = std::launder(static_cast<F*>(self));
        if (act == Act::run) return (*function)();
        if (act == Act::move) new (to) F(std::move(*function));
        std::destroy_at(function);
    }
    template <typename F>
    static void act_boxed(Act act, void* self, void* to) {
        F*& function = *std::launder(static_cast<F**>(self));
        if (act == Act::run) return (*function)();
        if (act == Act::move) {
            new (to) F*(function);
        } else {
            delete function;
        }
    }
    void take(Task& other) {
        if (!other.act_) return;
        other.act_(Act::move, other.storage_, storage_);
        act_ = std::exchange(other.act_, nullptr);
    }
    void reset() {
        if (act_) std::exchange(act_, nullptr)(Act::destroy, storage_, nullptr);
    }

    alignas(std::max_align_t) unsigned char storage_[inline_bytes] = {};
    ActFunction act_ = nullptr;
};

}  // namespace net
