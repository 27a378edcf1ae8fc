// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "expr/compute_kind.hpp"
#include "flow/detect/detect.hpp"
#include "flow/feature/features.hpp"
#include "flow/feature/filter.hpp"
#include "flow/publish/publish.hpp"
#include "flow/window/window.hpp"
#include "infer/model.hpp"
#include "node/registry.hpp"
#include "rules/forward.hpp"
#include "rules/rule_kind.hpp"

namespace alara::node {

std::span<const OperatorKind* const> operator_kinds() {
  static const std::array<const OperatorKind*, 9> kKinds{
      &flow::filter_kind(), &flow::window_kind(), &flow::features_kind(), &expr::compute_kind(), &flow::detect_kind(),
      &infer::model_kind(), &rules::rule_kind(),  &rules::forward_kind(), &flow::publish_kind(),
  };
  return kKinds;
}

const OperatorKind* operator_kind_named(std::string_view key) {
  const auto all = operator_kinds();
  const auto found = std::ranges::find(all, key, [](const OperatorKind* kind) { return kind->key(); });
  return found == all.end() ? nullptr : *found;
}

}  // namespace alara::node
