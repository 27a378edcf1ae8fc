// SPDX-License-Identifier: Apache-2.0
#include "flow/window/arena.hpp"

#include <sys/mman.h>

#include <utility>

#include "base/quantity.hpp"

namespace alara::flow {
namespace {

constexpr std::size_t kHugePage = 2u << 20;
constexpr std::size_t kMaxArena = std::size_t{1} << 40;  // beyond any gateway: a slip of the pen in the file

}  // namespace

Result<Arena> Arena::make(std::size_t bytes) {
  Arena arena;
  if (bytes == 0) return arena;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return fail(ErrorKind::exhausted, "the system does not give {} for window states", format_size(bytes));
  // Only advice: without huge pages the same code runs, slower.
  if (bytes >= kHugePage) static_cast<void>(::madvise(memory, bytes, MADV_HUGEPAGE));
  arena.data_ = static_cast<std::byte*>(memory);
  arena.bytes_ = bytes;
  return arena;
}

Arena::~Arena() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

Arena::Arena(Arena&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Result<std::size_t> checked_bytes(std::size_t slots, std::size_t per_slot) {
  if (per_slot != 0 && slots > kMaxArena / per_slot)
    return fail(ErrorKind::exhausted, "windows of {} for each of {} assets are more than any machine has",
                format_size(per_slot), slots);
  return slots * per_slot;
}

}  // namespace alara::flow
