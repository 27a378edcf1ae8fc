// SPDX-License-Identifier: Apache-2.0
// The accuracy loop of a quantisation.
#include <cmath>

#include "base/hash.hpp"
#include "graph/onnx_file.hpp"
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
    const Model model = to_qdq(model_, alone, numbers_);
    const auto noise = [&]() -> Result<double> {
      ALARA_TRY(const auto compared, reference.compare(model, executors_));
      return std::pow(10.0, -worst_of(compared).sqnr_db / 10);
    };
    ALARA_TRY(const double found, journalled(fmt::format("noise {}", options_.sensitivity_samples), model, noise));
    out.push_back({planned.node, found});
    sensitivity_[planned.node] = out.back().sensitivity;
  }
  return out;
}

// What `find` finds of the model, or found in a run before. `what` names all else that it depends on.
Result<double> Work::journalled(const std::string& what, const Model& model,
                                const std::function<Result<double>()>& find) const {
  if (options_.journal == nullptr) return find();
  ALARA_TRY(const std::string bytes, to_onnx(model));
  const std::uint64_t key = fnv1a(bytes, fnv1a(what));
  if (const auto* known = options_.journal->recall(key); known != nullptr && known->size() == 1) return known->front();
  ALARA_TRY(const double found, find());
  ALARA_CHECK(options_.journal->add(key, {&found, 1}));
  return found;
}

Result<double> Work::score(const Model& model) const {
  if (options_.metric)
    return journalled("metric " + options_.metric_name, model, [&] { return options_.metric(model); });
  return journalled(fmt::format("cosine {}", options_.compare_samples), model, [&] { return cosine(model); });
}

Result<double> Work::cosine(const Model& model) const {
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
