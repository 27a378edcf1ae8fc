// SPDX-License-Identifier: Apache-2.0
// What `alara-lab inspect` tells of a model: its values, and what every node costs (graph/cost.hpp has the
// conventions).
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "graph/cost.hpp"
#include "graph/shapes.hpp"

namespace alara::lab {

struct Inspection {
  graph::Model model;
  graph::ValueTable values;
  graph::ModelCost cost;

  // Nodes whose operator has no rules here, with their place: "Mystery 'odd' (node 3, reads 'x')".
  [[nodiscard]] std::vector<std::string> unknown_operators() const;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] nlohmann::ordered_json json() const;
};

// `batch` takes the place of a free first dimension of every input; `shapes` of whole inputs, by name.
// Errors: those of infer_shapes(); bad_input for a name that is no input.
[[nodiscard]] Result<Inspection> inspect(graph::Model model, std::int64_t batch,
                                         const std::map<std::string, graph::Shape>& shapes);

}  // namespace alara::lab
