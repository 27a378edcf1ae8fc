// SPDX-License-Identifier: Apache-2.0
// A counter with one writer and any number of readers: the writer pays a plain load and store, no locked instruction.
#pragma once

#include <atomic>
#include <cstdint>

namespace alara::flow {

class Counter {
 public:
  // One writing thread at a time.
  void add(std::uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_release);
  }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_release); }
  // Any thread. What the writer did before its last add() is visible after get().
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace alara::flow
