// SPDX-License-Identifier: Apache-2.0
// Counts by reason, where reasons are string literals that come up at run time. One writer, any number of readers; no
// allocation. More than kMost reasons share the last one, "other".
#pragma once

#include <array>
#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flow/engine/counter.hpp"

namespace alara::flow {

class Reasons {
 public:
  static constexpr std::size_t kMost = 16;

  void add(std::string_view reason, std::uint64_t amount);  // `reason` is a literal; the writer's thread
  [[nodiscard]] std::uint64_t sum() const;                  // any thread
  void append_to(std::vector<std::pair<std::string, std::uint64_t>>& counts) const;

 private:
  struct Entry {
    std::atomic<const char*> text{nullptr};
    std::atomic<std::size_t> length{0};
    Counter count;
  };
  std::array<Entry, kMost> entries_;  // filled from the front
};

}  // namespace alara::flow
