// SPDX-License-Identifier: Apache-2.0
#include "node/graph.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/text.hpp"

namespace alara::node {
namespace {

// Makes steps as soon as everything they read is known, until nothing moves any more. What is left then reads an
// unknown name or is part of a cycle.
class PipelineBuilder {
 public:
  PipelineBuilder(const Site& site, const PipelineSpec& spec, const OperatorContext& context, bool warn,
                  Diagnosis& diagnosis)
      : site_(site),
        spec_(spec),
        context_(context),
        warn_(warn),
        diagnosis_(diagnosis),
        signals_(site.asset_types[spec.type].signals) {}

  BuiltPipeline build() {
    for (const StepSpec& step : spec_.steps) {
      auto reads = step.kind->inputs(step.options);
      if (!reads) {
        error(reads.error(), step.where);
        return std::move(built_);
      }
      wait_for(step, spelled_out(std::move(*reads)));
    }
    while (!waiting_.empty()) {
      const auto ready = std::ranges::find_if(waiting_, [this](const Waiting& w) { return readable(w); });
      if (ready == waiting_.end()) {
        explain_stuck();
        return std::move(built_);
      }
      const Waiting next = std::move(*ready);
      waiting_.erase(ready);
      if (!make(next)) failed_.insert(next.step->name);
    }
    if (warn_) warn_unread();
    return std::move(built_);
  }

 private:
  struct Waiting {
    const StepSpec* step;
    std::vector<std::string> reads;
    std::string name;  // of the step, or of this one of several made of it
  };
  struct Known {
    ValueRef ref;
    ValueInfo info;
  };

  // "*" becomes all signals that some asset has a source for; what stands twice is read once.
  std::vector<std::string> spelled_out(std::vector<std::string> reads) const {
    if (std::ranges::find(reads, "*") == reads.end()) return reads;
    std::erase(reads, "*");
    for (std::size_t signal = 0; signal < signals_.size(); ++signal) {
      const auto has_source = [&](std::size_t asset) {
        return std::ranges::find(site_.assets[asset].sources, signal, &SourceSpec::signal) !=
               site_.assets[asset].sources.end();
      };
      if (std::ranges::any_of(spec_.assets, has_source) &&
          std::ranges::find(reads, signals_[signal].name) == reads.end())
        reads.push_back(signals_[signal].name);
    }
    return reads;
  }

  // A step that takes its inputs apart is made once for each.
  void wait_for(const StepSpec& step, std::vector<std::string> reads) {
    if (!step.kind->takes_inputs_apart() || reads.size() < 2) {
      waiting_.push_back({&step, std::move(reads), step.name});
      return;
    }
    for (std::string& name : reads) {
      std::string made = step.name + "." + name;
      waiting_.push_back({&step, {std::move(name)}, std::move(made)});
    }
  }

  void error(Error problem, const Where& where) {
    if (!problem.where.known()) problem.where = where;
    problem.message = fmt::format("pipeline '{}': {}", spec_.name, problem.message);
    diagnosis_.errors.push_back(std::move(problem));
  }

  std::optional<std::size_t> signal_named(std::string_view name) const {
    for (std::size_t i = 0; i < signals_.size(); ++i)
      if (signals_[i].name == name) return i;
    return std::nullopt;
  }
  bool is_step(std::string_view name) const {
    return std::ranges::any_of(spec_.steps, [&](const StepSpec& s) { return s.name == name; });
  }

  // A name is known when it is a signal, "<step>.<output>", a step with one output, or an output name that only one
  // finished step has while no unfinished step could still claim it.
  const Known* find(const std::string& name) {
    if (const auto found = known_.find(name); found != known_.end()) return &found->second;
    const auto signal = signal_named(name);
    if (!signal) return nullptr;
    const SignalSpec& spec = signals_[*signal];
    Known known{{ValueRef::kSignal, built_.signals.size()},
                {spec.name, spec.unit, spec.rate_hz, spec.type == SignalType::boolean, spec.type}};
    built_.signals.push_back(*signal);
    return &known_.emplace(name, std::move(known)).first->second;
  }
  bool readable(const Waiting& waiting) {
    return std::ranges::all_of(waiting.reads, [this](const std::string& name) {
      return known_.contains(name) || signal_named(name).has_value();
    });
  }

  bool make(const Waiting& waiting) {
    std::vector<ValueInfo> infos;
    BuiltStep step;
    step.name = waiting.name;
    step.kind = waiting.step->kind->key();
    step.first_input_drives = waiting.step->kind->first_input_drives();
    for (const std::string& name : waiting.reads) {
      const Known* known = find(name);
      infos.push_back(known->info);
      step.inputs.push_back(known->ref);
      read_.insert(known->info.name);
    }
    OperatorContext context = context_;
    context.step_name = step.name;
    auto made = waiting.step->kind->make(waiting.step->options, infos, context);
    if (!made) {
      made.error().message = fmt::format("step '{}': {}", step.name, made.error().message);
      error(std::move(made.error()), waiting.step->where);
      return false;
    }
    if (warn_)
      for (Error& warning : made->warnings) {
        if (!warning.where.known()) warning.where = waiting.step->where;
        warning.message = fmt::format("pipeline '{}': step '{}': {}", spec_.name, step.name, warning.message);
        diagnosis_.warnings.push_back(std::move(warning));
      }
    step.code = std::move(made->code);
    step.memory_bound = made->memory_bound;
    built_.memory_bound += made->memory_bound;
    publish_outputs(made->outputs, step);
    built_.steps.push_back(std::move(step));
    return true;
  }

