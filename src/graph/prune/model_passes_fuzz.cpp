// SPDX-License-Identifier: Apache-2.0
// Any bytes that are a model: simplified, counted, its weights and filters pruned. What comes out is a model again.
#include "graph/cost.hpp"
#include "graph/fuse.hpp"
#include "graph/onnx_file.hpp"
#include "graph/prune/filters.hpp"
#include "graph/prune/masks.hpp"
#include "graph/upgrade.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara::graph;
  auto model = parse_onnx(std::as_bytes(std::span(data, size)));
  if (!model || !upgrade(*model)) return 0;
  if (!simplify(*model, {FoldOptions::Dequantize::fold, std::size_t{1} << 16})) return 0;
  ALARA_ASSERT(check(*model).has_value(), "a simplified model is a model");
  const auto values = infer_shapes(*model);
  if (!values) return 0;
  static_cast<void>(cost_of(model->graph, *values));
  static_cast<void>(prune_weights(model->graph, {.sparsity = 0.5, .pattern = Pattern::blocks_4x1}));
  const auto removed = remove_filters(*model, {.share = 0.5, .least = 1});
  ALARA_ASSERT(removed || removed.error().kind != alara::ErrorKind::internal, "a model that lost filters is a model");
  return 0;
}
