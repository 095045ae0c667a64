#include "server/retirement.h"

#include <utility>

namespace server {

std::size_t Retirement::waiting() {
    std::erase_if(batches_, [](const auto& batch) { return batch->is_over.load(); });
    return batches_.size();
}

bool Retirement::has_room() {
    return waiting() < batches_max;
}

void Retirement::add(RetiredUsers retired) {
    if (retired.is_empty()) return;
    batches_.push_back(std::make_unique<Batch>());
    Batch& batch = *batches_.back();
    batch.retired = std::move(retired);
    batch.shards_left = shards_;
    for (std::uint32_t shard = 0; shard < shards_; ++shard) {
        post_(shard, [this, &batch] { tell_passed(batch); });
    }
}

void Retirement::tell_passed(Batch& batch) {
    post_(0, [this, &batch] { on_passed(batch); });
}

void Retirement::on_passed(Batch& batch) {
    if (--batch.shards_left != 0) return;
    // There is room: has_room() came first. If not, finish() is left to destroy it.
    (void)pool_.post([&batch](std::size_t) {
        batch.retired = {};
        batch.is_over.store(true);
    });
}

void Retirement::finish() {
    pool_.finish();
    batches_.clear();
}

}  // namespace server
