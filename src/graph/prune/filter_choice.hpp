// SPDX-License-Identifier: Apache-2.0
// Inside of filters.hpp: which sets of tied channels go, and carrying that out.
#pragma once

#include <vector>

#include "graph/prune/channels.hpp"
#include "graph/prune/filters.hpp"

namespace alara::graph {

using Gone = std::vector<bool>;  // by ChannelId of the root: true for sets that are removed

[[nodiscard]] Gone weakest_sets(const Graph& graph, const Channels& channels, const FilterOptions& options);

// Takes the sets out of every constant, attribute and setting.
void cut(Graph& graph, const Channels& channels, const Gone& gone);

}  // namespace alara::graph
