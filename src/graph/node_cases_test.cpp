// SPDX-License-Identifier: Apache-2.0
// The ONNX project's own cases for every operator (Debian: libonnx-testdata): each is read, brought to one opset, and
// the shapes that our rules say must be those of the stored results.
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <filesystem>
#include <fstream>

#include "graph/onnx_file.hpp"
#include "graph/shapes.hpp"
#include "graph/upgrade.hpp"

namespace alara::graph {
namespace {

namespace fs = std::filesystem;

const fs::path kCases = "/usr/share/libonnx-testdata/data/node";

template <typename Proto>
std::optional<Proto> read_proto(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  Proto proto;
  if (!file || !proto.ParseFromIstream(&file)) return std::nullopt;
  return proto;
}

// The case's model with its inputs as constants and no shapes declared; the shapes of its results beside it.
struct Case {
  Model model;
  std::vector<Shape> results;
};

std::optional<Case> load(const fs::path& folder) {
  auto proto = read_proto<onnx::ModelProto>(folder / "model.onnx");
  if (!proto) return std::nullopt;
  auto& graph = *proto->mutable_graph();
  for (int i = 0; i < graph.input_size(); ++i) {
    auto value = read_proto<onnx::TensorProto>(folder / "test_data_set_0" / fmt::format("input_{}.pb", i));
    if (!value || !graph.input(i).type().has_tensor_type()) return std::nullopt;
    value->set_name(graph.input(i).name());
    *graph.add_initializer() = *value;
  }
  graph.clear_value_info();
  Case out;
  for (int i = 0; i < graph.output_size(); ++i) {
    const auto value = read_proto<onnx::TensorProto>(folder / "test_data_set_0" / fmt::format("output_{}.pb", i));
    if (!value || !graph.output(i).type().has_tensor_type()) return std::nullopt;
    out.results.emplace_back(value->dims().begin(), value->dims().end());
    graph.mutable_output(i)->clear_type();
  }
  const std::string bytes = proto->SerializeAsString();
  auto model = parse_onnx(std::as_bytes(std::span(bytes.data(), bytes.size())));
  if (!model) return std::nullopt;
  out.model = *std::move(model);
  return out;
}

// "" when every inferred size is the stored one.
std::string difference(const Case& each, const ValueTable& values) {
  for (std::size_t i = 0; i < each.results.size(); ++i) {
    const ValueInfo& value = values.find(each.model.graph.outputs[i].name)->second;
    if (!value.dims) continue;
    bool same = value.dims->size() == each.results[i].size();
    for (std::size_t d = 0; same && d < value.dims->size(); ++d)
      same = !(*value.dims)[d].known() || (*value.dims)[d].size == each.results[i][d];
    if (!same) return fmt::format("{} is {}", value.text(), text_of(each.results[i]));
  }
  return "";
}

bool all_known(const Case& each, const ValueTable& values) {
  return std::all_of(each.model.graph.outputs.begin(), each.model.graph.outputs.end(), [&](const ValueInfo& output) {
    const auto found = values.find(output.name);
    return found != values.end() && found->second.dims && shape_of(*found->second.dims);
  });
}

TEST(NodeCases, HaveTheShapesOfTheStoredResults) {
  if (!fs::exists(kCases)) GTEST_SKIP() << "libonnx-testdata is not installed (tools/setup)";
  int read = 0;
  int known = 0;
  for (const auto& entry : fs::directory_iterator(kCases)) {
    auto each = load(entry.path());
    if (!each) continue;
    ASSERT_TRUE(upgrade(each->model)) << entry.path();
    const auto values = infer_shapes(each->model);
    ASSERT_TRUE(values) << entry.path() << ": " << values.error().text();
    EXPECT_EQ(difference(*each, *values), "") << entry.path();
    ++read;
    if (all_known(*each, *values)) ++known;
  }
  RecordProperty("read", read);
  RecordProperty("known", known);
  EXPECT_GT(read, 850);
  EXPECT_GT(known, 650) << "of " << read;
}

}  // namespace
}  // namespace alara::graph
