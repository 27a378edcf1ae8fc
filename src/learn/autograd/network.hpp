// SPDX-License-Identifier: Apache-2.0
// An ONNX graph that runs in libtorch, gives gradients for its constants and becomes an ONNX graph again: the ground on
// which training, fine-tuning, pruning and distillation stand.
//
// A model whose inputs declare a fixed batch (imported ones say 1) runs with any: a Reshape of values that depend on
// the inputs, to a constant shape whose first entry is the declared batch, reshapes to the batch it is run with; so do
// Resize to constant sizes, Expand, and a Concat with a constant of one row.
//
// Graphs with QuantizeLinear and DequantizeLinear train too: rounding passes gradients straight through, values
// outside the range give none. An integer constant that goes into DequantizeLinear is a parameter as the real numbers
// that it stands for, rounded anew in each run and written back as integers.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/model.hpp"

namespace alara::learn {

enum class Mode : std::uint8_t {
  infer,  // BatchNormalization uses its running statistics, Dropout passes all
  train,  // BatchNormalization uses those of the batch and updates its running ones, Dropout drops
};

enum class Precision : std::uint8_t { float32, float64 };  // float64 is for checking gradients

struct NetworkOptions {
  Precision precision = Precision::float32;
  std::uint64_t seed = 0;  // of what Dropout drops
};

// Not for use by several threads at once. A moved-from network may only be assigned to.
class Network {
 public:
  // The model is upgraded first (graph/upgrade.hpp). Errors of kind bad_input name every operator that is not
  // supported, with its place.
  [[nodiscard]] static Result<Network> build(graph::Model model, const NetworkOptions& options = {});
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;
  ~Network();

  // `inputs` in the order of the model's. Returns the `wanted` values, any of the graph, in that order (empty: its
  // outputs); only what they need is computed, and what nothing needs any more is freed. Gradients are recorded unless
  // an at::NoGradGuard is alive. Quantised values come as real numbers that are whole. Errors of kind bad_input name
  // the node, its operator and the shapes.
  [[nodiscard]] Result<std::vector<at::Tensor>> run(std::span<const at::Tensor> inputs,
                                                    std::span<const std::string> wanted = {}, Mode mode = Mode::infer);

  // What training may change, by the name of the constant: weights, biases, scales and shifts of normalisations. Leaf
  // tensors that require gradients; change them in place. Not among them: scalars, what makes shapes, running
  // statistics, scales and zero points of quantisation, and what is applied to an input of the graph before any layer
  // (means and deviations of preprocessing).
  [[nodiscard]] const std::map<std::string, at::Tensor>& parameters() const;
  // The running statistics of BatchNormalization; updated by runs in Mode::train.
  [[nodiscard]] const std::map<std::string, at::Tensor>& statistics() const;
  // What Dropout drops from now on depends on the seed alone.
  void reseed(std::uint64_t seed);
  // The same graph with the present parameters and statistics as constants, in the types that they had.
  [[nodiscard]] graph::Model model() const;

 private:
  struct Body;
  explicit Network(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

// Makes this process ready for long work: that many threads within one operation of libtorch (0: one for each CPU that
// the process may use), and freed memory kept for the tensors of the next step instead of given back to the kernel,
// which clears each page anew (a third of the time where tensors exceed 32 MiB).
void set_up_process(int threads);
// Operators that networks can run, sorted.
[[nodiscard]] std::vector<std::string> supported_operators();

// Between the two kinds of tensors. Float16 and bfloat16 become float32, unsigned integers of 16 bits and more the next
// larger signed ones; text has no tensor (bad_input).
[[nodiscard]] Result<at::Tensor> to_torch(const graph::Tensor& tensor);
// To the nearest number of `type`; undefined: the type that fits the tensor's own.
[[nodiscard]] graph::Tensor from_torch(const at::Tensor& tensor, graph::DataType type = graph::DataType::undefined);

}  // namespace alara::learn
