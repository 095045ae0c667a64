// Bytes on their way out of one connection, in order, in pieces that one writev() can take.
//
//     [chunk: packets, packets] -> [shared payload] -> [chunk: packets ...]
//
// Small packets are copied into chunks, which come from the shard's ChunkPool and go back to it as
// soon as they are written: an idle connection holds none. A large payload is not copied but
// referenced, and released when its last byte is written.
//
// Thread: the shard that owns the connection. The pool outlives the queue.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"

namespace base {

// Keeps bytes alive that others may point at: the payload of a message, a read buffer.
struct SharedBytes {
    // `release(owner)` runs once, when the last byte is written or the queue dies.
    using Release = void (*)(const void* owner);
    Bytes bytes;
    const void* owner = nullptr;
    Release release = nullptr;
};

struct Chunk {
    Chunk* next = nullptr;
    std::uint32_t capacity = 0;  // Of data, in bytes.
    std::uint32_t used = 0;
    std::uint8_t* data() { return reinterpret_cast<std::uint8_t*>(this + 1); }
};

// Free chunks of three sizes, so that a burst does not allocate. Holds at most `bytes_max`.
class ChunkPool {
public:
    explicit ChunkPool(std::size_t bytes_max = std::size_t{8} << 20) : bytes_max_(bytes_max) {}
    ChunkPool(const ChunkPool&) = delete;
    ChunkPool& operator=(const ChunkPool&) = delete;
    ~ChunkPool();

    // An empty chunk with room for at least `bytes`; small for the first of a queue, then larger
    // ones.
    Chunk* take(std::size_t bytes, std::size_t chunks_already_held);
    void give_back(Chunk* chunk);

private:
    // With their headers. Odd multiples of a cache line: chunks at a power-of-two distance would
    // compete for the same few sets of the L1 cache when a fan-out writes one packet to each.
    static constexpr std::size_t line = 64;
    static constexpr std::array<std::size_t, 3> sizes{17 * line, 67 * line, 261 * line};
    static std::size_t class_of(std::size_t size);

    std::array<Chunk*, sizes.size()> free_{};
    std::size_t bytes_ = 0;
    std::size_t bytes_max_;
};

class OutputQueue {
public:
    explicit OutputQueue(ChunkPool& pool);
    OutputQueue(const OutputQueue&) = delete;
    OutputQueue& operator=(const OutputQueue&) = delete;
    ~OutputQueue();

    // Room for `size` bytes at the end, which the caller fills at once and completely.
    std::uint8_t* extend(std::size_t size) {
        size_ += size;
        if (tail_ && tail_->capacity - tail_->used >= size) {
            std::uint8_t* at = tail_->data() + tail_->used;
            tail_->used += static_cast<std::uint32_t>(size);
            return at;
        }
        return extend_slow(size);
    }
    // Copies.
    void append(Bytes bytes);
    // Does not copy; `payload` is released exactly once, also if it is empty.
    void append_shared(const SharedBytes& payload);

    // Bytes not yet consumed.
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    // A gate for bytes that must not be written yet: nothing behind `sendable()` is gathered.
    std::size_t sendable() const { return open_ < size_ ? open_ : size_; }
    bool is_withheld() const { return open_ != no_gate; }
    // Closes the gate, if it is open, before everything that is queued. What is appended queues up
    // behind it. Returns how many bytes stand there.
    std::size_t withhold() {
        if (!is_withheld()) open_ = 0;
        return size_ - open_;
    }
    // Lets the first `size` of the withheld bytes pass; or all of them, and those to come.
    void release(std::size_t size) { open_ += size; }
    void release_all() { open_ = no_gate; }

    // Describes the first bytes, up to `vectors.size()` pieces; returns how many pieces it filled.
    std::size_t gather(std::span<iovec> vectors) const;
    // Drops the first `size` bytes: they are written.
    void consume(std::size_t size);
    void clear();

private:
    static constexpr std::size_t no_gate = SIZE_MAX;
    std::uint8_t* extend_slow(std::size_t size);
    std::size_t gather_all(std::span<iovec> vectors) const;

    void drop_head();

    // Payloads that stand between two bytes of a chunk; rare, so kept apart.
    struct Splices;
    ChunkPool* pool_;
    Chunk* head_ = nullptr;
    Chunk* tail_ = nullptr;
    std::unique_ptr<Splices> splices_;
    std::size_t size_ = 0;
    std::size_t open_ = no_gate;     // How many bytes, from the first, may be written.
    std::uint32_t head_offset_ = 0;  // What is consumed of the head chunk.
    std::uint32_t chunks_ = 0;
};

static_assert(sizeof(OutputQueue) <= 56);

}  // namespace base
