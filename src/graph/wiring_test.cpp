// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "graph/builder.hpp"

namespace alara::graph {
namespace {

// x -> Relu a -> Add(a, x) b -> output; and c, which nobody uses.
Model small() {
  Builder builder;
  const auto x = builder.input("x", Shape{1, 4});
  const auto a = builder.node("Relu", "a", {x});
  const auto b = builder.node("Add", "b", {a, x});
  builder.node("Mul", "c", {a, builder.scalar("two", 2)});
  builder.output(b);
  return std::move(builder).finish();
}

// An If whose branches use `x` from outside.
Node branch(const std::string& outer) {
  auto inner = std::make_shared<Graph>();
  inner->nodes.push_back({"Neg", {}, "n", {outer}, {"inside"}, {}});
  inner->outputs.push_back({"inside", DataType::float32, std::nullopt});
  return {"If", {}, "if", {"flag"}, {"chosen"}, {{"then_branch", inner}, {"else_branch", inner}}};
}

TEST(Wiring, TellsMakersAndUsers) {
  const Model model = small();
  const Wiring wiring(model.graph);
  EXPECT_EQ(wiring.producer("b"), 1U);
  EXPECT_EQ(wiring.producer("x"), std::nullopt);
  EXPECT_EQ(wiring.uses("x").size(), 2U);
  EXPECT_EQ(wiring.uses("a").front().node, 1U);
  EXPECT_TRUE(wiring.is_output("b"));
  EXPECT_FALSE(wiring.used_once("b"));
  EXPECT_FALSE(wiring.used_once("a"));
}

TEST(Wiring, CountsUsesWithinBranches) {
  Model model = small();
  model.graph.inputs.push_back({"flag", DataType::boolean, Dims{}});
  model.graph.nodes.push_back(branch("a"));
  const Wiring wiring(model.graph);
  EXPECT_EQ(wiring.uses("a").size(), 3U);
  EXPECT_EQ(wiring.uses("a").back().input, Wiring::npos);
  EXPECT_TRUE(check(model));
}

TEST(Graph, LosesWhatNobodyUses) {
  Model model = small();
  remove_unused(model.graph);
  EXPECT_EQ(model.graph.nodes.size(), 2U);
  EXPECT_TRUE(model.graph.constants.empty());
  EXPECT_TRUE(check(model));
}

TEST(Graph, IsSortedAndKeepsItsOrderWhereItCan) {
  Model model = small();
  std::swap(model.graph.nodes[0], model.graph.nodes[2]);
  EXPECT_FALSE(check(model));
  ASSERT_TRUE(sort_nodes(model.graph));
  EXPECT_TRUE(check(model));
  EXPECT_EQ(model.graph.nodes[0].op, "Relu");
}

TEST(Graph, NamesTheNodesOfACycle) {
  Model model = small();
  model.graph.nodes[0].inputs[0] = "b";
  const auto sorted = sort_nodes(model.graph);
  ASSERT_FALSE(sorted);
  EXPECT_NE(sorted.error().message.find("Relu 'a' <- Add 'b'"), std::string::npos) << sorted.error().message;
}

// Work must not grow with the square of the cycle's length: this many nodes would take minutes.
TEST(Graph, NamesALongCycleInOneWalk) {
  Graph graph;
  constexpr std::size_t kLength = 100'000;
  for (std::size_t i = 0; i < kLength; ++i)
    graph.nodes.push_back({"Relu", {}, {}, {"v" + std::to_string((i + 1) % kLength)}, {"v" + std::to_string(i)}, {}});
  const auto sorted = sort_nodes(graph);
  ASSERT_FALSE(sorted);
  EXPECT_EQ(sorted.error().message,
            "the graph has a cycle: Relu 'v0' <- Relu 'v1' <- Relu 'v2' <- Relu 'v3' <- Relu 'v4' <- Relu 'v5' <- ...");
}

TEST(Graph, IsRedirectedAlsoWithinBranches) {
  Model model = small();
  model.graph.inputs.push_back({"flag", DataType::boolean, Dims{}});
  model.graph.nodes.push_back(branch("a"));
  redirect(model.graph, "a", "x");
  const Wiring wiring(model.graph);
  EXPECT_TRUE(wiring.uses("a").empty());
  EXPECT_EQ(wiring.uses("x").size(), 5U);
}

TEST(Check, NamesNodeAndValue) {
  Model model = small();
  model.graph.nodes[1].inputs[0] = "nowhere";
  EXPECT_EQ(check(model).error().message, "Add 'b' uses 'nowhere', which nothing before it makes");
  model = small();
  model.graph.nodes[1].outputs[0] = "a";
  EXPECT_EQ(check(model).error().message, "Add 'b' makes 'a', which exists already");
  model = small();
  model.graph.outputs[0].name = "lost";
  EXPECT_EQ(check(model).error().message, "nothing makes the output 'lost'");
}

TEST(Names, AreFreshAlsoBesideThoseOfBranches) {
  Model model = small();
  model.graph.nodes.push_back(branch("a"));
  Names names(model.graph);
  EXPECT_EQ(names.fresh("inside"), "inside_1");
  EXPECT_EQ(names.fresh("inside"), "inside_2");
  EXPECT_EQ(names.fresh("new"), "new");
}

}  // namespace
}  // namespace alara::graph
