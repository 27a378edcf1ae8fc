// SPDX-License-Identifier: Apache-2.0
// Private to learn/plan: counts out of JSON. nlohmann's get<int>() takes floats too, and what is undefined for large
// ones.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

namespace alara::learn {

// A whole number from 0 to the largest of Count; -1 for one that lies outside. Throws what nlohmann::json throws for a
// value that is no whole number.
template <typename Count, typename Json>
[[nodiscard]] Count count_of(const Json& value) {
  const std::int64_t number = value.template get_ref<const typename Json::number_integer_t&>();
  return number < 0 || number > std::numeric_limits<Count>::max() ? Count{-1} : static_cast<Count>(number);
}

}  // namespace alara::learn
