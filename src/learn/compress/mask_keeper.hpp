// SPDX-License-Identifier: Apache-2.0
// Inside of pruning.hpp: keeps the weights of a network that are pruned at zero while it is trained.
#pragma once

#include <vector>

#include "graph/prune/masks.hpp"
#include "learn/autograd/network.hpp"

namespace alara::learn {

class MaskKeeper {
 public:
  // `graph` gives the layers and must outlive it. Masks are chosen anew every `refresh` steps until the schedule's end,
  // then no more.
  MaskKeeper(graph::Graph graph, graph::MaskOptions options, graph::SparsitySchedule schedule, std::int64_t refresh,
             std::int64_t least);

  // The state after `step` steps, also of a training that goes on: pruned weights are zero, so the masks are found
  // again in the weights.
  void begin(Network& network, std::int64_t step);
  void update(Network& network, std::int64_t step);  // after each step, which counts from 1

 private:
  // The newest step, up to `step`, at which masks are chosen: the first, every `refresh`-th, and the schedule's end.
  [[nodiscard]] std::int64_t last_choice(std::int64_t step) const;
  void choose(Network& network, std::int64_t step);
  void apply(Network& network) const;

  const graph::Graph graph_;
  const std::vector<graph::PrunableLayer> layers_;
  graph::MaskOptions options_;
  const graph::SparsitySchedule schedule_;
  const std::int64_t refresh_;
  std::vector<graph::Mask> masks_;  // one for each of layers_
};

}  // namespace alara::learn
