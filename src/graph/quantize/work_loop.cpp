// SPDX-License-Identifier: Apache-2.0
// The accuracy loop of a quantisation.
#include <cmath>

#include "graph/quantize/accuracy_loop.hpp"
#include "graph/quantize/compare.hpp"
#include "graph/quantize/work.hpp"

namespace alara::graph {

Result<Model> Work::with_in_float(const std::set<std::size_t>& nodes) const {
  ALARA_TRY(const Plan plan, make_plan(model_.graph, values_, {options_.exclude, nodes, {}}));
  return to_qdq(model_, plan, numbers_);
}

// What each layer does to the outputs when it alone is quantised: noise against signal.
Result<std::vector<Candidate>> Work::sensitivities() {
  std::vector<Candidate> out;
  ALARA_TRY(const Reference reference,
            Reference::of(model_, samples_, options_.sensitivity_samples, executors_, progress_));
  progress_.begin("measuring the sensitivity of layers", plan_.nodes.size());
  for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
    if (progress_.stopped()) return fail(ErrorKind::refused, "stopped while measuring the sensitivity of layers");
    const Planned& planned = plan_.nodes[i];
    progress_.step(i, model_.graph.nodes[planned.node].label());
    if (planned.role == Role::movement) continue;
    ALARA_TRY(const Plan alone, make_plan(model_.graph, values_, {options_.exclude, {}, planned.node}));
    ALARA_TRY(const auto compared, reference.compare(to_qdq(model_, alone, numbers_), executors_));
    out.push_back({planned.node, std::pow(10.0, -worst_of(compared).sqnr_db / 10)});
    sensitivity_[planned.node] = out.back().sensitivity;
  }
  return out;
}

Result<double> Work::score(const Model& model) const {
  if (options_.metric) return options_.metric(model);
  CompareOptions compare_options;
  compare_options.max_samples = options_.compare_samples;
  Silent silent;
  ALARA_TRY(const auto compared, compare(model_, model, samples_, executors_, compare_options, silent));
  return 100 * worst_of(compared).cosine;
}

Status Work::meet_max_drop() {
  if (!options_.max_drop) return {};
  ALARA_TRY(const double before, score(model_));
  ALARA_TRY(const std::vector<Candidate> candidates, sensitivities());
  const Score score_with = [&](const std::set<std::size_t>& in_float) -> Result<double> {
    ALARA_TRY(const Model model, with_in_float(in_float));
    return score(model);
  };
  const double wanted = before - *options_.max_drop;
  ALARA_TRY(const LoopResult found, find_fewest(candidates, wanted, score_with, progress_));
  put_back_ = found.in_float;
  score_before_ = before;
  score_after_ = found.score;
  notes_.push_back(fmt::format("{} of {} layers went back to float, {} models tried: {:.3f} before, {:.3f} now",
                               put_back_.size(), candidates.size(), found.tried, before, found.score));
  if (found.score < wanted)
    notes_.push_back(
        fmt::format("a loss of at most {} was not reached, even with all of them in float", *options_.max_drop));
  ALARA_TRY(plan_, make_plan(model_.graph, values_, {options_.exclude, put_back_, {}}));
  return {};
}

}  // namespace alara::graph
