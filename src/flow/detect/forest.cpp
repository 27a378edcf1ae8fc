// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/forest.hpp"

#include <algorithm>

namespace alara::flow {
namespace {

// SplitMix64 (Steele, Lea and Flood 2014), as a fraction in [0, 1).
double next_fraction(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15u;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
}

constexpr double kSizeLimit =
    0.1;  // of the window: nodes with less mass are not split further when scoring (paper, 4.3)

}  // namespace

ForestBank::ForestBank(const Options& options, std::size_t dimensions, std::size_t slots)
    : options_(options),
      dimensions_(dimensions),
      cuts_((std::size_t{1} << options.depth) - 1),
      nodes_((std::size_t{2} << options.depth) - 1),
      even_(static_cast<double>(options.trees) * options.window),
      forest_(options.trees * cuts_),
      states_(slots),
      ranges_(slots * dimensions),
      reference_(slots * options.trees * nodes_),
      latest_(slots * options.trees * nodes_) {
  std::vector<double> least(dimensions), most(dimensions);
  std::uint64_t random = options.seed;
  for (std::size_t tree = 0; tree < options.trees; ++tree) {
    for (std::size_t d = 0; d < dimensions; ++d) {  // the work range: a random centre, wide enough to hold [0, 1]
      const double centre = next_fraction(random);
      const double reach = 2 * std::max(centre, 1 - centre);
      least[d] = centre - reach;
      most[d] = centre + reach;
    }
    grow(tree, 0, least, most, random);
  }
}

void ForestBank::grow(std::size_t tree, std::size_t node, std::span<double> least, std::span<double> most,
                      std::uint64_t& random) {
  if (node >= cuts_) return;
  const auto dimension =
      std::min(static_cast<std::size_t>(next_fraction(random) * static_cast<double>(dimensions_)), dimensions_ - 1);
  const double low = least[dimension], high = most[dimension], middle = (low + high) / 2;
  forest_[tree * cuts_ + node] = {static_cast<float>(middle), static_cast<std::uint16_t>(dimension)};
  most[dimension] = middle;
  grow(tree, 2 * node + 1, least, most, random);
  most[dimension] = high;
  least[dimension] = middle;
  grow(tree, 2 * node + 2, least, most, random);
  least[dimension] = low;
}

std::size_t ForestBank::bytes_per_slot() const {
  return sizeof(State) + sizeof(Range) * dimensions_ + 2 * sizeof(std::uint16_t) * options_.trees * nodes_;
}

double ForestBank::normal(std::size_t slot, std::size_t dimension, double x) const {
  const Range& range = ranges_[slot * dimensions_ + dimension];
  const double width = range.most - range.least;
  return width > 0 ? (x - range.least) / width : x - range.least;
}

// Algorithm 3 of the paper: sums mass x 2^depth over the trees and counts the sample in the window being filled.
double ForestBank::walk(std::size_t slot, const double* x) {
  const double limit = kSizeLimit * options_.window;
  double sum = 0;
  for (std::size_t tree = 0; tree < options_.trees; ++tree) {
    const Cut* cuts = forest_.data() + tree * cuts_;
    std::uint16_t* latest = latest_.data() + (slot * options_.trees + tree) * nodes_;
    const std::uint16_t* reference = reference_.data() + (slot * options_.trees + tree) * nodes_;
    std::size_t node = 0;
    double scale = 1;
    bool scored = false;
    while (true) {
      ++latest[node];
      const bool leaf = node >= cuts_;
      if (!scored && (leaf || reference[node] <= limit)) {
        sum += reference[node] * scale;
        scored = true;
      }
      if (leaf) break;
      const Cut& cut = cuts[node];
      node = 2 * node + (normal(slot, cut.dimension, x[cut.dimension]) < static_cast<double>(cut.at) ? 1 : 2);
      scale *= 2;
    }
  }
  return sum;
}

void ForestBank::end_window(std::size_t slot) {
  State& state = states_[slot];
  state.in_window = 0;
  if (state.windows < 2) ++state.windows;
  const std::size_t size = options_.trees * nodes_;
  const auto from = latest_.begin() + static_cast<std::ptrdiff_t>(slot * size);
  std::copy_n(from, size, reference_.begin() + static_cast<std::ptrdiff_t>(slot * size));
  std::fill_n(from, size, std::uint16_t{0});
}

Reading ForestBank::step(std::size_t slot, Nanos, const double* x) {
  State& state = states_[slot];
  Reading reading;
  if (state.windows == 0) {  // the first window gives the range of each input
    for (std::size_t d = 0; d < dimensions_; ++d) {
      Range& range = ranges_[slot * dimensions_ + d];
      range.least = std::min(range.least, x[d]);
      range.most = std::max(range.most, x[d]);
    }
  } else {
    const double sum = walk(slot, x);
    if (state.windows == 2) {
      reading.warm = true;
      reading.score = 1 / (1 + sum / even_);
      reading.hit = reading.score > options_.threshold;
    }
  }
  if (++state.in_window == options_.window) end_window(slot);
  return reading;
}

}  // namespace alara::flow
