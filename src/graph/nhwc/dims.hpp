// SPDX-License-Identifier: Apache-2.0
// Arithmetic on shapes of which some sizes are not known before the model runs.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "graph/model.hpp"

namespace alara::graph::nhwc {

inline constexpr std::size_t kMaxRank = 8;

// Axis `axis` of a value of that rank; negative ones count from the end. Errors: outside.
[[nodiscard]] Result<std::size_t> axis_of(std::int64_t axis, std::size_t rank);
[[nodiscard]] Result<std::vector<std::size_t>> axes_of(std::span<const std::int64_t> axes, std::size_t rank);

// Product of all sizes, or nullopt when one is unknown. Sizes are small enough for it (Lowering refuses larger values).
[[nodiscard]] std::optional<std::int64_t> count(const Dims& dims);
// As ONNX and NumPy do it. Errors: sizes that fit neither way, with both shapes.
[[nodiscard]] Result<Dims> broadcast(const Dims& a, const Dims& b);
// What is known of a value from two sides. Errors: they contradict each other.
[[nodiscard]] Result<Dims> agreed(const Dims& computed, const Dims& declared);
// What a reshape of `from` to `target` gives; one size of `target` may be -1. Errors: other numbers of elements.
[[nodiscard]] Result<Dims> reshaped(const Dims& from, std::span<const std::int64_t> target);

}  // namespace alara::graph::nhwc
