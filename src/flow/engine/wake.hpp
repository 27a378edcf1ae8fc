// SPDX-License-Identifier: Apache-2.0
// Lets one thread sleep until another has something for it, by a futex. Telling a waiter that is awake costs one load.
//
// Safety rules (Dekker's pattern; all four steps are sequentially consistent):
//   teller: 1. store the news (ring tail, mailbox …) with memory_order_seq_cst   2. tell()
//   waiter: 1. prepare()   2. look for news with memory_order_seq_cst loads; none: wait(), some: cancel()
// Either the teller sees the waiter's mark, or the waiter sees the news. One waiter; any number of tellers.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.hpp"

namespace alara::flow {

class Wake {
 public:
  // Waiter: announces that it is about to sleep. Returns what wait() must be given.
  [[nodiscard]] std::uint32_t prepare() {
    asleep_.store(true, std::memory_order_seq_cst);
    return epoch_.load(std::memory_order_seq_cst);
  }
  void cancel() { asleep_.store(false, std::memory_order_relaxed); }
  // Sleeps until told, `at_most` nanoseconds of the system's monotonic clock; may return early.
  void wait(std::uint32_t prepared, Nanos at_most);

  // Teller.
  void tell() {
    if (asleep_.load(std::memory_order_seq_cst)) rouse();
  }

 private:
  void rouse();

  std::atomic<std::uint32_t> epoch_{0};
  std::atomic<bool> asleep_{false};
};

}  // namespace alara::flow
