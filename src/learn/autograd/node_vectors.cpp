// SPDX-License-Identifier: Apache-2.0
#include "learn/autograd/node_vectors.hpp"

#include <algorithm>
#include <fstream>

#include "graph/onnx_file.hpp"
#include "learn/autograd/agreement.hpp"
#include "learn/autograd/network.hpp"

namespace alara::learn {
namespace {

// One field of protobuf's wire format that holds bytes: number, length, bytes.
void put_field(std::string& out, int number, const std::string& bytes) {
  const auto put = [&](std::size_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
  };
  put(static_cast<std::size_t>(number << 3 | 2));
  put(bytes.size());
  out += bytes;
}

// A file that holds one TensorProto, read as the only constant (field 5) of the graph (field 7) of a model with
// ir_version 8 and opset 17.
Result<graph::Tensor> read_tensor(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string tensor{std::istreambuf_iterator<char>(file), {}};
  std::string graph;
  put_field(graph, 5, tensor);
  std::string model = "\x08\x08";
  put_field(model, 7, graph);
  put_field(model, 8, "\x10\x11");
  ALARA_TRY(const graph::Model read, graph::parse_onnx(std::as_bytes(std::span(model))));
  return *read.graph.constants.begin()->second;
}

Result<std::vector<graph::Tensor>> read_tensors(const std::filesystem::path& folder, std::string_view what) {
  std::vector<graph::Tensor> out;
  for (std::size_t i = 0;; ++i) {
    const auto path = folder / fmt::format("{}_{}.pb", what, i);
    std::error_code unseen;
    if (!std::filesystem::exists(path, unseen)) return out;
    ALARA_TRY(graph::Tensor tensor, read_tensor(path));
    out.push_back(std::move(tensor));
  }
}

// Why a case says nothing of us, or "".
std::string pointless(const NodeVectors& vectors) {
  // ONNX Runtime has our opinion: align_corners divides by the whole number of output elements, not by size * scale.
  if (vectors.name.starts_with("test_resize_downsample_scales_") && vectors.name.ends_with("_align_corners"))
    return "ONNX Runtime differs from it as well";
  if (vectors.name.find("window") != std::string::npos) return "its stored outputs come from a pi of 3.1415";
  const graph::Graph& graph = vectors.model.graph;
  for (const auto& values : {graph.inputs, graph.outputs})
    for (const graph::ValueInfo& value : values)
      if (value.type == graph::DataType::text || value.type == graph::DataType::bfloat16)
        return fmt::format("has {} {}", graph::name_of(value.type), value.name);
  const bool random = std::ranges::any_of(
      graph.nodes, [](const graph::Node& node) { return node.is("Dropout") && node.inputs.size() > 2; });
  return random ? "drops at random" : "";
}

Result<double> error_of(const NodeVectors& vectors) {
  ALARA_TRY(const auto outputs, run_once(vectors.model, vectors.inputs));
  return largest_error(outputs, vectors.outputs);
}

void run_one(const NodeVectors& vectors, double tolerance, NodeReport& report) {
  const auto network = Network::build(vectors.model);
  const std::string why = network ? pointless(vectors) : network.error().text();
  if (!why.empty()) {
    report.left_out.push_back({vectors.name, why});
    return;
  }
  ++report.ran;
  const auto error = error_of(vectors);
  if (!error) {
    report.failed.push_back({vectors.name, error.error().text()});
    return;
  }
  if (*error > tolerance) report.failed.push_back({vectors.name, fmt::format("off by {:.3g}", *error)});
  if (*error > report.worst || report.worst_case.empty()) {
    report.worst = *error;
    report.worst_case = vectors.name;
  }
}

}  // namespace

std::vector<std::filesystem::path> node_vector_folders(const std::filesystem::path& suite) {
  std::vector<std::filesystem::path> out;
  std::error_code none, unseen;
  for (std::filesystem::directory_iterator entry(suite, none), end; !none && entry != end; entry.increment(none))
    if (std::filesystem::exists(entry->path() / "model.onnx", unseen)) out.push_back(entry->path());
  std::ranges::sort(out);
  return out;
}

Result<NodeVectors> read_node_vectors(const std::filesystem::path& folder) {
  NodeVectors out{folder.filename().string(), {}, {}, {}};
  ALARA_TRY(out.model, graph::read_onnx(folder / "model.onnx"));
  ALARA_TRY(out.inputs, read_tensors(folder / "test_data_set_0", "input"));
  ALARA_TRY(out.outputs, read_tensors(folder / "test_data_set_0", "output"));
  return out;
}

NodeReport run_node_vectors(std::span<const std::filesystem::path> folders, double tolerance) {
  NodeReport report;
  for (const auto& folder : folders) {
    const auto vectors = read_node_vectors(folder);
    if (vectors)
      run_one(*vectors, tolerance, report);
    else
      report.left_out.push_back({folder.filename().string(), vectors.error().text()});
  }
  return report;
}

}  // namespace alara::learn
