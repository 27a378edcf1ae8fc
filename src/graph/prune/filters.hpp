// SPDX-License-Identifier: Apache-2.0
// Filters really removed: layers become narrower, and everything that read or carried their channels with them. The
// graph stays an ordinary dense one, smaller in every way that a runtime can feel.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/model.hpp"

namespace alara::graph {

enum class FilterRank : std::uint8_t {
  l1,          // sum of a filter's magnitudes
  l2,          // root of its sum of squares
  norm_scale,  // |scale| of the BatchNormalization behind it; l2 where there is none
};
enum class FilterScope : std::uint8_t {
  group,   // every group of tied layers loses the same share
  global,  // the weakest of all go, each measured against the mean of its layer
};

struct FilterOptions {
  double share = 0.4;  // of the removable filters, 0 ... 1
  FilterRank rank = FilterRank::l2;
  FilterScope scope = FilterScope::group;
  std::int64_t least = 4;           // filters a group keeps at least
  std::int64_t multiple = 1;        // kept counts are rounded up to a multiple: 4 or 8 suit the kernels of CPUs
  std::set<std::string> keep = {};  // layers (names of their nodes) that lose nothing
};

struct RemovedFilters {
  std::string layer;                  // name of the node, or of its output
  std::vector<std::int64_t> filters;  // that went, ascending, by their number before
  std::int64_t before = 0;
  [[nodiscard]] std::int64_t after() const { return before - static_cast<std::int64_t>(filters.size()); }
};

// Removes the weakest filters and everything tied to them. Layers whose filters reach an output of the graph, or an
// operator that looks across channels, keep them. What remains computes exactly what the old graph would with those
// channels of every reader's weights set to 0. Returns the layers that lost some, in node order. Errors: bad_input (a
// share outside 0 ... 1, a multiple below 1, shapes that can not be inferred), internal (the result is not valid: a
// bug).
[[nodiscard]] Result<std::vector<RemovedFilters>> remove_filters(Model& model, const FilterOptions& options);

// The same choice without carrying it out.
[[nodiscard]] Result<std::vector<RemovedFilters>> choose_filters(const Model& model, const FilterOptions& options);

// Removes the given filters, and with them whatever they are tied to; those that are pinned are an error (bad_input).
Status remove_these_filters(Model& model, const std::vector<RemovedFilters>& filters);

}  // namespace alara::graph
