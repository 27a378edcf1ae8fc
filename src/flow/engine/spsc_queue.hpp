// SPDX-License-Identifier: Apache-2.0
// A bounded queue of fixed-size items from one thread to another, allocated once; its memory is touched only as far as
// items have come. A full queue refuses; the caller counts that. Items move.
//
// Safety rules: `tail_` is written by the producer only, `head_` by the consumer only; an item's slot is touched by the
// producer before it publishes tail_ and by the consumer before it publishes head_. Positions rise and never wrap.
// tail_ is stored sequentially consistent so that Wake::tell() or an eventfd may follow.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>

namespace alara::flow {

template <typename T>
class SpscQueue {
 public:
  // Capacity is rounded up to a power of two.
  explicit SpscQueue(std::size_t capacity)
      : mask_(std::bit_ceil(capacity) - 1), items_(std::allocator<T>().allocate(this->capacity())) {}
  ~SpscQueue() {
    std::destroy_n(items_, std::min<std::uint64_t>(tail_.load(std::memory_order_relaxed), capacity()));
    std::allocator<T>().deallocate(items_, capacity());
  }
  SpscQueue(const SpscQueue&) = delete;
  SpscQueue& operator=(const SpscQueue&) = delete;

  // Producer. False when full; `item` is then unchanged.
  bool push(T&& item) {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ == capacity()) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ == capacity()) return false;
    }
    if (tail <= mask_)  // the first time round
      std::construct_at(items_ + tail, std::move(item));
    else
      items_[tail & mask_] = std::move(item);
    tail_.store(tail + 1, std::memory_order_seq_cst);
    return true;
  }
  bool push(const T& item) {
    T copy = item;
    return push(std::move(copy));
  }

  // Consumer. False when empty.
  bool pop(T& item) {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_seq_cst);
      if (head == tail_seen_) return false;
    }
    item = std::move(items_[head & mask_]);
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  // Any thread; a moment's truth.
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const {
    const std::uint64_t head = head_.load(std::memory_order_seq_cst);
    return tail_.load(std::memory_order_seq_cst) - head;
  }
  [[nodiscard]] std::size_t capacity() const { return mask_ + 1; }

 private:
  const std::uint64_t mask_;
  T* const items_;
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  std::uint64_t head_seen_ = 0;  // producer's
  alignas(64) std::atomic<std::uint64_t> head_{0};
  std::uint64_t tail_seen_ = 0;  // consumer's
};

}  // namespace alara::flow
