// SPDX-License-Identifier: Apache-2.0
// GRU (Cho et al., 2014, with the reset gate applied after the product, as cuDNN has it) and LSTM (Hochreiter and
// Schmidhuber, 1997; forget gates begin open, Jozefowicz et al., 2015) as ONNX's own operators.
#include <algorithm>

#include "learn/architecture/initial_weights.hpp"
#include "learn/architecture/layers.hpp"

namespace alara::learn {

using graph::Attribute;
using graph::Shape;
using graph::Tensor;

Flow Layers::gru(const Flow& in, const Recurrent& layer) { return recurrent(in, layer, Cell::gru); }
Flow Layers::lstm(const Flow& in, const Recurrent& layer) { return recurrent(in, layer, Cell::lstm); }

Flow Layers::recurrent(const Flow& in, const Recurrent& layer, Cell cell) {
  if (failed()) return in;
  const char* kind = cell == Cell::gru ? "gru" : "lstm";
  if (in.shape.size() != 2) return refuse(in, "{} needs [steps, features], not {}", kind, graph::text_of(in.shape));
  const std::int64_t units = layer.units, features = in.shape[1];
  if (units < 1 || units > 8192) return refuse(in, "{}: units {} is not within 1 and 8192", kind, units);
  const std::int64_t gates = cell == Cell::gru ? 3 : 4, directions = layer.bidirectional ? 2 : 1;
  if (!spend({directions * gates, units, features + units + 2})) return in;
  const std::string name = named(kind);
  Tensor recurrence = orthogonal(directions * gates, units, chance());
  recurrence.shape = {directions, gates * units, units};
  Tensor bias = filled({directions, 2 * gates * units}, 0);
  if (cell == Cell::lstm)  // gates are input, output, forget, cell
    for (std::int64_t d = 0; d < directions; ++d)
      std::fill_n(bias.mutable_values<float>().begin() + d * 8 * units + 2 * units, units, 1.F);
  const std::vector<std::string> inputs = {
      builder_.node("Transpose", name + "/by_step", {in.value}, {{"perm", std::vector<std::int64_t>{1, 0, 2}}}),
      builder_.constant(name + ".weight",
                        glorot_uniform({directions, gates * units, features}, features, units, chance())),
      builder_.constant(name + ".recurrence", std::move(recurrence)),
      builder_.constant(name + ".bias", std::move(bias))};
  std::map<std::string, Attribute> attributes = {
      {"hidden_size", units}, {"direction", std::string(layer.bidirectional ? "bidirectional" : "forward")}};
  if (cell == Cell::gru) attributes["linear_before_reset"] = std::int64_t{1};
  // All steps are [steps, directions, batch, units], the last one [directions, batch, units].
  const auto outputs = builder_.node(cell == Cell::gru ? "GRU" : "LSTM", name, inputs, 2, std::move(attributes));
  const std::vector<std::int64_t> order =
      layer.sequences ? std::vector<std::int64_t>{2, 0, 1, 3} : std::vector<std::int64_t>{1, 0, 2};
  const std::string turned =
      builder_.node("Transpose", name + "/by_sample", {outputs[layer.sequences ? 0 : 1]}, {{"perm", order}});
  const Shape shape = layer.sequences ? Shape{in.shape[0], directions * units} : Shape{directions * units};
  std::vector<std::int64_t> numbers = {0};
  numbers.insert(numbers.end(), shape.begin(), shape.end());
  return made(
      builder_.node("Reshape", name + "/joined", {turned, builder_.constant(name + ".shape", std::move(numbers))}),
      shape, in);
}

}  // namespace alara::learn
