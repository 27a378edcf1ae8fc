// SPDX-License-Identifier: Apache-2.0
// A graph that lost filters computes what the old one does when nobody listens to those channels: in the old graph
// every layer's input is multiplied by 0 there, and ONNX Runtime runs both.
#include "graph/fuse.hpp"
#include "graph/prune/filters.hpp"
#include "tests/models/deaf.hpp"
#include "tests/models/running.hpp"

namespace alara::models {
namespace {

using graph::Attribute;
using graph::Builder;
using graph::FilterOptions;
using graph::Model;
using Integers = std::vector<std::int64_t>;

// The layers of a network that is made to be pruned.
class Net : public Builder {
 public:
  std::string conv(const std::string& name, const std::string& x, graph::Shape weight,
                   std::map<std::string, Attribute> attributes = {}) {
    if (weight[2] == 3) attributes.emplace("pads", Integers{1, 1, 1, 1});
    const std::string w = constant(name + "_w", random_tensor(weight, seed_++));
    const std::string b = constant(name + "_b", random_tensor({weight[0]}, seed_++));
    return node("Conv", name, {x, w, b}, std::move(attributes));
  }
  std::string norm(const std::string& name, const std::string& x, std::int64_t channels) {
    std::vector<std::string> inputs{x};
    for (const char* part : {"_s", "_o", "_m", "_v"})
      inputs.push_back(constant(name + part, random_tensor({channels}, seed_++, 0.5F, 1.5F)));
    return node("BatchNormalization", name, std::move(inputs));
  }
  std::string block(const std::string& name, const std::string& x, graph::Shape weight,
                    std::map<std::string, Attribute> attributes = {}) {
    const std::int64_t channels = weight[0];
    return node("Relu", name + "_relu",
                {norm(name + "_bn", conv(name, x, std::move(weight), std::move(attributes)), channels)});
  }
  std::string dense(const std::string& name, const std::string& x, std::int64_t in, std::int64_t out) {
    return node("Gemm", name,
                {x, constant(name + "_w", random_tensor({in, out}, seed_++)),
                 constant(name + "_b", random_tensor({out}, seed_++))});
  }

 private:
  unsigned seed_ = 1;
};

class Filters : public WithRuntime {
 protected:
  // Prunes and compares; returns what went.
  static std::vector<graph::RemovedFilters> prune(const Model& before, const FilterOptions& options,
                                                  Model* result = nullptr) {
    Model after = before;
    const auto removed = graph::remove_filters(after, options);
    EXPECT_TRUE(removed) << removed.error().text();
    if (!removed) return {};
    const auto chosen = graph::choose_filters(before, options);
    EXPECT_EQ(removed->size(), chosen->size());
    const auto inputs = random_inputs(before);
    const auto wanted = run(deaf(before, *removed), inputs);
    const auto got = run(after, inputs);
    EXPECT_EQ(wanted.size(), got.size());
    for (std::size_t i = 0; i < std::min(wanted.size(), got.size()); ++i)
      EXPECT_LT(difference(wanted[i], got[i]), 1e-5) << "output " << i;
    if (result != nullptr) *result = std::move(after);
    return *removed;
  }

