// SPDX-License-Identifier: Apache-2.0
// Samples through an executor one by one, so that memory does not depend on how many there are.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "graph/executor.hpp"

namespace alara::graph {

// Told of long work before each step; an error ends the work with that error (so a stop is one).
using Progress = std::function<Status(std::string_view stage, std::size_t done, std::size_t total)>;

// Runs samples 0 … count-1 (at most source.size()) and shows each run's values to `visit`; they are good until it
// returns. Errors: of the source, the executor, `visit` and `progress` (which may be empty).
Status stream(SampleSource& source, std::size_t count, Executor& executor, std::string_view stage,
              const Progress& progress, const std::function<Status(std::span<const TensorView>)>& visit);

}  // namespace alara::graph
