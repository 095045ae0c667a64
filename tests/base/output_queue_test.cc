#include "base/output_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <string>

namespace base {
namespace {

// Payloads that count how often each is released.
class Payloads {
public:
    SharedBytes make(std::string text) {
        payloads_.push_back({std::move(text), 0});
        const Payload& one = payloads_.back();
        return {as_bytes(one.text), &one,
                [](const void* owner) { ++static_cast<const Payload*>(owner)->releases; }};
    }
    std::size_t count() const { return payloads_.size(); }
    std::size_t released() const {
        std::size_t sum = 0;
        for (const Payload& one : payloads_) {
            EXPECT_LE(one.releases, 1) << "released twice";
            sum += static_cast<std::size_t>(one.releases);
        }
        return sum;
    }

private:
    struct Payload {
        std::string text;
        mutable int releases;
    };
    std::deque<Payload> payloads_;
};

std::string gathered(const OutputQueue& queue, std::size_t pieces_max) {
    std::vector<iovec> vectors(pieces_max);
    const std::size_t count = queue.gather(vectors);
    EXPECT_LE(count, pieces_max);
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        EXPECT_GT(vectors[i].iov_len, 0U) << "an empty piece";
        text.append(static_cast<const char*>(vectors[i].iov_base), vectors[i].iov_len);
    }
    return text;
}

TEST(OutputQueue, KeepsTheOrderOfCopiedAndSharedBytes) {
    ChunkPool pool;
    Payloads payloads;
    OutputQueue queue(pool);
    queue.append_shared(payloads.make("first"));
    queue.append(as_bytes("-a-"));
    queue.append_shared(payloads.make("second"));
    queue.append_shared(payloads.make("third"));
    queue.append(as_bytes("-b"));
    EXPECT_EQ(gathered(queue, 64), "first-a-secondthird-b");
    EXPECT_EQ(gathered(queue, 2), "first-a-");

    queue.consume(4);
    EXPECT_EQ(payloads.released(), 0U);
    queue.consume(1);
    EXPECT_EQ(payloads.released(), 1U) << "with its last byte";
    EXPECT_EQ(gathered(queue, 64), "-a-secondthird-b");
    queue.consume(queue.size());
    EXPECT_EQ(payloads.released(), 3U);
    EXPECT_TRUE(queue.empty());
}

TEST(OutputQueue, ReleasesAnEmptyPayloadAtOnceAndOthersWhenItDies) {
    ChunkPool pool;
    Payloads payloads;
    {
        OutputQueue queue(pool);
        queue.append_shared(payloads.make(""));
        EXPECT_EQ(payloads.released(), 1U);
        EXPECT_TRUE(queue.empty());
        queue.append_shared(payloads.make("left over"));
    }
    EXPECT_EQ(payloads.released(), 2U);
}

TEST(OutputQueue, StartsSmallAndTakesLargePiecesWhole) {
    ChunkPool pool;
    OutputQueue queue(pool);
    std::vector<iovec> vectors(8);
    queue.append(as_bytes(std::string(900, 'a')));
    queue.append(as_bytes(std::string(3000, 'b')));
    queue.append(as_bytes(std::string(100'000, 'c')));
    ASSERT_EQ(queue.gather(vectors), 3U);
    EXPECT_EQ(vectors[2].iov_len, 100'000U) << "one piece, however large";
}

TEST(OutputQueue, GathersNothingBehindTheGate) {
    ChunkPool pool;
    Payloads payloads;
    OutputQueue queue(pool);
    queue.append(as_bytes("ab"));
    queue.append_shared(payloads.make("cdef"));
    EXPECT_EQ(queue.sendable(), 6U);
    EXPECT_EQ(queue.withhold(), 6U);
    EXPECT_EQ(gathered(queue, 64), "");
    queue.append(as_bytes("gh"));
    EXPECT_EQ(queue.withhold(), 8U) << "what came since stands there too";

    queue.release(5);
    EXPECT_EQ(queue.sendable(), 5U);
    EXPECT_EQ(gathered(queue, 64), "abcde") << "in the middle of a payload";
    queue.consume(4);
    EXPECT_EQ(gathered(queue, 64), "e");
    queue.consume(1);
    EXPECT_EQ(queue.sendable(), 0U);
    EXPECT_EQ(queue.size(), 3U);

    queue.release_all();
    queue.append(as_bytes("i"));
    EXPECT_EQ(gathered(queue, 64), "fghi");
    EXPECT_FALSE(queue.is_withheld());
}

TEST(ChunkPool, GivesBackWhatItWasGivenAndHoldsNoMoreThanItsLimit) {
    ChunkPool pool(6000);
    Chunk* small = pool.take(10, 0);
    Chunk* medium = pool.take(10, 1);
    Chunk* large = pool.take(10, 2);
    EXPECT_LT(small->capacity, medium->capacity);
    EXPECT_LT(medium->capacity, large->capacity);
    for (const Chunk* chunk : {small, medium, large}) {
        EXPECT_NE((chunk->capacity + sizeof(Chunk)) % 4096, 0U) << "would alias in the L1 cache";
    }
    medium->used = 10;
    pool.give_back(small);
    pool.give_back(medium);
    pool.give_back(large);  // Does not fit: freed, which ASan sees if it is not.
    Chunk* again = pool.take(10, 1);
    EXPECT_EQ(again, medium);
    EXPECT_EQ(again->used, 0U);
    EXPECT_EQ(again->next, nullptr);
    pool.give_back(again);
}

// A queue and the string that it should hold, changed together at random.
struct Twins {
    explicit Twins(unsigned seed) : random(seed) {}

    std::size_t pick(std::size_t end) { return random() % end; }
    std::string text() {
        const std::size_t sizes[] = {1, 40, 1200, 20'000};
        std::string one(pick(sizes[pick(4)] + 1), '\0');
        for (char& c : one) c = static_cast<char>('a' + pick(26));
        return one;
    }
    void change() {
        const std::size_t choice = pick(8);
        if (choice < 5) {
            const std::string one = text();
            if (choice < 3) {
                queue.append(as_bytes(one));
            } else {
                queue.append_shared(payloads.make(one));
            }
            model += one;
        } else if (choice < 7 || pick(50) > 0) {
            const std::size_t size = pick(2) == 0 ? pick(model.size() + 1)
                                                  : std::min<std::size_t>(model.size(), pick(99));
            queue.consume(size);
            model.erase(0, size);
        } else {
            queue.clear();
            model.clear();
        }
    }

    std::mt19937 random;
    ChunkPool pool{std::size_t{64} << 10};
    Payloads payloads;
    OutputQueue queue{pool};
    std::string model;
};

TEST(OutputQueue, AgreesWithAString) {
    for (unsigned seed = 1; seed <= 30; ++seed) {
        SCOPED_TRACE(seed);
        Twins twins(seed);
        for (int step = 0; step < 2000; ++step) {
            twins.change();
            ASSERT_EQ(twins.queue.size(), twins.model.size());
            const std::string seen = gathered(twins.queue, 1 + twins.pick(12));
            ASSERT_EQ(seen, twins.model.substr(0, seen.size()));
            ASSERT_EQ(seen.empty(), twins.model.empty());
        }
        twins.queue.clear();
        EXPECT_EQ(twins.payloads.released(), twins.payloads.count());
    }
}

}  // namespace
}  // namespace base
