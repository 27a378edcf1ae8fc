// SPDX-License-Identifier: Apache-2.0
// Counts allocations of this test program.
#include <atomic>
#include <cstdlib>
#include <new>

#include "flow/feature/step_fixture.hpp"

namespace {
std::atomic<std::uint64_t> allocations{0};
}

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(size)) return p;
  std::abort();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace alara::flow::test {
std::uint64_t allocations_so_far() { return allocations.load(std::memory_order_relaxed); }
}  // namespace alara::flow::test
