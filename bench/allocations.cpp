// SPDX-License-Identifier: Apache-2.0
#include "bench/allocations.hpp"

#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ALARA_COUNTS_ALLOCATIONS 0
#else
#define ALARA_COUNTS_ALLOCATIONS 1
#endif

namespace {

thread_local std::uint64_t t_allocations = 0;

#if ALARA_COUNTS_ALLOCATIONS
void* counted(void* memory) {
  ++t_allocations;
  if (memory == nullptr) throw std::bad_alloc();  // what operator new has to do
  return memory;
}
#endif

}  // namespace

namespace alara::bench {

std::uint64_t allocations_of_this_thread() { return t_allocations; }
bool counts_allocations() { return ALARA_COUNTS_ALLOCATIONS == 1; }

}  // namespace alara::bench

#if ALARA_COUNTS_ALLOCATIONS
void* operator new(std::size_t bytes) { return counted(std::malloc(bytes == 0 ? 1 : bytes)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const auto unit = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
#endif
