// SPDX-License-Identifier: Apache-2.0
// What type and shape every value of a model has, as far as that can be known before it runs: own rules for the
// operators of opsets 17 to 21 (older models are brought to 17 first, upgrade.hpp). Small integer values (shapes that
// graphs compute) are followed, so that reshapes by computed shapes are known.
#pragma once

#include <map>
#include <string>

#include "base/result.hpp"
#include "graph/model.hpp"

namespace alara::graph {

// Of every named value: inputs, constants and what nodes make. Values of unknown operators have type undefined.
using ValueTable = std::map<std::string, ValueInfo, std::less<>>;

// `inputs` overrides the shapes that the model declares ("batch is 1"). Errors of kind bad_input name the node whose
// inputs do not fit, with their shapes.
[[nodiscard]] Result<ValueTable> infer_shapes(const Model& model, const std::map<std::string, Shape>& inputs = {});
// Whether the node's operator is one with a rule here; values of others are known as far as the file declares them.
[[nodiscard]] bool has_shape_rule(const Node& node);
// Free dimensions of the inputs made `size`: for counting and for running with one row.
[[nodiscard]] std::map<std::string, Shape> fixed_inputs(const Model& model, std::int64_t size = 1);

}  // namespace alara::graph
