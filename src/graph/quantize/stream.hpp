// SPDX-License-Identifier: Apache-2.0
// Samples through an executor one by one, so that memory does not depend on how many there are.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "graph/executor.hpp"

namespace alara::graph {

inline constexpr std::size_t kAllSamples = static_cast<std::size_t>(-1);

// Shows sample after sample, at most `count` of them, to `visit`; what it is shown is good until it returns. Errors:
// of the source, of `visit`, refused when somebody asked to stop, bad_input when there are no samples.
Status for_each_sample(SampleSource& source, std::size_t count, std::string_view task, Progress& progress,
                       const std::function<Status(std::span<const TensorView>)>& visit);

// The same, but runs each and shows the values that the executor gives.
Status for_each_run(SampleSource& source, std::size_t count, Executor& executor, std::string_view task,
                    Progress& progress, const std::function<Status(std::span<const TensorView>)>& visit);

}  // namespace alara::graph
