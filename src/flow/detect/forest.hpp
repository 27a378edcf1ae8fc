// SPDX-License-Identifier: Apache-2.0
// Streaming half-space trees for several inputs together: S. C. Tan, K. M. Ting and T. F. Liu, "Fast anomaly detection
// for streaming data", IJCAI 2011. Random binary trees cut the space of the inputs in halves; each slot counts how many
// samples of its last full window fell into each node. Few neighbours = anomalous. The trees are shared by all slots,
// the counts are per slot: trees x 2^(depth + 1) x 4 bytes.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "flow/detect/reading.hpp"

namespace alara::flow {

class ForestBank {
 public:
  struct Options {
    std::uint32_t trees = 25;
    std::uint32_t depth = 8;     // each level doubles memory and halves the cells
    std::uint32_t window = 250;  // samples per reference window (psi of the paper); two of them are the warm-up
    double threshold = 0.2;      // of the score
    std::uint64_t seed = 1;
  };
  ForestBank(const Options& options, std::size_t dimensions, std::size_t slots);

  // The score is 1 / (1 + density), density being the paper's sum of mass x 2^depth over what it would be were the
  // samples spread evenly: 0.5 at that even density, near 0 in a cluster, 1 where none ever fell. The paper's ranking
  // is kept.
  Reading step(std::size_t slot, Nanos time, const double* x);
  [[nodiscard]] std::size_t bytes_per_slot() const;

 private:
  struct Cut {
    float at = 0;  // in units of the slot's range: 0 = least, 1 = most of the first window
    std::uint16_t dimension = 0;
  };
  struct Range {
    double least = HUGE_VAL, most = -HUGE_VAL;
  };
  struct State {
    std::uint32_t in_window = 0;
    std::uint32_t windows = 0;  // complete ones
  };
  void grow(std::size_t tree, std::size_t node, std::span<double> least, std::span<double> most, std::uint64_t& random);
  [[nodiscard]] double normal(std::size_t slot, std::size_t dimension, double x) const;
  double walk(std::size_t slot, const double* x);
  void end_window(std::size_t slot);

  Options options_;
  std::size_t dimensions_, cuts_, nodes_;
  double even_;              // the sum at even density
  std::vector<Cut> forest_;  // trees x inner nodes, children of i at 2 i + 1 and 2 i + 2
  std::vector<State> states_;
  std::vector<Range> ranges_;             // slots x dimensions
  std::vector<std::uint16_t> reference_;  // slots x trees x nodes: masses of the last full window
  std::vector<std::uint16_t> latest_;     // … of the window being filled
};

}  // namespace alara::flow
