// SPDX-License-Identifier: Apache-2.0
#include "graph/fuse.hpp"

#include <array>

namespace alara::graph {
namespace {

struct Rule {
  std::string_view name;
  std::size_t (*apply)(Graph& graph, const ValueTable& values);
};

// In this order: what clears the way comes first, and a scale goes into the layer before it rather than the one behind.
constexpr std::array kRules{
    Rule{"no-ops removed", remove_no_ops},
    Rule{"reshapes merged", merge_reshapes},
    Rule{"transposes merged", merge_transposes},
    Rule{"transposes pushed", push_transposes},
    Rule{"activations named", name_activations},
    Rule{"gemms made", make_gemms},
    Rule{"scales absorbed behind", absorb_scales_behind},
    Rule{"scales absorbed before", absorb_scales_before},
    Rule{"pads absorbed", absorb_pads},
    Rule{"duplicates merged", merge_duplicates},
};

// The first rule that finds something; 0 when none does. Shapes hold until then.
Result<std::size_t> one_round(Model& model, const FoldOptions& options, Simplified& done) {
  std::size_t changes = 0;
  ALARA_TRY(ValueTable values, infer_shapes(model));
  if (const std::size_t folded = fold_constants(model.graph, values, options); folded > 0) {
    done.rewrites["constants folded"] += folded;
    changes += folded;
    ALARA_TRY(values, infer_shapes(model));
  }
  for (const Rule& rule : kRules) {
    const std::size_t made = rule.apply(model.graph, values);
    if (made == 0) continue;
    done.rewrites[rule.name] += made;
    changes += made;
    remove_unused(model.graph);
    ALARA_TRY(values, infer_shapes(model));
  }
  return changes;
}

}  // namespace

std::size_t Simplified::total() const {
  std::size_t sum = 0;
  for (const auto& [rule, count] : rewrites) sum += count;
  return sum;
}

Result<Simplified> simplify(Model& model, const FoldOptions& options) {
  ALARA_CHECK(check(model));
  Simplified done;
  remove_unused(model.graph);
  for (std::size_t changes = 1; changes > 0 && done.rounds < kMaxSimplifyRounds; ++done.rounds) {
    ALARA_TRY(changes, one_round(model, options, done));
  }
  ALARA_CHECK(sort_nodes(model.graph));
  ALARA_CHECK(check(model));
  return done;
}

}  // namespace alara::graph
