// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/reduce_ops.hpp"

#include "graph/tflite/fused.hpp"
#include "graph/tflite/operators.hpp"

namespace alara::graph::tflite {
namespace {

using nhwc::Reduced;
using nhwc::Side;
using nhwc::ValueId;

Outputs reduce(Step& step, const char* op) {
  ALARA_TRY(const auto* options, step.options<schema::ReducerOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const std::vector<std::int64_t> axes, step.integers(1));
  return single(
      nhwc::reduce(step.lowering, step.name(), op, x, axes, options->keep_dims() ? Reduced::kept : Reduced::dropped));
}
Outputs mean(Step& step) { return reduce(step, "ReduceMean"); }
Outputs sum(Step& step) { return reduce(step, "ReduceSum"); }
Outputs greatest(Step& step) { return reduce(step, "ReduceMax"); }
Outputs least(Step& step) { return reduce(step, "ReduceMin"); }
Outputs product(Step& step) { return reduce(step, "ReduceProd"); }

Outputs place_of(Step& step, const char* op) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const std::int64_t axis, step.integer(1));
  return single(nhwc::place_of(step.lowering, step.name(), op, x, axis, step.outputs[0].type));
}
Outputs place_of_greatest(Step& step) { return place_of(step, "ArgMax"); }
Outputs place_of_least(Step& step) { return place_of(step, "ArgMin"); }

Outputs top_k(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const std::int64_t count, step.integer(1));
  ALARA_TRY(const nhwc::TopK found, nhwc::top_k(step.lowering, step.name(), x, count));
  return std::vector<ValueId>{found.numbers, found.places};
}

Outputs dense(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::FullyConnectedOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const ValueId weights, step.input(1));
  if (options->weights_format() != 0)
    return fail(ErrorKind::bad_input, "weights in format {} are not supported", options->weights_format());
  const nhwc::Dense dense{.leading = options->keep_num_dims() ? Reduced::kept : Reduced::dropped};
  return with_activation(step, options->activation(), [&](const std::string& name) {
    return nhwc::dense(step.lowering, name, x, weights, step.optional_input(2), dense);
  });
}

Outputs matrix_product(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::BatchMatMulOptions>());
  ALARA_TRY(const ValueId a, step.input(0));
  ALARA_TRY(const ValueId b, step.input(1));
  const auto side = [](bool transposed) { return transposed ? Side::transposed : Side::as_it_is; };
  return single(nhwc::matrix_product(step.lowering, step.name(), a, side(options->adj_x()), b, side(options->adj_y())));
}

}  // namespace

std::span<const Entry> reduce_operators() {
  using enum schema::BuiltinOperator;
  static constexpr Entry kEntries[] = {
      {MEAN, mean},
      {SUM, sum},
      {REDUCE_MAX, greatest},
      {REDUCE_MIN, least},
      {REDUCE_PROD, product},
      {ARG_MAX, place_of_greatest},
      {ARG_MIN, place_of_least},
      {TOPK_V2, top_k},
      {FULLY_CONNECTED, dense},
      {BATCH_MATMUL, matrix_product},
  };
  return kEntries;
}

}  // namespace alara::graph::tflite
