// SPDX-License-Identifier: Apache-2.0
// Counts allocations of this test program, per thread. The sanitizers have an operator new of their own.
#include <cstdlib>
#include <new>

#include "infer/model_fixture.hpp"

namespace {
thread_local std::uint64_t allocations = 0;
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size)) return p;
  std::abort();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
#endif

namespace alara::infer::test {
std::uint64_t allocations_so_far() { return allocations; }
}  // namespace alara::infer::test
