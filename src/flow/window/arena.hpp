// SPDX-License-Identifier: Apache-2.0
// One zeroed block of memory for the states of all slots of an operator, taken when the site file is loaded. Large ones
// ask for huge pages: random access over 100 MB of 4 KB pages would miss the TLB at every row.
#pragma once

#include <cstddef>

#include "base/result.hpp"

namespace alara::flow {

class Arena {
 public:
  Arena() = default;
  // Fails (exhausted) when the system does not give that much.
  [[nodiscard]] static Result<Arena> make(std::size_t bytes);
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  [[nodiscard]] std::byte* data() const { return data_; }  // aligned to 4 KiB at least; never moves
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  template <typename T>
  [[nodiscard]] T* as(std::size_t offset = 0) const {
    return reinterpret_cast<T*>(data_ + offset);
  }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// slots * per_slot; fails when that is absurd: the factors come from a file.
[[nodiscard]] Result<std::size_t> checked_bytes(std::size_t slots, std::size_t per_slot);

}  // namespace alara::flow
