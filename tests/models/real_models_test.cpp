// SPDX-License-Identifier: Apache-2.0
// The passes over real models, where some are there: ONNX files under $ALARA_MODELS or build/deps/models.
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "graph/fuse.hpp"
#include "graph/upgrade.hpp"
#include "tests/models/running.hpp"

namespace alara::models {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> real_models() {
  const char* folder = std::getenv("ALARA_MODELS");
  const fs::path root = folder != nullptr ? folder : "build/deps/models";
  std::vector<fs::path> out;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root, none))
    if (entry.path().extension() == ".onnx" && entry.is_regular_file()) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

// Free dimensions made known: pictures of 64 x 320, one row of everything else.
std::vector<graph::Tensor> inputs_of(const graph::Model& model) {
  std::vector<graph::Tensor> out;
  for (const graph::ValueInfo& input : model.graph.inputs) {
    if (input.type != graph::DataType::float32) return {};
    graph::Shape shape;
    for (const graph::Dim& dim : input.dims.value_or(graph::Dims{}))
      shape.push_back(dim.known() ? dim.size : shape.empty() ? 1 : shape.size() == 2 ? 64 : 320);
    if (shape.size() != 4) return {};
    out.push_back(random_tensor(std::move(shape), 1));
  }
  return out;
}

class RealModels : public WithRuntime {};

TEST_F(RealModels, ComputeTheSameAfterSimplifying) {
  const auto paths = real_models();
  if (paths.empty()) GTEST_SKIP() << "no models under build/deps/models (tools/setup fetches them)";
  for (const fs::path& path : paths) {
    SCOPED_TRACE(path.filename().string());
    auto before = graph::read_onnx(path);
    ASSERT_TRUE(before) << before.error().text();
    ASSERT_TRUE(graph::upgrade(*before));
    const auto inputs = inputs_of(*before);
    if (inputs.empty()) continue;
    graph::Model after = *before;
    const auto done = graph::simplify(after);
    ASSERT_TRUE(done) << done.error().text();
    const auto wanted = run(*before, inputs);
    const auto got = run(after, inputs);
    ASSERT_EQ(wanted.size(), got.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_LT(difference(wanted[i], got[i]), 1e-4) << "output " << i;
    std::string rules;
    for (const auto& [rule, count] : done->rewrites)
      rules += fmt::format("{}{} {}", rules.empty() ? "" : ", ", count, rule);
    fmt::print("{}: {} nodes, then {} ({} rounds: {})\n", path.filename().string(), before->graph.nodes.size(),
               after.graph.nodes.size(), done->rounds, rules);
  }
}

}  // namespace
}  // namespace alara::models
