// SPDX-License-Identifier: Apache-2.0
// Operators that move numbers without computing: other shapes, orders, parts and sums of parts. Axes and sizes are
// those of the source.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/nhwc/lowering.hpp"

namespace alara::graph::nhwc {

// One size may be -1: what is left.
[[nodiscard]] Result<ValueId> reshape(Lowering& lowering, const std::string& name, ValueId x,
                                      const std::vector<std::int64_t>& target);
// To a shape that is computed when it runs.
[[nodiscard]] Result<ValueId> reshape(Lowering& lowering, const std::string& name, ValueId x, ValueId target);
// Axes of size 1 out; empty: all of them.
[[nodiscard]] Result<ValueId> squeeze(Lowering& lowering, const std::string& name, ValueId x,
                                      const std::vector<std::int64_t>& axes);
// An axis of size 1 in, at place `axis` of the result.
[[nodiscard]] Result<ValueId> expand(Lowering& lowering, const std::string& name, ValueId x, std::int64_t axis);
[[nodiscard]] Result<ValueId> transpose(Lowering& lowering, const std::string& name, ValueId x,
                                        const std::vector<std::int64_t>& order);

[[nodiscard]] Result<ValueId> concatenate(Lowering& lowering, const std::string& name,
                                          const std::vector<ValueId>& parts, std::int64_t axis);
// Values of one shape along a new axis, and back.
[[nodiscard]] Result<ValueId> pack(Lowering& lowering, const std::string& name, const std::vector<ValueId>& parts,
                                   std::int64_t axis);
[[nodiscard]] Result<std::vector<ValueId>> unpack(Lowering& lowering, const std::string& name, ValueId x,
                                                  std::int64_t axis);
[[nodiscard]] Result<std::vector<ValueId>> split(Lowering& lowering, const std::string& name, ValueId x,
                                                 std::int64_t axis, const std::vector<std::int64_t>& sizes);

struct Pad {
  enum class Mode : std::uint8_t { constant, reflect, symmetric } mode = Mode::constant;
  std::vector<std::int64_t> before = {};  // of each axis
  std::vector<std::int64_t> after = {};
  std::optional<ValueId> fill = std::nullopt;  // a single number; else 0
};
// From [[before, after], …], one row for each axis, flat.
[[nodiscard]] Pad pad_of_pairs(const std::vector<std::int64_t>& numbers);
[[nodiscard]] Result<ValueId> pad(Lowering& lowering, const std::string& name, ValueId x, const Pad& options);

// From begin, `size` of them; -1: to the end.
[[nodiscard]] Result<ValueId> slice(Lowering& lowering, const std::string& name, ValueId x,
                                    const std::vector<std::int64_t>& begin, const std::vector<std::int64_t>& size);
// TensorFlow's x[begin:end:stride, …] with its bit masks, bit i for entry i.
struct StridedSlice {
  std::vector<std::int64_t> begin = {};
  std::vector<std::int64_t> end = {};
  std::vector<std::int64_t> strides = {};
  std::int64_t begin_mask = 0;     // from the start
  std::int64_t end_mask = 0;       // to the end
  std::int64_t ellipsis_mask = 0;  // all axes that no other entry speaks of
  std::int64_t new_axis_mask = 0;  // a new axis of size 1
  std::int64_t shrink_mask = 0;    // one index, and the axis is dropped
};
[[nodiscard]] Result<ValueId> strided_slice(Lowering& lowering, const std::string& name, ValueId x,
                                            const StridedSlice& options);

// Entries of x along `axis`; the first `batch` axes of both are the same.
[[nodiscard]] Result<ValueId> gather(Lowering& lowering, const std::string& name, ValueId x, ValueId indices,
                                     std::int64_t axis, std::int64_t batch = 0);
[[nodiscard]] Result<ValueId> gather_nd(Lowering& lowering, const std::string& name, ValueId x, ValueId indices);
[[nodiscard]] Result<ValueId> tile(Lowering& lowering, const std::string& name, ValueId x,
                                   const std::vector<std::int64_t>& repeats);
// The sizes of x: a constant where they are known.
[[nodiscard]] ValueId shape(Lowering& lowering, const std::string& name, ValueId x, DataType type);

}  // namespace alara::graph::nhwc