  void publish_outputs(const std::vector<ValueInfo>& outputs, BuiltStep& step) {
    const int producer = static_cast<int>(built_.steps.size());
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      ValueInfo info = outputs[k];
      const std::string local = info.name;
      info.name = local.empty() ? step.name : step.name + "." + local;
      const Known known{{producer, k}, info};
      known_.emplace(info.name, known);
      if (outputs.size() == 1) known_.emplace(step.name, known);
      if (!local.empty() && !signal_named(local) && !is_step(local) && !ambiguous_.contains(local)) {
        if (!known_.emplace(local, known).second) {
          known_.erase(local);
          ambiguous_.insert(local);
        }
      }
      step.outputs.push_back(std::move(info));
    }
  }

  // Nothing can be made any more: say for each waiting step why. An unknown name comes first; a cycle only when
  // every name that is missing belongs to a waiting step.
  void explain_stuck() {
    bool unknown = false;
    for (const Waiting& waiting : waiting_)
      for (const std::string& name : waiting.reads)
        if (!known_.contains(name) && !signal_named(name) && producer_of(name) == nullptr) {
          unknown = true;
          explain_unknown(name, *waiting.step);
        }
    if (!unknown && failed_.empty()) explain_cycle();
  }

  const Waiting* producer_of(const std::string& name) const {
    const std::string step = name.substr(0, name.find('.'));
    for (const Waiting& waiting : waiting_)
      if (waiting.step->name == step) return &waiting;
    return nullptr;
  }

  void explain_unknown(const std::string& name, const StepSpec& step) {
    const std::string prefix = name.substr(0, name.find('.'));
    if (failed_.contains(prefix)) return;  // its own error has been reported
    if (ambiguous_.contains(name)) {
      error({ErrorKind::bad_input,
             fmt::format("step '{}' reads '{}', which several steps produce", step.name, name),
             {},
             "write <step>." + name},
            step.where);
      return;
    }
    std::vector<std::string> candidates;
    for (const SignalSpec& signal : signals_) candidates.push_back(signal.name);
    for (const auto& [known, value] : known_) candidates.push_back(known);
    for (const StepSpec& each : spec_.steps) candidates.push_back(each.name);
    const std::string guess = nearest(name, std::span<const std::string>(candidates));
    std::string hint = guess.empty() ? std::string{} : fmt::format("did you mean '{}'?", guess);
    if (is_step(prefix) && guess.empty()) {
      hint = fmt::format("'{}' gives", prefix);
      for (const BuiltStep& built : built_.steps)
        if (built.name == prefix)
          for (const ValueInfo& output : built.outputs) hint += " " + output.name;
    }
    error({ErrorKind::bad_input,
           fmt::format("step '{}' reads '{}', which is no signal of '{}' and no step's output", step.name, name,
                       site_.asset_types[spec_.type].name),
           {},
           hint},
          step.where);
  }

  void explain_cycle() {
    const Waiting* at = &waiting_.front();
    std::vector<std::string> path;
    while (std::ranges::find(path, at->step->name) == path.end()) {
      path.push_back(at->step->name);
      for (const std::string& name : at->reads)
        if (!known_.contains(name) && !signal_named(name)) {
          at = producer_of(name);
          break;
        }
    }
    const auto begin = std::ranges::find(path, at->step->name);
    std::string cycle;
    for (auto step = begin; step != path.end(); ++step) cycle += *step + " reads ";
    error({ErrorKind::bad_input,
           fmt::format("its steps go in a circle: {}{}", cycle, at->step->name),
           {},
           "a step can only read steps that do not read it"},
          at->step->where);
  }

  void warn_unread() {
    for (const BuiltStep& step : built_.steps) {
      if (step.outputs.empty()) continue;
      const bool read =
          std::ranges::any_of(step.outputs, [this](const ValueInfo& output) { return read_.contains(output.name); });
      if (read) continue;
      const auto spec = std::ranges::find(spec_.steps, step.name, &StepSpec::name);
      if (spec == spec_.steps.end() || spec->kind->acts()) continue;
      diagnosis_.warnings.push_back(
          {ErrorKind::bad_input,
           fmt::format("pipeline '{}': nothing reads the results of step '{}'", spec_.name, step.name),
           spec->where,
           {}});
    }
  }

  const Site& site_;
  const PipelineSpec& spec_;
  const OperatorContext& context_;
  bool warn_;
  Diagnosis& diagnosis_;
  const std::vector<SignalSpec>& signals_;
  BuiltPipeline built_;
  std::vector<Waiting> waiting_;
  std::map<std::string, Known> known_;
  std::set<std::string> ambiguous_, failed_, read_;
};

}  // namespace

BuiltPipeline build_pipeline(const Site& site, const PipelineSpec& pipeline, const OperatorContext& context,
                             bool report_warnings, Diagnosis& diagnosis) {
  return PipelineBuilder(site, pipeline, context, report_warnings, diagnosis).build();
}

}  // namespace alara::node
