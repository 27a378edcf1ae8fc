// SPDX-License-Identifier: Apache-2.0
// Rewrites that make a graph smaller and leave what it computes as it was, up to rounding. What quantisation, pruning
// and counting start from: batch normalisation is gone into the layer before it, layout changes of imported models
// have met and vanished, shapes that the graph computed are constants.
#pragma once

#include <cstddef>
#include <map>
#include <string_view>

#include "base/result.hpp"
#include "graph/fold.hpp"
#include "graph/model.hpp"
#include "graph/shapes.hpp"

namespace alara::graph {

// Each rule makes one sweep and returns how many rewrites it made. `values` is infer_shapes() of the same graph: a rule
// that needs a type or a shape which is not there leaves that place alone. Outputs keep their names.

// Identity, Dropout, and whatever keeps every number in its place: Cast to the same type, Reshape to the same shape,
// Transpose in order, Pad by nothing, whole Slices, Concat of one, adding 0, multiplying by 1, Clip without limits.
std::size_t remove_no_ops(Graph& graph, const ValueTable& values);
// Reshape, Flatten, Squeeze or Unsqueeze of another one's result: the first is skipped.
std::size_t merge_reshapes(Graph& graph, const ValueTable& values);
// MatMul by constant weights and Add of a constant row: Gemm (matrices of two dimensions).
std::size_t make_gemms(Graph& graph, const ValueTable& values);
// BatchNormalization, or Mul, Div, Add, Sub by one number per channel, behind Conv, ConvTranspose, Gemm, MatMul: into
// its weights and bias.
std::size_t absorb_scales_behind(Graph& graph, const ValueTable& values);
// The same before Conv, Gemm, MatMul; a shift only where nothing is padded, as the padding is not shifted.
std::size_t absorb_scales_before(Graph& graph, const ValueTable& values);
// Pad by zeros before Conv, AveragePool that counts the padding, or MaxPool of what is never negative.
std::size_t absorb_pads(Graph& graph, const ValueTable& values);
// Transpose of Transpose.
std::size_t merge_transposes(Graph& graph, const ValueTable& values);
// Transposes go down through element-wise operators, Concat, Softmax and reductions where they meet another or leave,
// and up through DequantizeLinear.
std::size_t push_transposes(Graph& graph, const ValueTable& values);
// Spelt-out activations: HardSigmoid, HardSwish, Sigmoid, Relu, Clip. Relu before Clip(0, ...) goes.
std::size_t name_activations(Graph& graph, const ValueTable& values);
// Equal nodes become one; so do equal constants of integers or of one number. Larger float constants stay apart even
// when they are equal: training would move them apart.
std::size_t merge_duplicates(Graph& graph, const ValueTable& values);

// Constants of one number that are 1/6 rounded to float16, as in models that keep their weights in half precision,
// become 1/6 again, so that name_activations() knows their hard-swish. This changes activations by up to 1 part in
// 4,000: too much for simplify(), nothing beside the steps of 8 bits. Returns how many.
std::size_t restore_sixths(Graph& graph);

inline constexpr int kMaxSimplifyRounds = 64;

struct Simplified {
  std::map<std::string_view, std::size_t> rewrites;  // by rule, "constants folded" among them; those that did something
  int rounds = 0;

  [[nodiscard]] std::size_t total() const;
};

// All of them and constant folding, until nothing changes (or kMaxSimplifyRounds). The model is checked, sorted and
// free of unused nodes and constants afterwards. Errors: those of infer_shapes() and check().
[[nodiscard]] Result<Simplified> simplify(Model& model, const FoldOptions& options = {});

}  // namespace alara::graph
