// SPDX-License-Identifier: Apache-2.0
#include "learn/train/objective.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace alara::learn {
namespace {

Result<at::Tensor> cross_entropy(const LossInputs& in, std::int64_t classes, double smoothing) {
  const at::Tensor logits = in.values.front().flatten(1);
  if (logits.size(1) < classes)
    return fail(ErrorKind::bad_input, "the model gives {} numbers for each row, but there are {} classes",
                logits.size(1), classes);
  return at::cross_entropy_loss(logits, in.labels, {}, at::Reduction::Mean, -100,
                                in.mode == Mode::train ? smoothing : 0);
}

Result<at::Tensor> mean_square(const LossInputs& in) {
  const at::Tensor found = in.values.front().flatten(1), wanted = in.targets.flatten(1);
  if (found.size(1) != wanted.size(1))
    return fail(ErrorKind::bad_input, "the model gives {} numbers for each row, but {} are wanted", found.size(1),
                wanted.size(1));
  return at::mse_loss(found, wanted);
}

}  // namespace

std::string logits_of(const graph::Graph& graph) {
  const graph::Wiring wiring(graph);
  const std::string output = graph.outputs.front().name;
  std::string value = output;
  while (const auto maker = wiring.producer(value)) {
    const graph::Node& node = graph.nodes[*maker];
    if (node.is("Softmax")) return node.input(0);
    static constexpr std::string_view kPassed[] = {"Identity", "QuantizeLinear", "DequantizeLinear", "Reshape",
                                                   "Flatten",  "Squeeze",        "Unsqueeze"};
    if (std::none_of(std::begin(kPassed), std::end(kPassed), [&](std::string_view op) { return node.is(op); })) break;
    value = node.input(0);
  }
  return output;
}

Result<Objective> objective_for(const graph::Model& model, const Dataset& data, double label_smoothing) {
  if (model.graph.inputs.size() != 1 || model.graph.outputs.empty())
    return fail(ErrorKind::bad_input, "a model with one input and an output is trained; this one has {} and {}",
                model.graph.inputs.size(), model.graph.outputs.size());
  Objective out;
  out.identity = fmt::format("target={} smoothing={}", static_cast<int>(data.target()), label_smoothing);
  if (data.target() == Target::classes) {
    out.wanted = {logits_of(model.graph)};
    out.loss = [classes = data.classes(), label_smoothing](const LossInputs& in) {
      return cross_entropy(in, classes, label_smoothing);
    };
  } else {
    out.wanted = {model.graph.outputs.front().name};
    out.loss = mean_square;
  }
  return out;
}

}  // namespace alara::learn
