#include "base/output_queue.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <new>
#include <utility>

#include "base/assert.h"

namespace base {

// ---- ChunkPool

ChunkPool::~ChunkPool() {
    for (Chunk* chunk : free_) {
        while (chunk) ::operator delete(std::exchange(chunk, chunk->next));
    }
}

// The index of the smallest size that holds `size` bytes, or sizes.size().
std::size_t ChunkPool::class_of(std::size_t size) {
    return static_cast<std::size_t>(std::lower_bound(sizes.begin(), sizes.end(), size) -
                                    sizes.begin());
}

Chunk* ChunkPool::take(std::size_t bytes, std::size_t chunks_already_held) {
    const std::size_t step = std::min(chunks_already_held, sizes.size() - 1);
    const std::size_t kind = std::max(step, class_of(bytes + sizeof(Chunk)));
    if (kind < sizes.size() && free_[kind]) {
        Chunk* chunk = free_[kind];
        free_[kind] = chunk->next;
        bytes_ -= sizes[kind];
        chunk->next = nullptr;
        chunk->used = 0;
        return chunk;
    }
    const std::size_t size = kind < sizes.size() ? sizes[kind] : bytes + sizeof(Chunk);
    Chunk* chunk = new (::operator new(size)) Chunk;
    chunk->capacity = static_cast<std::uint32_t>(size - sizeof(Chunk));
    return chunk;
}

void ChunkPool::give_back(Chunk* chunk) {
    const std::size_t size = chunk->capacity + sizeof(Chunk);
    const std::size_t kind = class_of(size);
    const bool pooled = kind < sizes.size() && sizes[kind] == size;
    if (!pooled || bytes_ + size > bytes_max_) {
        ::operator delete(chunk);
        return;
    }
    chunk->next = free_[kind];
    free_[kind] = chunk;
    bytes_ += size;
}

// ---- OutputQueue

// A splice stands before byte `at` of `chunk`; several may stand at the same place, in order.
struct OutputQueue::Splices {
    struct Splice {
        Chunk* chunk;
        std::uint32_t at;
        SharedBytes payload;  // `bytes` shrinks as it is written.
    };
    std::deque<Splice> list;

    bool next_is_in(const Chunk* chunk) const {
        return !list.empty() && list.front().chunk == chunk;
    }
};

OutputQueue::OutputQueue(ChunkPool& pool) : pool_(&pool) {}

OutputQueue::~OutputQueue() {
    clear();
}

std::uint8_t* OutputQueue::extend_slow(std::size_t size) {
    Chunk* chunk = pool_->take(size, chunks_);
    (tail_ ? tail_->next : head_) = chunk;
    tail_ = chunk;
    ++chunks_;
    chunk->used = static_cast<std::uint32_t>(size);
    return chunk->data();
}

void OutputQueue::append(Bytes bytes) {
    if (bytes.empty()) return;
    std::memcpy(extend(bytes.size()), bytes.data(), bytes.size());
}

void OutputQueue::append_shared(const SharedBytes& payload) {
    if (payload.bytes.empty()) {
        payload.release(payload.owner);
        return;
    }
    if (!tail_) extend_slow(0);  // Something to stand in.
    if (!splices_) splices_ = std::make_unique<Splices>();
    splices_->list.push_back({tail_, tail_->used, payload});
    size_ += payload.bytes.size();
}

std::size_t OutputQueue::gather(std::span<iovec> vectors) const {
    const std::size_t count = gather_all(vectors);
    if (open_ >= size_) return count;
    std::size_t left = open_;
    for (std::size_t i = 0; i < count; ++i) {
        if (left == 0) return i;
        vectors[i].iov_len = std::min(vectors[i].iov_len, left);
        left -= vectors[i].iov_len;
    }
    return count;
}

std::size_t OutputQueue::gather_all(std::span<iovec> vectors) const {
    std::size_t count = 0;
    const auto put = [&](const std::uint8_t* data, std::size_t size) {
        if (size == 0) return true;
        if (count == vectors.size()) return false;
        vectors[count++] = {const_cast<std::uint8_t*>(data), size};
        return true;
    };
    std::size_t splice = 0;
    std::uint32_t from = head_offset_;
    for (Chunk* chunk = head_; chunk; chunk = chunk->next, from = 0) {
        for (; splices_ && splice < splices_->list.size(); ++splice) {
            const Splices::Splice& next = splices_->list[splice];
            if (next.chunk != chunk) break;
            if (!put(chunk->data() + from, next.at - from)) return count;
            if (!put(next.payload.bytes.data(), next.payload.bytes.size())) return count;
            from = next.at;
        }
        if (!put(chunk->data() + from, chunk->used - from)) return count;
    }
    return count;
}

void OutputQueue::consume(std::size_t size) {
    ASSERT(size <= sendable());
    size_ -= size;
    if (is_withheld()) open_ -= size;
    while (size > 0) {
        const bool spliced = splices_ && splices_->next_is_in(head_);
        const std::uint32_t end = spliced ? splices_->list.front().at : head_->used;
        const auto step =
            static_cast<std::uint32_t>(std::min<std::size_t>(size, end - head_offset_));
        head_offset_ += step;
        size -= step;
        if (head_offset_ < end) break;
        if (!spliced) {
            if (size > 0) drop_head();
            continue;
        }
        SharedBytes& payload = splices_->list.front().payload;
        const std::size_t part = std::min(size, payload.bytes.size());
        payload.bytes = payload.bytes.subspan(part);
        size -= part;
        if (!payload.bytes.empty()) break;
        payload.release(payload.owner);
        splices_->list.pop_front();
    }
    if (size_ == 0) clear();
}

void OutputQueue::clear() {
    if (splices_) {
        for (const auto& splice : splices_->list) splice.payload.release(splice.payload.owner);
        splices_.reset();
    }
    while (head_) drop_head();
    tail_ = nullptr;
    size_ = 0;
}

void OutputQueue::drop_head() {
    Chunk* chunk = head_;
    head_ = chunk->next;
    head_offset_ = 0;
    --chunks_;
    pool_->give_back(chunk);
}

}  // namespace base
