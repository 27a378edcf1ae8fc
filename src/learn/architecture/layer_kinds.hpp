// SPDX-License-Identifier: Apache-2.0
// The layers that an architecture file may name: each declared once, with its properties.
#pragma once

#include <span>

#include "core/schema.hpp"
#include "learn/architecture/layers.hpp"

namespace alara::learn {

struct LayerKind {
  Schema schema;
  std::string shorthand = {};  // the property that "kind: value" gives; empty: none
  Flow (*build)(Layers& net, const Flow& in, const Options& options);
};

[[nodiscard]] std::span<const LayerKind> layer_kinds();
[[nodiscard]] const LayerKind* layer_kind(std::string_view name);  // nullptr: there is none

// The map with the defaults of what it leaves out.
[[nodiscard]] Node completed(const Node& map, const Schema& schema);
// [1, 28, 28] or one number; empty where it is neither.
[[nodiscard]] std::vector<std::int64_t> numbers_of(const Node& node);

}  // namespace alara::learn
