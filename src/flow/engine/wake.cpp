// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/wake.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

namespace alara::flow {
namespace {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

}  // namespace

void Wake::wait(std::uint32_t prepared, Nanos at_most) {
  if (at_most > 0) {
    const timespec limit{at_most / kSecond, at_most % kSecond};
    syscall(SYS_futex, &epoch_, FUTEX_WAIT_PRIVATE, prepared, at_most == kNever ? nullptr : &limit, nullptr, 0);
  }
  cancel();
}

void Wake::rouse() {
  epoch_.fetch_add(1, std::memory_order_seq_cst);
  syscall(SYS_futex, &epoch_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace alara::flow
