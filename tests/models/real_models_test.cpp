// SPDX-License-Identifier: Apache-2.0
// The passes over real models, where some are there: files of every kind under $ALARA_MODELS or build/deps/models.
#include <cstdlib>
#include <filesystem>

#include "graph/cost.hpp"
#include "graph/fuse.hpp"
#include "graph/import/source.hpp"
#include "tests/models/deaf.hpp"

namespace alara::models {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> real_models() {
  static const std::set<std::string> kEndings{".onnx", ".tflite", ".json"};
  const char* folder = std::getenv("ALARA_MODELS");
  const fs::path root = folder != nullptr ? folder : "build/deps/models";
  std::vector<fs::path> out;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root, none))
    if (kEndings.contains(entry.path().extension().string())) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

// Free dimensions made known: pictures of 64 x 320, one row of everything else. nullopt for inputs of other kinds.
std::optional<std::vector<graph::Tensor>> make_known(graph::Model& model) {
  std::vector<graph::Tensor> out;
  for (graph::ValueInfo& input : model.graph.inputs) {
    if (input.type != graph::DataType::float32 || !input.dims) return std::nullopt;
    graph::Shape shape;
    for (graph::Dim& dim : *input.dims) {
      if (!dim.known()) dim = {shape.empty() ? 1 : shape.size() == 2 ? 64 : 320, {}};
      shape.push_back(dim.size);
    }
    out.push_back(random_tensor(std::move(shape), 1, 0, 1));
  }
  return out;
}

// Shows every model that can be read and run with numbers made up here.
class RealModels : public WithRuntime {
 protected:
  template <typename Visit>
  static void each(Visit visit) {
    const auto paths = real_models();
    if (paths.empty()) GTEST_SKIP() << "no models under build/deps/models (tools/setup fetches them)";
    for (const fs::path& path : paths) {
      SCOPED_TRACE(path.filename().string());
      auto model = graph::read_model(path);
      ASSERT_TRUE(model) << model.error().text();
      if (const auto inputs = make_known(*model)) visit(path.filename().string(), *model, *inputs);
    }
  }

  static void expect_same(const graph::Model& a, const graph::Model& b, const std::vector<graph::Tensor>& inputs) {
    const auto wanted = run(a, inputs);
    const auto got = run(b, inputs);
    ASSERT_EQ(wanted.size(), got.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_LT(difference(wanted[i], got[i]), 1e-3) << "output " << i;
  }
};

TEST_F(RealModels, ComputeTheSameAfterSimplifying) {
  each([](const std::string& name, const graph::Model& before, const std::vector<graph::Tensor>& inputs) {
    graph::Model after = before;
    const auto done = graph::simplify(after);
    ASSERT_TRUE(done) << done.error().text();
    expect_same(before, after, inputs);
    std::string rules;
    for (const auto& [rule, count] : done->rewrites)
      rules += fmt::format("{}{} {}", rules.empty() ? "" : ", ", count, rule);
    fmt::print("{}: {} nodes, then {} ({} rounds: {})\n", name, before.graph.nodes.size(), after.graph.nodes.size(),
               done->rounds, rules);
  });
}

TEST_F(RealModels, LoseFiltersAndComputeWhatIsLeft) {
  each([](const std::string& name, const graph::Model& original, const std::vector<graph::Tensor>& inputs) {
    graph::Model before = original;
    ASSERT_TRUE(graph::simplify(before, {graph::FoldOptions::Dequantize::fold}));
    graph::Model after = before;
    const auto removed = graph::remove_filters(after, {.share = 0.4});
    ASSERT_TRUE(removed) << removed.error().text();
    expect_same(deaf(before, *removed), after, inputs);
    const auto old_cost = graph::cost_of(before.graph, *graph::infer_shapes(before));
    const auto new_cost = graph::cost_of(after.graph, *graph::infer_shapes(after));
    fmt::print(
        "{}: {} layers narrower, {:.1f} % of the parameters and {:.1f} % of the MACs left\n", name, removed->size(),
        100.0 * static_cast<double>(new_cost.parameters) /
            static_cast<double>(std::max<std::int64_t>(1, old_cost.parameters)),
        100.0 * static_cast<double>(new_cost.macs) / static_cast<double>(std::max<std::int64_t>(1, old_cost.macs)));
  });
}

}  // namespace
}  // namespace alara::models
