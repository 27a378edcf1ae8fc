// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/doorbell.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace alara::flow {

Result<int> Doorbell::open() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) return fail(ErrorKind::exhausted, "can not make an eventfd: {}", std::strerror(errno));
  return fd;
}

Doorbell::~Doorbell() { close(event_fd_); }

void Doorbell::ring() {
  if (rung_.exchange(true, std::memory_order_seq_cst)) return;
  const std::uint64_t one = 1;
  // Can only fail when the counter would overflow, and then the descriptor is readable anyway.
  static_cast<void>(!write(event_fd_, &one, sizeof one));
}

void Doorbell::quiet() {
  std::uint64_t count = 0;
  static_cast<void>(!read(event_fd_, &count, sizeof count));
  rung_.store(false, std::memory_order_seq_cst);
}

}  // namespace alara::flow
