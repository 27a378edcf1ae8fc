// SPDX-License-Identifier: Apache-2.0
// Counts every heap allocation of this test program.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::uint64_t> allocations{0};
}

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace alara::flow::test {
std::uint64_t allocations_so_far();
std::uint64_t allocations_so_far() { return allocations.load(std::memory_order_relaxed); }
}  // namespace alara::flow::test
