// SPDX-License-Identifier: Apache-2.0
// Operators that take many numbers together: reductions along axes, places of extremes, products of matrices.
#pragma once

#include <optional>
#include <string>

#include "graph/nhwc/lowering.hpp"

namespace alara::graph::nhwc {

enum class Reduced : std::uint8_t { dropped, kept };  // what becomes of the axes: gone, or of size 1
// `op` is ONNX's: "ReduceMean", "ReduceSum", … `axes` are the source's; empty: all.
[[nodiscard]] Result<ValueId> reduce(Lowering& lowering, const std::string& name, const std::string& op, ValueId x,
                                     const std::vector<std::int64_t>& axes, Reduced reduced);
// "ArgMax" or "ArgMin" along one axis, which is dropped.
[[nodiscard]] Result<ValueId> place_of(Lowering& lowering, const std::string& name, const std::string& op, ValueId x,
                                       std::int64_t axis, DataType type);
// The `count` greatest along the last axis, greatest first, and their places as int32.
struct TopK {
  ValueId numbers = {};
  ValueId places = {};
};
[[nodiscard]] Result<TopK> top_k(Lowering& lowering, const std::string& name, ValueId x, std::int64_t count);

enum class Side : std::uint8_t { as_it_is, transposed };
// Products of the last two axes.
[[nodiscard]] Result<ValueId> matrix_product(Lowering& lowering, const std::string& name, ValueId a, Side a_side,
                                             ValueId b, Side b_side);

struct Dense {
  Side weights = Side::transposed;     // transposed: one row for each output
  Reduced leading = Reduced::dropped;  // dropped: all axes but the last become one, if the last one fits
};
// x * weights + bias over the last axis of x.
[[nodiscard]] Result<ValueId> dense(Lowering& lowering, const std::string& name, ValueId x, ValueId weights,
                                    std::optional<ValueId> bias, const Dense& options);

}  // namespace alara::graph::nhwc
