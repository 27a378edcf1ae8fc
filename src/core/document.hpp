// SPDX-License-Identifier: Apache-2.0
// A YAML (or JSON) file as a tree whose every node knows where it stands, so that every later error can say so.
// The parser is bounded: depth, size and number of nodes have named limits, and aliases are refused.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace alara {

struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  struct Entry;

  Kind kind = Kind::null;
  std::string scalar;          // of a scalar, as written
  bool quoted = false;         // "1" and 1 differ
  std::vector<Node> items;     // of a list
  std::vector<Entry> entries;  // of a map, in file order; keys are unique
  Where where;

  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_list() const { return kind == Kind::list; }
  [[nodiscard]] bool is_map() const { return kind == Kind::map; }
  [[nodiscard]] const Node* find(std::string_view key) const;  // nullptr when absent or not a map
  // A canonical text of the tree without places: equal trees have equal texts. Drives reload by difference.
  [[nodiscard]] std::string canonical() const;
};

struct Node::Entry {
  std::string key;
  Where key_where;
  Node value;
};

inline constexpr std::size_t kMaxDocumentBytes = 16u << 20;
inline constexpr int kMaxDocumentDepth = 64;
inline constexpr std::size_t kMaxDocumentNodes = 2'000'000;

// Parses `text`; `name` is what places call the file. Errors: malformed YAML, duplicate keys, aliases, limits.
[[nodiscard]] Result<Node> parse_document(std::string_view text, const std::string& name);
[[nodiscard]] Result<Node> load_document(const std::string& path);

}  // namespace alara
