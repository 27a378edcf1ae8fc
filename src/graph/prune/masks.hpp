// SPDX-License-Identifier: Apache-2.0
// Which weights go: masks by magnitude, in the patterns that sparse kernels and codecs know, and how the share grows
// while a network is trained on. Masks are chosen here and applied by whoever holds the weights.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/linear.hpp"
#include "graph/model.hpp"

namespace alara::graph {

enum class Pattern : std::uint8_t {
  unstructured,  // any weight
  two_of_four,   // of four neighbouring input channels (same output, same tap) two go: at most half of all weights
  blocks_4x1,    // four neighbouring output channels at one input and tap go together
};
enum class MaskScope : std::uint8_t {
  layer,   // every layer loses the same share
  global,  // the smallest of all layers go; layers differ
};

struct MaskOptions {
  double sparsity = 0.8;  // share of the weights of all given layers that goes, 0 ... 1
  Pattern pattern = Pattern::unstructured;
  MaskScope scope = MaskScope::layer;
  double most_of_a_layer = 0.98;  // no layer loses more than this
};

// One weight tensor: its layout (only the sizes of `layout` are read) and its numbers now, which may be ahead of the
// graph's while it is trained.
struct MaskedWeights {
  Linear layout;
  std::span<const float> numbers;
};
using Mask = std::vector<std::uint8_t>;  // one per weight, in its order: 1 stays, 0 goes

// One mask for each layer. Of units of equal size the smaller go first, and at equal size the earlier: the same weights
// give the same masks. Errors: bad_input (a share outside 0 ... 1).
[[nodiscard]] Result<std::vector<Mask>> choose_masks(std::span<const MaskedWeights> layers, const MaskOptions& options);

[[nodiscard]] double sparsity_of(const Mask& mask);  // share of zeros

// Zhu & Gupta 2017 (arXiv 1710.01878), equation 1: from `first` at step `begin` to `last` at step `end`, fast at
// first, slowly at the end; constant before and after.
struct SparsitySchedule {
  double first = 0;
  double last = 0.8;
  std::int64_t begin = 0;
  std::int64_t end = 1;

  [[nodiscard]] double at(std::int64_t step) const;
};

// The layers of a graph whose weights are worth pruning: constants of Conv, ConvTranspose, Gemm and MatMul with at
// least `least` weights, by the name of their constant, in node order. Shared weights are listed once.
struct PrunableLayer {
  std::string weight;
  std::size_t node = 0;
  Linear layout;
};
inline constexpr std::int64_t kLeastWeights = 128;
[[nodiscard]] std::vector<PrunableLayer> prunable_layers(const Graph& graph, std::int64_t least = kLeastWeights);

// Chooses masks for all layers of at least `least` weights and sets those to 0. Returns the masks by the name of the
// constant.
[[nodiscard]] Result<std::map<std::string, Mask>> prune_weights(Graph& graph, const MaskOptions& options,
                                                                std::int64_t least = kLeastWeights);

}  // namespace alara::graph
