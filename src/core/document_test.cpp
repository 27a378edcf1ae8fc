// SPDX-License-Identifier: Apache-2.0
#include "core/document.hpp"

#include <gtest/gtest.h>

namespace alara {
namespace {

TEST(Document, KnowsWhereEverythingStands) {
  const auto tree = parse_document("a: 1\nb:\n  - {c: x}\n  - 'y'\n", "f.yaml");
  ASSERT_TRUE(tree) << tree.error().text();
  const Node* b = tree->find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(tree->entries[1].key_where.text(), "f.yaml:2:1");
  EXPECT_EQ(b->items[0].find("c")->where.text(), "f.yaml:3:9");
  EXPECT_FALSE(b->items[0].find("c")->quoted);
  EXPECT_TRUE(b->items[1].quoted);
  EXPECT_EQ(tree->find("z"), nullptr);
  EXPECT_EQ(b->find("c"), nullptr) << "a list has no keys";
}

TEST(Document, TellsNothingFromAnEmptyText) {
  const auto tree = parse_document("a: ~\nb:\nc: ''\nd: null\ne: 'null'\n", "f.yaml");
  ASSERT_TRUE(tree);
  for (const auto key : {"a", "b", "d"}) EXPECT_TRUE(tree->find(key)->is_null()) << key;
  for (const auto key : {"c", "e"}) EXPECT_TRUE(tree->find(key)->is_scalar()) << key;
}

TEST(Document, RefusesWhatIsMalformedWithAPlace) {
  for (const std::string_view text : {"a: [1, 2", "a: {b: 1", "a: 'open", "a: 1\n b: 2\n", "a: 1\na: 2\n",
                                      "? [x]\n: 1\n", "a: &x 1\nb: *x\n", "\t- a", "a: \"\\q\"", "{a: x > 38[A]}"}) {
    const auto tree = parse_document(text, "f.yaml");
    ASSERT_FALSE(tree) << text;
    EXPECT_EQ(tree.error().where.file, "f.yaml") << text;
    EXPECT_GT(tree.error().where.line, 0) << tree.error().text();
  }
}

TEST(Document, HoldsItsLimits) {
  const std::string deep = std::string(kMaxDocumentDepth + 1, '[') + std::string(kMaxDocumentDepth + 1, ']');
  ASSERT_FALSE(parse_document(deep, "f"));
  EXPECT_TRUE(parse_document(std::string_view(deep).substr(1, deep.size() - 2), "f"));
  EXPECT_FALSE(parse_document(std::string(kMaxDocumentBytes + 1, ' '), "f"));
  EXPECT_FALSE(load_document("/nowhere/site.yaml"));
}

TEST(Document, HasOneTextForEqualTrees) {
  const auto text = [](std::string_view yaml) { return parse_document(yaml, "f")->canonical(); };
  EXPECT_EQ(text("{a: 1, b: [x, y]}"), text("a:   1\nb:\n  - x\n  - 'y'\n"));
  EXPECT_NE(text("a: 1"), text("a: 2"));
  EXPECT_NE(text("a: [b, c]"), text("a: 'b,c'"));
  EXPECT_NE(text("a: ~"), text("a: '~'"));
}

}  // namespace
}  // namespace alara
