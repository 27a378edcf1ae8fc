// SPDX-License-Identifier: Apache-2.0
#include "lab/inspection.hpp"

#include <gtest/gtest.h>

#include "graph/builder.hpp"
#include "lab/text_table.hpp"

namespace alara::lab {
namespace {

graph::Model two_layers(const std::string& second) {
  graph::Builder builder;
  const std::string x = builder.input("x", graph::DataType::float32, {{-1, "batch"}, {4, {}}});
  const std::string w = builder.constant("w", graph::Tensor::zeros(graph::DataType::float32, {4, 3}));
  builder.output(builder.node(second, "y", {builder.node("MatMul", "product", {x, w})}));
  return std::move(builder).finish();
}

TEST(Inspection, CountsForTheBatchThatIsMeant) {
  const auto one = inspect(two_layers("Relu"), 1, {});
  const auto ten = inspect(two_layers("Relu"), 10, {});
  const auto named = inspect(two_layers("Relu"), 1, {{"x", {10, 4}}});
  ASSERT_TRUE(one && ten && named);
  EXPECT_EQ(one->cost.macs, 12);
  EXPECT_EQ(ten->cost.macs, 120);
  EXPECT_EQ(named->json(), ten->json());
  EXPECT_NE(ten->text().find("float32[10, 3]"), std::string::npos);
}

TEST(Inspection, NamesAnUnknownOperatorWithItsPlace) {
  const auto found = inspect(two_layers("Mystery"), 1, {});
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->unknown_operators(), std::vector<std::string>{"Mystery 'y' (node 1, reads 'product')"});
  EXPECT_NE(found->text().find("unknown operator  Mystery 'y'"), std::string::npos);
  EXPECT_EQ(found->json()["nodes"][1]["known"], false);
}

TEST(Inspection, RefusesAShapeForAnInputThatIsNotThere) {
  const auto wrong = inspect(two_layers("Relu"), 1, {{"z", {1, 4}}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "the model has no input 'z'");
}

TEST(TextTable, PadsToTheWidestCellAndCountsCharacters) {
  TextTable table({{"a"}, {"count", TextTable::Align::right}, {"b"}});
  table.row({"größer", "7", "x"});
  EXPECT_EQ(table.text(), "a       count  b\n------  -----  -\ngrößer      7  x\n");
}

TEST(TextTable, WritesThreeDigits) {
  EXPECT_EQ(short_count(999), "999");
  EXPECT_EQ(short_count(9408), "9.41 K");
  EXPECT_EQ(short_count(4089284608), "4.09 G");
  EXPECT_EQ(short_bytes(0), "0 B");
  EXPECT_EQ(short_bytes(999'999), "1.00 MB");
  EXPECT_EQ(short_bytes(123'400'000), "123 MB");
}

}  // namespace
}  // namespace alara::lab
