// SPDX-License-Identifier: Apache-2.0
// The generalised Pareto distribution, fitted to excesses over a threshold by the quasi-Bayesian estimator of J. Zhang
// and M. A. Stephens, "A new and efficient estimation method for the generalized Pareto distribution", Technometrics 51
// (2009): close to maximum likelihood, no iteration, well behaved with few excesses.
#pragma once

#include <cstddef>
#include <span>

namespace alara::flow {

struct Gpd {
  double shape = 0;  // gamma: > 0 heavy tail, < 0 bounded tail
  double scale = 0;  // sigma; 0 = no fit

  // P(Y > excess), excess >= 0.
  [[nodiscard]] double tail(double excess) const;
  // The excess that is passed with the given probability in (0, 1].
  [[nodiscard]] double excess_at(double probability) const;
  // E(Y - excess | Y > excess), the mean residual; of tails too heavy to have one (shape near 1 and above) a bound.
  [[nodiscard]] double mean_beyond(double excess) const;
};

inline constexpr std::size_t kMaxExcesses = 256;

// Fits up to kMaxExcesses positive excesses, in any order; O(n sqrt n) logarithms. Scale 0 when there are none.
[[nodiscard]] Gpd fit_gpd(std::span<const double> excesses);

}  // namespace alara::flow
