// SPDX-License-Identifier: Apache-2.0
// The accuracy loop: which layers must go back to float so that a model loses no more than it may, and no more of them
// than needed.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"

namespace alara::graph {

struct Candidate {
  std::size_t node = 0;
  double sensitivity = 0;  // how much it harms when it alone is quantised
};

struct LoopResult {
  std::set<std::size_t> in_float;
  double score = 0;       // of the model with these in float
  std::size_t tried = 0;  // models that were scored
};

// Of a model whose given nodes stay in float; larger is better.
using Score = std::function<Result<double>(const std::set<std::size_t>& in_float)>;

// Puts the most harmful back first: as many as are needed by bisection, then takes each back that turns out not to be
// needed, the least harmful first (at most kMaxTakenBack tries). When even all of them do not reach `wanted`, all go
// back. Errors: those of `score`; refused when somebody asked to stop.
inline constexpr std::size_t kMaxTakenBack = 16;
[[nodiscard]] Result<LoopResult> find_fewest(std::vector<Candidate> candidates, double wanted, const Score& score,
                                             Progress& progress);

}  // namespace alara::graph