  static std::map<std::string, std::int64_t> left(const std::vector<graph::RemovedFilters>& removed) {
    std::map<std::string, std::int64_t> out;
    for (const graph::RemovedFilters& layer : removed) out[layer.layer] = layer.after();
    return out;
  }
};

using Left = std::map<std::string, std::int64_t>;

TEST_F(Filters, GoFromAChainAndItsNormalisationsButNotFromTheHead) {
  Net net;
  std::string x = net.input("x", graph::Shape{2, 3, 6, 6});
  x = net.block("b", net.block("a", x, {10, 3, 3, 3}), {20, 10, 3, 3});
  x = net.node("Flatten", "flat", {net.node("GlobalAveragePool", "mean", {x})});
  net.output(net.node("Softmax", "y", {net.dense("head", x, 20, 5)}));
  Model after;
  const auto removed = prune(std::move(net).finish(), {.share = 0.4}, &after);
  EXPECT_EQ(left(removed), (Left{{"a", 6}, {"b", 12}}));
  EXPECT_EQ(after.graph.constant("b_w")->shape, (graph::Shape{12, 6, 3, 3}));
  EXPECT_EQ(after.graph.constant("b_bn_v")->shape, (graph::Shape{12}));
  EXPECT_EQ(after.graph.constant("head_w")->shape, (graph::Shape{12, 5}));
}

TEST_F(Filters, OfAResidualGoTogether) {
  Net net;
  std::string x = net.input("x", graph::Shape{1, 3, 6, 6});
  const std::string stem = net.block("stem", x, {16, 3, 3, 3});
  const std::string inner = net.block("inner", stem, {24, 16, 3, 3});
  const std::string sum = net.node("Add", "sum", {net.norm("n", net.conv("outer", inner, {16, 24, 1, 1}), 16), stem});
  const std::string skip =
      net.node("Add", "sum2", {net.conv("more", net.node("Relu", "r", {sum}), {16, 16, 3, 3}), sum});
  net.output(net.conv("head", net.node("MaxPool", "pool", {skip}, {{"kernel_shape", Integers{2, 2}}}), {4, 16, 1, 1}));
  const auto removed = prune(std::move(net).finish(), {.share = 0.25});
  EXPECT_EQ(left(removed), (Left{{"stem", 12}, {"inner", 18}, {"outer", 12}, {"more", 12}}));
  std::map<std::string, Integers> filters;
  for (const graph::RemovedFilters& layer : removed) filters[layer.layer] = layer.filters;
  EXPECT_EQ(filters["stem"], filters["outer"]);
  EXPECT_EQ(filters["stem"], filters["more"]);
}

TEST_F(Filters, BehindConcatGoFromTheirOwnPlaces) {
  Net net;
  const std::string x = net.input("x", graph::Shape{1, 3, 6, 6});
  const std::string a = net.block("a", x, {8, 3, 1, 1});
  const std::string b = net.block("b", x, {12, 3, 3, 3});
  const std::string joined = net.norm("n", net.node("Concat", "joined", {a, x, b}, {{"axis", std::int64_t{1}}}), 23);
  net.output(net.conv("head", joined, {4, 23, 1, 1}));
  Model after;
  EXPECT_EQ(left(prune(std::move(net).finish(), {.share = 0.5}, &after)), (Left{{"a", 4}, {"b", 6}}));
  EXPECT_EQ(after.graph.constant("head_w")->shape, (graph::Shape{4, 13, 1, 1}));
}

TEST_F(Filters, TakeDepthwiseLayersAndGatesWithThem) {
  Net net;
  std::string x = net.input("x", graph::Shape{1, 3, 8, 8});
  const std::string wide = net.block("expand", x, {12, 3, 1, 1});
  const std::string deep =
      net.node("HardSwish", "deep_act", {net.conv("deep", wide, {24, 1, 3, 3}, {{"group", std::int64_t{12}}})});
  std::string gate = net.node("GlobalAveragePool", "squeeze", {deep});
  gate = net.node("Relu", "se_relu", {net.conv("se_down", gate, {8, 24, 1, 1})});
  gate = net.node("HardSigmoid", "se_gate", {net.conv("se_up", gate, {24, 8, 1, 1})});
  const std::string gated = net.node("Mul", "gated", {deep, gate});
  net.output(net.conv("project", gated, {6, 24, 1, 1}));
  Model after;
  EXPECT_EQ(left(prune(std::move(net).finish(), {.share = 0.5}, &after)),
            (Left{{"expand", 6}, {"se_down", 4}, {"se_up", 12}}));
  for (const graph::Node& node : after.graph.nodes)
    if (node.name == "deep") {
      EXPECT_EQ(node.integer("group", 0), 6);
    }
}

TEST_F(Filters, FlattenedReachEveryPlaceOfTheDenseLayer) {
  Net net;
  std::string x = net.input("x", graph::DataType::float32, {{-1, "batch"}, {1, {}}, {6, {}}, {6, {}}});
  x = net.node("MaxPool", "pool", {net.block("a", x, {10, 1, 3, 3})},
               {{"kernel_shape", Integers{2, 2}}, {"strides", Integers{2, 2}}});
  x = net.node("Reshape", "flat", {x, net.constant("shape", Integers{-1, 90})});
  x = net.node("Relu", "r", {net.dense("hidden", x, 90, 16)});
  net.output(net.dense("head", x, 16, 3));
  Model after;
  EXPECT_EQ(left(prune(std::move(net).finish(), {.share = 0.5}, &after)), (Left{{"a", 5}, {"hidden", 8}}));
  EXPECT_EQ(after.graph.constant("hidden_w")->shape, (graph::Shape{45, 8}));
}

TEST_F(Filters, OfGroupsGoEquallyFromEach) {
  Net net;
  std::string x = net.input("x", graph::Shape{1, 4, 5, 5});
  x = net.block("grouped", net.block("a", x, {16, 4, 1, 1}), {24, 4, 3, 3}, {{"group", std::int64_t{4}}});
  net.output(net.conv("head", x, {2, 24, 1, 1}));
  EXPECT_EQ(left(prune(std::move(net).finish(), {.share = 0.5, .least = 1})), (Left{{"a", 8}, {"grouped", 12}}));
}

TEST_F(Filters, PassSplitsSlicesAndResizes) {
  Net net;
  const std::string x = net.input("x", graph::Shape{1, 3, 6, 6});
  const std::string wide = net.block("a", x, {20, 3, 1, 1});
  const auto halves =
      net.node("Split", "halves", {wide, net.constant("parts", Integers{8, 12})}, 2, {{"axis", std::int64_t{1}}});
  const std::string cut = net.node("Slice", "cut",
                                   {halves[1], net.constant("from", Integers{2, 1}),
                                    net.constant("to", Integers{-1, 5}), net.constant("axes", Integers{-3, 2})});
  const std::string up = net.node("Resize", "up", {halves[0], "", "", net.constant("sizes", Integers{1, 8, 12, 12})},
                                  {{"mode", std::string("nearest")}});
  net.output(net.conv("h1", cut, {2, 9, 1, 1}));
  net.output(net.conv("h2", up, {2, 8, 1, 1}));
  EXPECT_EQ(left(prune(std::move(net).finish(), {.share = 0.4})), (Left{{"a", 12}}));
}

TEST_F(Filters, OfTransposedConvolutionsAndConstantsGoToo) {
  Net net;
  std::string x = net.block("a", net.input("x", graph::Shape{1, 3, 5, 5}), {8, 3, 1, 1});
  x = net.node(
      "ConvTranspose", "up",
      {x, net.constant("up_w", random_tensor({8, 10, 2, 2}, 77)), net.constant("up_b", random_tensor({10}, 78))},
      {{"strides", Integers{2, 2}}});
  x = net.node("PRelu", "act", {x, net.constant("slope", random_tensor({10, 1, 1}, 79))});
  x = net.node("Mul", "scaled", {net.constant("scale", random_tensor({1, 10, 1, 1}, 80)), x});
  net.output(net.conv("head", x, {2, 10, 1, 1}));
  EXPECT_EQ(left(prune(std::move(net).finish(), {.share = 0.5})), (Left{{"a", 4}, {"up", 5}}));
}

TEST_F(Filters, BesidePaddedChannelsGoOnlyWhereNothingWasAdded) {
  Net net;
  const std::string narrow = net.block("a", net.input("x", graph::Shape{1, 3, 6, 6}), {8, 3, 3, 3});
  const std::string wide = net.block("b", narrow, {12, 8, 3, 3});
  const std::string padded =
      net.node("Pad", "padded", {narrow, net.constant("pads", Integers{0, 0, 0, 0, 0, 4, 0, 0})});
  net.output(net.conv("head", net.node("Add", "sum", {wide, padded}), {2, 12, 1, 1}));
  EXPECT_EQ(left(prune(std::move(net).finish(), {.share = 0.5})), (Left{{"a", 4}, {"b", 8}}));
}

TEST_F(Filters, OfProductsOverSequencesGo) {
  Net net;
  std::string x = net.input("x", graph::Shape{2, 7, 6});
  x = net.node("MatMul", "up", {x, net.constant("up_w", random_tensor({6, 20}, 1))});
  x = net.node("Relu", "act", {net.node("Add", "shift", {x, net.constant("up_b", random_tensor({20}, 2))})});
  net.output(net.node("MatMul", "down", {x, net.constant("down_w", random_tensor({20, 6}, 3))}));
  EXPECT_EQ(left(prune(std::move(net).finish(), {.share = 0.5})), (Left{{"up", 10}}));
}

TEST_F(Filters, StayWhereSomethingLooksAcrossThem) {
  Net net;
  const std::string x = net.input("x", graph::Shape{1, 3, 6, 6});
  const std::string a = net.conv("a", x, {8, 3, 1, 1});
  const std::string b = net.conv("b", x, {8, 3, 1, 1});
  const std::string shuffled = net.node("Reshape", "shuffle", {b, net.constant("s", Integers{1, 2, 4, 36})});
  net.output(net.node("ReduceMean", "mean", {a}, {{"axes", Integers{1}}}));
  net.output(net.node("LRN", "lrn", {net.conv("c", x, {8, 3, 1, 1})}, {{"size", std::int64_t{3}}}));
  net.output(net.node("Relu", "y", {shuffled}));
  EXPECT_TRUE(prune(std::move(net).finish(), {.share = 0.9}).empty());
}

TEST_F(Filters, StayWhereWeightsAreShared) {
  Net net;
  const std::string x = net.input("x", graph::Shape{1, 8, 6, 6});
  const std::string w = net.constant("w", random_tensor({8, 8, 1, 1}, 4));
  const std::string twice = net.node("Conv", "second", {net.node("Relu", "r", {net.node("Conv", "first", {x, w})}), w});
  net.output(net.conv("head", twice, {2, 8, 1, 1}));
  EXPECT_TRUE(prune(std::move(net).finish(), {.share = 0.5}).empty());
}

Model three_widths() {
  Net net;
  std::string x = net.input("x", graph::Shape{1, 3, 6, 6});
  x = net.block("c", net.block("b", net.block("a", x, {16, 3, 3, 3}), {30, 16, 3, 3}), {48, 30, 3, 3});
  net.output(net.conv("head", x, {2, 48, 1, 1}));
  return std::move(net).finish();
}

TEST_F(Filters, AreKeptInMultiplesAndAtLeastSomeAndByName) {
  EXPECT_EQ(left(prune(three_widths(), {.share = 0.4, .multiple = 8})), (Left{{"b", 24}, {"c", 32}}));
  EXPECT_EQ(left(prune(three_widths(), {.share = 1, .least = 5})), (Left{{"a", 5}, {"b", 5}, {"c", 5}}));
  EXPECT_EQ(left(prune(three_widths(), {.share = 0.5, .keep = {"b"}})), (Left{{"a", 8}, {"c", 24}}));
}

TEST_F(Filters, AreRankedByEachOfTheRules) {
  for (const auto rank : {graph::FilterRank::l1, graph::FilterRank::l2, graph::FilterRank::norm_scale}) {
    Model model = three_widths();
    const auto weaken = [&](const std::string& name, std::size_t from, std::size_t count) {
      graph::Tensor tensor = *model.graph.constant(name);
      for (float& number : tensor.mutable_values<float>().subspan(from, count)) number *= 0.001F;
      model.graph.constants[name] = graph::share(std::move(tensor));
    };
    if (rank == graph::FilterRank::norm_scale)
      weaken("a_bn_s", 5, 1);
    else
      weaken("a_w", 5 * 27, 27);
    const auto removed = prune(model, {.share = 0.06, .rank = rank});
    ASSERT_FALSE(removed.empty());
    EXPECT_EQ(removed.front().filters, Integers{5});
  }
}

TEST_F(Filters, GloballyTheWeakestLayersLoseMost) {
  Model model = three_widths();
  const auto removed = prune(model, {.share = 0.5, .scope = graph::FilterScope::global});
  std::int64_t gone = 0;
  for (const auto& layer : removed) gone += static_cast<std::int64_t>(layer.filters.size());
  EXPECT_EQ(gone, 47);
}

TEST_F(Filters, ThatAreNamedGo) {
  Model model = three_widths();
  ASSERT_TRUE(graph::remove_these_filters(model, {{"b", {0, 29}, 30}}));
  EXPECT_EQ(model.graph.constant("b_w")->shape, (graph::Shape{28, 16, 3, 3}));
  EXPECT_FALSE(graph::remove_these_filters(model, {{"b", {28}, 28}}));
  EXPECT_FALSE(graph::remove_these_filters(model, {{"head", {0}, 2}}));
  EXPECT_FALSE(graph::remove_these_filters(model, {{"nowhere", {0}, 2}}));
}

TEST_F(Filters, StillGoAfterSimplifying) {
  Model model = three_widths();
  ASSERT_TRUE(graph::simplify(model));
  EXPECT_EQ(left(prune(model, {.share = 0.5})), (Left{{"a", 8}, {"b", 15}, {"c", 24}}));
}

}  // namespace
}  // namespace alara::models
