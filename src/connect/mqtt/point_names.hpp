// SPDX-License-Identifier: Apache-2.0
// What the points of one topic are called: the names that signals want, and the aliases that senders gave to names,
// wanted or not. Used by one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.hpp"
#include "wire/payload_points.hpp"

namespace alara::mqtt {

inline constexpr std::size_t kMaxAliases = 1u << 14;  // remembered of one topic; those that come later stay unknown

class PointNames {
 public:
  static constexpr std::uint32_t kUnwanted = UINT32_MAX;

  // Load time. The number of a name, which is the same for the same name; "" is the point without one.
  [[nodiscard]] Result<std::uint32_t> add(std::string_view name);
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(numbers_.size()); }

  // Which name a point has: its number, or kUnwanted; nullopt when it has an alias nobody explained. A point with both
  // explains its alias from now on.
  [[nodiscard]] std::optional<std::uint32_t> find(const wire::Point& point);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };

  [[nodiscard]] std::uint32_t number_of(std::string_view name) const;

  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> numbers_;
  std::unordered_map<std::uint32_t, std::uint32_t> aliases_;  // to number or kUnwanted
};

}  // namespace alara::mqtt
