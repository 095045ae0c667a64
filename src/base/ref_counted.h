// An intrusive reference count, for what several shards share: messages, and groups of members.
//
// Threads: add and release from any thread; the object itself must be immutable once shared, or
// lock what is not.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace base {

// T derives from RefCounted<T> and has `static void destroy(const T*)`, called by the last owner.
template <typename T>
class RefCounted {
public:
    void add_ref() const { count_.fetch_add(1, std::memory_order_relaxed); }
    void release() const {
        if (count_.load(std::memory_order_acquire) == 1 ||
            count_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            T::destroy(static_cast<const T*>(this));
        }
    }
    bool is_shared() const { return count_.load(std::memory_order_relaxed) > 1; }

private:
    mutable std::atomic<std::uint32_t> count_{1};
};

// Owns one reference.
template <typename T>
class Ref {
public:
    Ref() = default;
    // Takes over the reference that a new object is born with.
    static Ref adopt(const T* object) {
        Ref ref;
        ref.object_ = object;
        return ref;
    }
    Ref(const Ref& other) : object_(other.object_) {
        if (object_) object_->add_ref();
    }
    Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Ref() {
        if (object_) object_->release();
    }

    const T* get() const { return object_; }
    const T& operator*() const { return *object_; }
    const T* operator->() const { return object_; }
    explicit operator bool() const { return object_ != nullptr; }

private:
    const T* object_ = nullptr;
};

}  // namespace base
