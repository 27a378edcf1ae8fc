// SPDX-License-Identifier: Apache-2.0
// Networks from a small YAML file, or from a template by its name: an ONNX model with first weights, whose batch is
// free.
//
//   name: press-cnn                     name: wear
//   input: [1, 28, 28]                  template: gru
//   layers:                             options: {input: [50, 6], units: 32, outputs: 1}
//     - conv: {filters: 32, kernel: 3, batch_norm: true, activation: relu}
//     - max_pool: 2
//     - residual: [{conv: 32}, relu, {conv: 32}]
//     - branches: [[{conv: 16}], [{max_pool: {kernel: 3, stride: 1, padding: same}}]]
//     - {relu: , as: middle}            # names a value
//     - {concat: [middle]}              # joins it to what came last; also: add
//     - {dense: 10, output: logits}     # without any: the last layer is the output "output"
#pragma once

#include <string>
#include <string_view>

#include "core/document.hpp"
#include "graph/model.hpp"
#include "learn/architecture/layers.hpp"

namespace alara::learn {

struct BuildOptions {
  std::uint64_t seed = 1;
  std::int64_t max_parameters = kMaxParameters;
};

// Errors are of kind bad_input and have the place of the layer that does not fit; exhausted: too many parameters.
[[nodiscard]] Result<graph::Model> build_architecture(const Node& document, const BuildOptions& options = {});
[[nodiscard]] Result<graph::Model> parse_architecture(std::string_view yaml, const std::string& name,
                                                      const BuildOptions& options = {});
[[nodiscard]] Result<graph::Model> load_architecture(const std::string& path, const BuildOptions& options = {});

// `settings` is a YAML map, as "{input: [1, 28, 28], classes: 10}"; what it leaves out has the template's default.
[[nodiscard]] Result<graph::Model> build_template(std::string_view name, std::string_view settings = {},
                                                  const BuildOptions& options = {});

// For `--help` and the documentation.
[[nodiscard]] std::string layer_reference();
[[nodiscard]] std::string template_reference();

}  // namespace alara::learn
