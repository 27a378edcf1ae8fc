// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/point_names.hpp"

namespace alara::mqtt {

Result<std::uint32_t> PointNames::add(std::string_view name) {
  if (name.size() > wire::kMaxPointText)
    return fail(ErrorKind::bad_input, "'#{}…' is longer than names of points may be ({} bytes)", name.substr(0, 32),
                wire::kMaxPointText);
  return numbers_.try_emplace(std::string(name), size()).first->second;
}

std::uint32_t PointNames::number_of(std::string_view name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? kUnwanted : found->second;
}

std::optional<std::uint32_t> PointNames::find(const wire::Point& point) {
  if (point.alias == 0) return number_of(point.name);
  const auto known = aliases_.find(point.alias);
  if (point.name.empty()) return known == aliases_.end() ? std::nullopt : std::optional(known->second);
  const std::uint32_t number = number_of(point.name);
  if (known != aliases_.end()) {
    known->second = number;
  } else if (aliases_.size() < kMaxAliases) {
    aliases_.emplace(point.alias, number);
  }
  return number;
}

}  // namespace alara::mqtt
