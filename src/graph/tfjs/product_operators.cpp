// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/reduce_ops.hpp"

#include "graph/tfjs/operators.hpp"

namespace alara::graph::tfjs {
namespace {

using nhwc::Reduced;
using nhwc::Side;
using nhwc::ValueId;

Outputs reduce(Step& step, const char* op) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const std::vector<std::int64_t> axes, step.integers(1));
  const auto reduced = step.node.flag("keep_dims") ? Reduced::kept : Reduced::dropped;
  return single(nhwc::reduce(step.lowering, step.name(), op, x, axes, reduced));
}
Outputs mean(Step& step) { return reduce(step, "ReduceMean"); }
Outputs sum(Step& step) { return reduce(step, "ReduceSum"); }
Outputs greatest(Step& step) { return reduce(step, "ReduceMax"); }
Outputs least(Step& step) { return reduce(step, "ReduceMin"); }
Outputs product(Step& step) { return reduce(step, "ReduceProd"); }

Outputs place_of(Step& step, const char* op) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const std::int64_t axis, step.integer(1));
  const DataType type = step.node.type("output_type").value_or(DataType::int64);
  return single(nhwc::place_of(step.lowering, step.name(), op, x, axis, type));
}
Outputs place_of_greatest(Step& step) { return place_of(step, "ArgMax"); }
Outputs place_of_least(Step& step) { return place_of(step, "ArgMin"); }

Outputs top_k(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const std::int64_t count, step.integer(1));
  ALARA_TRY(const nhwc::TopK found, nhwc::top_k(step.lowering, step.name(), x, count));
  return std::vector<ValueId>{found.numbers, found.places};
}

Side side(bool transposed) { return transposed ? Side::transposed : Side::as_it_is; }

Outputs matrix_product(Step& step) {
  ALARA_TRY(const ValueId a, step.input(0));
  ALARA_TRY(const ValueId b, step.input(1));
  const Side left = side(step.node.flag("transpose_a"));
  const Side right = side(step.node.flag("transpose_b"));
  std::vector<std::string> fused = step.node.texts("fused_ops");
  std::optional<ValueId> bias;
  std::size_t next = 2;
  if (!fused.empty() && fused[0] == "BiasAdd") {
    ALARA_TRY(bias, step.input(next++));
    fused.erase(fused.begin());
  }
  const std::string name = fused.empty() ? step.name() : step.name() + "/linear";
  if (left == Side::transposed && bias) return fail(ErrorKind::bad_input, "transpose_a with a bias is not supported");
  const bool flat = step.lowering.at(a).rank() == 2 && step.lowering.at(b).rank() == 2;
  Result<ValueId> made = left == Side::as_it_is && flat
                             ? nhwc::dense(step.lowering, name, a, b, bias, {right, Reduced::kept})
                             : nhwc::matrix_product(step.lowering, name, a, left, b, right);
  if (!made) return fail_with(std::move(made));
  return with_fused(step, *made, fused, next);
}

Outputs batch_matrix_product(Step& step) {
  ALARA_TRY(const ValueId a, step.input(0));
  ALARA_TRY(const ValueId b, step.input(1));
  return single(nhwc::matrix_product(step.lowering, step.name(), a, side(step.node.flag("adj_x")), b,
                                     side(step.node.flag("adj_y"))));
}

}  // namespace

std::span<const Entry> product_operators() {
  static constexpr Entry kEntries[] = {
      {"Mean", mean},
      {"Sum", sum},
      {"Max", greatest},
      {"Min", least},
      {"Prod", product},
      {"ArgMax", place_of_greatest},
      {"ArgMin", place_of_least},
      {"TopKV2", top_k},
      {"MatMul", matrix_product},
      {"_FusedMatMul", matrix_product},
      {"BatchMatMul", batch_matrix_product},
      {"BatchMatMulV2", batch_matrix_product},
  };
  return kEntries;
}

}  // namespace alara::graph::tfjs
