// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/reasons.hpp"

namespace alara::flow {

void Reasons::add(std::string_view reason, std::uint64_t amount) {
  for (std::size_t i = 0; i < kMost; ++i) {
    Entry& known = entries_[i];
    const char* text = known.text.load(std::memory_order_relaxed);
    if (text == nullptr) {
      const std::string_view name = i + 1 < kMost ? reason : std::string_view("other");
      known.length.store(name.size(), std::memory_order_relaxed);
      known.text.store(name.data(), std::memory_order_release);
      text = name.data();
    }
    if (i + 1 == kMost || std::string_view(text, known.length.load(std::memory_order_relaxed)) == reason)
      return known.count.add(amount);
  }
}

std::uint64_t Reasons::sum() const {
  std::uint64_t sum = 0;
  for (const Entry& entry : entries_) sum += entry.count.get();
  return sum;
}

void Reasons::append_to(std::vector<std::pair<std::string, std::uint64_t>>& counts) const {
  for (const Entry& entry : entries_)
    if (const char* text = entry.text.load(std::memory_order_acquire))
      counts.emplace_back(std::string(text, entry.length.load(std::memory_order_relaxed)), entry.count.get());
}

}  // namespace alara::flow
