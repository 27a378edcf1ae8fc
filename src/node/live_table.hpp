// SPDX-License-Identifier: Apache-2.0
// What a person sees of a running node: a table that redraws on a terminal, a plain line now and then elsewhere, and
// the report at the end.
#pragma once

#include <string>

#include "node/event_store.hpp"
#include "node/status.hpp"

namespace alara::node {

// Rates are over the time since `before`.
[[nodiscard]] std::string live_table(const NodeStatus& now, const NodeStatus& before,
                                     const std::vector<StoredEvent>& newest);
[[nodiscard]] std::string live_line(const NodeStatus& now, const NodeStatus& before);
// The end: points, decisions, latencies, deadline misses, bytes in and up beside the specification's cloud figures.
[[nodiscard]] std::string final_report(const NodeStatus& status);

}  // namespace alara::node
