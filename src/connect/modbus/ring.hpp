// SPDX-License-Identifier: Apache-2.0
// A bounded queue of one thread that allocates only when it is given its capacity.
#pragma once

#include <cstddef>
#include <vector>

namespace alara::modbus {

template <typename T>
class Ring {
 public:
  explicit Ring(std::size_t capacity = 0) : items_(capacity) {}

  void reset(std::size_t capacity) {  // forgets what is queued
    items_.assign(capacity, T{});
    head_ = size_ = 0;
  }
  void clear() { head_ = size_ = 0; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] bool full() const { return size_ == items_.size(); }
  [[nodiscard]] std::size_t size() const { return size_; }

  // Neither may be called when full.
  void push_back(const T& item) { items_[(head_ + size_++) % items_.size()] = item; }
  void push_front(const T& item) {
    head_ = (head_ + items_.size() - 1) % items_.size();
    items_[head_] = item;
    ++size_;
  }
  // Not when empty.
  T pop_front() {
    const T item = items_[head_];
    head_ = (head_ + 1) % items_.size();
    --size_;
    return item;
  }

 private:
  std::vector<T> items_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace alara::modbus
