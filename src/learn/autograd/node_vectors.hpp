// SPDX-License-Identifier: Apache-2.0
// Test vectors of ONNX's own node suite where they are installed (Debian: libonnx-testdata): one model of one node
// with inputs and the outputs it must give.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/model.hpp"

namespace alara::learn {

inline constexpr const char* kNodeVectors = "/usr/share/libonnx-testdata/data/node";

struct NodeVectors {
  std::string name;  // "test_conv_with_strides_padding"
  graph::Model model;
  std::vector<graph::Tensor> inputs;
  std::vector<graph::Tensor> outputs;
};

// Folders of the suite, sorted; none where it is not installed.
[[nodiscard]] std::vector<std::filesystem::path> node_vector_folders(const std::filesystem::path& suite = kNodeVectors);
// Errors: a model or tensors that graph/onnx_file.hpp does not read (sequences, opset below 7).
[[nodiscard]] Result<NodeVectors> read_node_vectors(const std::filesystem::path& folder);

// The suite run with networks.
struct NodeReport {
  struct Verdict {
    std::string name;
    std::string why;  // what failed, or why it was left out
  };
  std::size_t ran = 0;
  double worst = 0;  // largest_error() of those that ran
  std::string worst_case;
  std::vector<Verdict> failed;    // ran into an error, or further off than `tolerance`
  std::vector<Verdict> left_out;  // can not be read, or needs an operator that is not here
};
[[nodiscard]] NodeReport run_node_vectors(std::span<const std::filesystem::path> folders, double tolerance);

}  // namespace alara::learn
