// SPDX-License-Identifier: Apache-2.0
#include "node/compile.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/ranges.h>

#include "base/quantity.hpp"

namespace alara::node {
namespace {

constexpr std::size_t kMaxNamesShown = 8;
constexpr std::size_t kMaxAddressErrors = 20;  // per connector: one wrong pattern would otherwise fill the screen

// Gives ids to the actuators a pipeline part writes to, and remembers where each lives.
class PartActuators final : public ActuatorBook {
 public:
  PartActuators(const Site& site, const PipelinePart& part, Identities& identities)
      : site_(site), part_(part), identities_(identities) {}

  Result<ActuatorId> actuator(const alara::Node& address, std::size_t slot) override {
    const AssetSpec& asset = site_.assets[part_.assets[slot]];
    ALARA_TRY(const std::string text, fill(address.scalar, asset.placeholders, address.where));
    ALARA_TRY(Endpoint endpoint, resolve_endpoint(site_, text, address.where));
    const ActuatorId id = identities_.actuators.id_of(text);
    if (std::ranges::find(used, id) == used.end()) {
      used.push_back(id);
      endpoints.push_back(std::move(endpoint));
    }
    return id;
  }

  std::vector<ActuatorId> used;
  std::vector<Endpoint> endpoints;

 private:
  const Site& site_;
  const PipelinePart& part_;
  Identities& identities_;
};

// The same for the values that a pipeline part publishes.
class PartOutlets final : public OutletBook {
 public:
  PartOutlets(const Site& site, const PipelinePart& part, Identities& identities)
      : site_(site), part_(part), identities_(identities) {}

  Result<OutletId> outlet(const alara::Node& address, std::size_t slot, const ValueInfo& value) override {
    const AssetSpec& asset = site_.assets[part_.assets[slot]];
    Placeholders placeholders = asset.placeholders;
    placeholders.texts["value"] = value.name;
    ALARA_TRY(const std::string text, fill(address.scalar, placeholders, address.where));
    ALARA_TRY(Endpoint endpoint, resolve_endpoint(site_, text, address.where));
    const OutletId id = identities_.outlets.id_of(text);
    made.push_back({id, asset.name + "." + value.name, asset.name, value.name, std::move(endpoint.address), value.unit,
                    value.type, value.boolean, address.where});
    return id;
  }

  std::vector<OutletBinding> made;

 private:
  const Site& site_;
  const PipelinePart& part_;
  Identities& identities_;
};

class Compiler {
 public:
  Compiler(const Site& site, Identities& identities, DecisionsOfShards decisions, const Compiled* before,
           Diagnosis& diagnosis)
      : site_(site), identities_(identities), decisions_(decisions), before_(before), diagnosis_(diagnosis) {}

  Compiled compile() {
    if (before_ != nullptr) out_.engine_keepalive = before_->engine_keepalive;
    out_.fast_shards = static_cast<std::uint32_t>(site_.settings.shards);
    for (const ConnectorSpec& connector : site_.connectors) {
      CompiledConnector compiled;
      compiled.id = identities_.connectors.id_of(connector.name);
      compiled.name = connector.name;
      compiled.protocol = connector.protocol->key();
      out_.connectors.push_back(std::move(compiled));
    }
    bind_signals();
    for (const PipelineSpec& pipeline : site_.pipelines) compile_pipeline(pipeline);
    check_memory();
    make_connectors();
    check_uplink();
    warn_unused_signals();
    finish_engine_plan();
    return std::move(out_);
  }

 private:
  void bind_signals() {
    for (std::size_t a = 0; a < site_.assets.size(); ++a) {
      const AssetSpec& asset = site_.assets[a];
      const AssetType& type = site_.asset_types[asset.type];
      const AssetId asset_id = identities_.assets.id_of(asset.name);
      for (const SourceSpec& source : asset.sources) {
        const SignalSpec& signal = type.signals[source.signal];
        const std::string name = asset.name + "." + signal.name;
        const SignalId id = identities_.signals.id_of(name);
        out_.connectors[source.endpoint.connector].signals.push_back({id, name, source.endpoint.address, signal.type,
                                                                      signal.poll, source.endpoint.where,
                                                                      signal.rate_hz, signal.unit});
        out_.signals.push_back({id, name, asset_id, signal.unit, signal.type, source.endpoint.connector});
      }
    }
    out_.signals.shrink_to_fit();  // they stay while the node runs, by the ten thousand
    for (CompiledConnector& connector : out_.connectors) connector.signals.shrink_to_fit();
  }

  void compile_pipeline(const PipelineSpec& pipeline) {
    if (pipeline.assets.empty()) return;
    const std::uint32_t shards = pipeline.lane == Lane::fast ? out_.fast_shards : 1;
    bool first = true;
    std::map<std::string, std::shared_ptr<void>> shared;
    for (std::uint32_t k = 0; k < shards; ++k) {
      PipelinePart part;
      part.name = pipeline.name;
      part.lane = pipeline.lane;
      part.shard = pipeline.lane == Lane::fast ? k : out_.fast_shards;
      for (const std::size_t asset : pipeline.assets)
        if (asset % shards == k) part.assets.push_back(asset);
      if (part.assets.empty()) continue;
      part.id = identities_.pipelines.id_of(shards == 1 ? pipeline.name : fmt::format("{}#{}", pipeline.name, k));
      part.fingerprint = fingerprint_of(pipeline, part);
      if (!take_over(pipeline, part)) build(pipeline, part, shared, first);
      first = false;
    }
  }

  // Everything that decides how a part behaves: its text, its shard, its assets with their sources, its signals' types.
  std::string fingerprint_of(const PipelineSpec& pipeline, const PipelinePart& part) const {
    std::string text = fmt::format("{}|{}|", pipeline.source.canonical(), part.shard);
    const AssetType& type = site_.asset_types[pipeline.type];
    for (const SignalSpec& signal : type.signals)
      text += fmt::format("{},{},{},{};", signal.name, signal.unit.text(), name_of(signal.type), signal.rate_hz);
    for (const std::size_t asset : part.assets) {
      text += site_.assets[asset].name + ":";
      for (const SourceSpec& source : site_.assets[asset].sources) text += type.signals[source.signal].name + ",";
      for (const auto& [name, value] : site_.assets[asset].placeholders.numbers)
        text += fmt::format("{}={},", name, value);
      for (const auto& [name, value] : site_.assets[asset].placeholders.texts)
        text += fmt::format("{}='{}',", name, value);
    }
    return text;
  }

  bool take_over(const PipelineSpec& pipeline, const PipelinePart& part) {
    if (before_ == nullptr) return false;
    const auto running = std::ranges::find(before_->parts, part.id, &PipelinePart::id);
    if (running == before_->parts.end() || running->fingerprint != part.fingerprint) return false;
    out_.parts.push_back(*running);
    out_.parts.back().assets = part.assets;  // indices may have moved, the assets are the same
    out_.memory_bound += running->memory_bound;
    for (const ActuatorId actuator : running->actuators)
      bind_actuator(actuator, resolve_endpoint(site_, identities_.actuators.name_of(actuator), pipeline.where));
    for (const OutletBinding& outlet : running->outlets) bind_outlet(outlet);
    flow::PipelinePlan plan;
    plan.id = part.id;
    plan.shard = part.shard;
    plan.lane = part.lane == Lane::fast ? flow::Lane::fast : flow::Lane::slow;
    plan.name = part.name;
    plan.keep = true;
    out_.engine.pipelines.push_back(std::move(plan));
    return true;
  }

  void bind_actuator(ActuatorId id, const Result<Endpoint>& endpoint) {
    if (!endpoint) {
      diagnosis_.errors.push_back(endpoint.error());
      return;
    }
    CompiledConnector& connector = out_.connectors[endpoint->connector];
    if (std::ranges::find(connector.actuators, id, &ActuatorBinding::actuator) != connector.actuators.end()) return;
    connector.actuators.push_back({id, identities_.actuators.name_of(id), endpoint->address, endpoint->where});
  }

  void bind_outlet(const OutletBinding& outlet) {
    const std::string& text = identities_.outlets.name_of(outlet.outlet);
    const auto endpoint = resolve_endpoint(site_, text, outlet.where);
    if (!endpoint) {
      diagnosis_.errors.push_back(endpoint.error());
      return;
    }
    const auto [known, added] = published_.try_emplace(outlet.outlet, outlet.name);
    if (!added) {
      diagnosis_.errors.push_back(
          {ErrorKind::bad_input,
           fmt::format("both '{}' and '{}' are published at '{}'", known->second, outlet.name, text), outlet.where,
           "put {asset} and {value} into the address"});
      return;
    }
    out_.connectors[endpoint->connector].outlets.push_back(outlet);
  }

  void build(const PipelineSpec& pipeline, PipelinePart& part, std::map<std::string, std::shared_ptr<void>>& shared,
             bool first) {
    std::vector<AssetId> asset_ids;
    std::vector<std::string> asset_names;
    for (const std::size_t asset : part.assets) {
      asset_names.push_back(site_.assets[asset].name);
      asset_ids.push_back(identities_.assets.id_of(asset_names.back()));
    }
    PartActuators actuators(site_, part, identities_);
    PartOutlets outlets(site_, part, identities_);
    OperatorContext context;
    context.pipeline = part.id;
    context.pipeline_name = pipeline.name;
    context.assets = keep_alive(std::move(asset_ids));
    context.asset_names = keep_alive(std::move(asset_names));
    context.decisions = part.shard < decisions_.size() ? decisions_[part.shard] : nullptr;
    context.directory = site_.directory;
    context.actuators = &actuators;
    context.outlets = &outlets;
    context.shared = &shared;
    BuiltPipeline built = build_pipeline(site_, pipeline, context, first, diagnosis_);
    for (std::size_t i = 0; i < actuators.used.size(); ++i)
      bind_actuator(actuators.used[i], std::move(actuators.endpoints[i]));
    part.actuators = std::move(actuators.used);
    for (const OutletBinding& outlet : outlets.made) bind_outlet(outlet);
    part.outlets = std::move(outlets.made);
    part.memory_bound = built.memory_bound;
    out_.memory_bound += built.memory_bound;
    add_to_engine(pipeline, part, std::move(built));
    out_.parts.push_back(std::move(part));
  }

  // Operators may keep the spans of their context, so these live as long as the process may need them: a few strings
  // per pipeline and reload.
  std::span<const AssetId> keep_alive(std::vector<AssetId> ids) {
    auto owned = std::make_shared<const std::vector<AssetId>>(std::move(ids));
    out_.engine_keepalive.push_back(owned);
    return *owned;
  }
  std::span<const std::string> keep_alive(std::vector<std::string> names) {
    auto owned = std::make_shared<const std::vector<std::string>>(std::move(names));
    out_.engine_keepalive.push_back(owned);
    return *owned;
  }

  void add_to_engine(const PipelineSpec& pipeline, PipelinePart& part, BuiltPipeline built) {
    const AssetType& type = site_.asset_types[pipeline.type];
    flow::PipelinePlan plan;
    plan.id = part.id;
    plan.name = pipeline.name;
    plan.lane = part.lane == Lane::fast ? flow::Lane::fast : flow::Lane::slow;
    plan.shard = part.shard;
    plan.admission = {pipeline.admit.worst, pipeline.admit.max_age, pipeline.admit.keep};
    for (const std::size_t asset : part.assets)
      plan.assets.push_back(identities_.assets.id_of(site_.assets[asset].name));
    for (const std::size_t signal : built.signals) {
      part.signals.push_back(type.signals[signal].name);
      std::vector<SignalId> by_slot;
      for (const std::size_t asset : part.assets) by_slot.push_back(signal_of(pipeline, asset, signal));
      plan.signals.push_back(std::move(by_slot));
    }
    for (BuiltStep& step : built.steps) plan.steps.push_back(step_plan(part, built, step));
    out_.engine.pipelines.push_back(std::move(plan));
  }

  SignalId signal_of(const PipelineSpec& pipeline, std::size_t asset, std::size_t signal) {
    const AssetSpec& spec = site_.assets[asset];
    const SignalSpec& wanted = site_.asset_types[spec.type].signals[signal];
    const bool has_source = std::ranges::any_of(spec.sources, [&](const SourceSpec& s) { return s.signal == signal; });
    if (!has_source && missing_sources_.insert(spec.where.text() + "." + wanted.name).second)
      diagnosis_.errors.push_back({ErrorKind::bad_input,
                                   fmt::format("pipeline '{}' reads '{}' of asset '{}', which has no source",
                                               pipeline.name, wanted.name, spec.name),
                                   spec.where,
                                   fmt::format("add '{}: <connector>/<address>' to its 'from'", wanted.name)});
    return identities_.signals.id_of(spec.name + "." + wanted.name);
  }

  flow::StepPlan step_plan(PipelinePart& part, const BuiltPipeline& built, BuiltStep& step) {
    flow::StepPlan plan;
    plan.name = step.name;
    std::shared_ptr<infer::ModelSlot> model = step.code ? infer::model_slot(*step.code) : nullptr;
    plan.code = std::move(step.code);
    plan.first_input_drives = step.first_input_drives;
    plan.outputs = static_cast<std::uint32_t>(step.outputs.size());
    PipelinePart::Step described{step.name, step.kind, {}, {}, 0, step.memory_bound, std::move(model)};
    for (const ValueRef& input : step.inputs) {
      const auto index = static_cast<std::uint32_t>(input.index);
      if (input.producer == ValueRef::kSignal) {
        plan.inputs.push_back(flow::signal_input(index));
        described.reads.push_back(part.signals[input.index]);
      } else {
        plan.inputs.push_back(flow::step_output(static_cast<std::uint32_t>(input.producer), index));
        described.reads.push_back(built.steps[static_cast<std::size_t>(input.producer)].outputs[input.index].name);
      }
    }
    described.gives = step.outputs;
    const std::size_t results = step.outputs.size() * part.assets.size();
    described.first_result = index_of(identities_.signals.reserve(results));
    for (std::uint32_t i = 0; i < results; ++i)
      plan.publish.push_back(static_cast<SignalId>(described.first_result + i));
    part.steps.push_back(std::move(described));
    return plan;
  }

  void check_memory() {
    if (out_.memory_bound <= site_.settings.memory) return;
    const auto largest = std::ranges::max_element(out_.parts, {}, &PipelinePart::memory_bound);
    diagnosis_.errors.push_back(
        {ErrorKind::bad_input,
         fmt::format("the pipelines may come to hold {}, more than settings.memory allows ({}); '{}' needs {}",
                     format_size(out_.memory_bound), format_size(site_.settings.memory), largest->name,
                     format_size(largest->memory_bound)),
         where_of(largest->name), "shorten its windows, lower its rates, or raise settings.memory"});
  }

  Where where_of(const std::string& pipeline) const {
    return std::ranges::find(site_.pipelines, pipeline, &PipelineSpec::name)->where;
  }

  void make_connectors() {
    for (std::size_t i = 0; i < out_.connectors.size(); ++i) {
      CompiledConnector& connector = out_.connectors[i];
      const ConnectorSpec& spec = site_.connectors[i];
      auto made = spec.protocol->make(spec.name, spec.options, site_.directory);
      if (!made) {
        if (!made.error().where.known()) made.error().where = spec.where;
        diagnosis_.errors.push_back(std::move(made.error()));
        continue;
      }
      connector.code = std::move(*made);
      std::vector<Error> errors;
      connector.code->bind(connector.signals, connector.actuators, errors);
      if (!connector.outlets.empty()) connector.code->bind_outlets(connector.outlets, errors);
      report_addresses(connector, errors);
      connector.fingerprint = fingerprint_of(connector, spec);
    }
  }

  void report_addresses(const CompiledConnector& connector, std::vector<Error>& errors) {
    std::map<std::string, std::pair<Error, std::size_t>> by_place;  // one pattern stands for many addresses: told once
    for (Error& error : errors) {
      const std::string place = error.where.text();
      const auto [entry, added] = by_place.try_emplace(place, std::move(error), 0);
      if (!added) ++entry->second.second;
    }
    std::size_t shown = 0;
    for (auto& [place, told] : by_place) {
      auto& [error, more] = told;
      if (shown++ == kMaxAddressErrors) break;
      if (more > 0) error.message += fmt::format("; and {} more of this pattern", more);
      diagnosis_.errors.push_back(std::move(error));
    }
    if (by_place.size() > kMaxAddressErrors)
      diagnosis_.errors.push_back({ErrorKind::bad_input,
                                   fmt::format("connector '{}': {} more lines with wrong addresses", connector.name,
                                               by_place.size() - kMaxAddressErrors),
                                   {site_.path},
                                   {}});
  }

  void check_uplink() {
    if (!site_.uplink.enabled) return;
    const CompiledConnector& connector = out_.connectors[site_.uplink.to.connector];
    if (connector.code && connector.code->message_sink() == nullptr)
      diagnosis_.errors.push_back(
          {ErrorKind::bad_input, fmt::format("uplink: connector '{}' can not carry messages", connector.name),
           site_.uplink.to.where, "an mqtt connector can, and a file connector that appends JSON Lines"});
  }

  static std::string fingerprint_of(const CompiledConnector& connector, const ConnectorSpec& spec) {
    std::string text = fmt::format("{}|{}|", connector.protocol, spec.options.canonical());
    for (const SignalBinding& signal : connector.signals)
      text += fmt::format("{}={},{},{};", index_of(signal.signal), signal.address, name_of(signal.type), signal.poll);
    for (const ActuatorBinding& actuator : connector.actuators)
      text += fmt::format("{}<{};", index_of(actuator.actuator), actuator.address);
    for (const OutletBinding& outlet : connector.outlets)
      text += fmt::format("{}>{},{},{},{};", index_of(outlet.outlet), outlet.address, outlet.name, outlet.unit.text(),
                          name_of(outlet.type));
    return text;
  }

  // Signals that are read from a device but go nowhere; one line per asset type.
  void warn_unused_signals() {
    std::set<std::pair<std::size_t, std::string>> used;
    for (const PipelinePart& part : out_.parts)
      for (const std::string& signal : part.signals)
        for (const std::size_t asset : part.assets) used.insert({site_.assets[asset].type, signal});
    std::map<std::size_t, std::set<std::size_t>> read;
    for (const AssetSpec& asset : site_.assets)
      for (const SourceSpec& source : asset.sources) read[asset.type].insert(source.signal);
    for (const auto& [type_index, signals] : read) {
      const AssetType& type = site_.asset_types[type_index];
      std::vector<std::string_view> idle;
      for (const std::size_t signal : signals)
        if (!used.contains({type_index, type.signals[signal].name})) idle.push_back(type.signals[signal].name);
      if (idle.empty()) continue;
      const std::size_t count = idle.size();
      const bool cut = count > kMaxNamesShown;
      if (cut) idle.resize(kMaxNamesShown);
      diagnosis_.warnings.push_back({ErrorKind::bad_input,
                                     fmt::format("{} signal{} of '{}' {} read but no pipeline uses {}: {}{}", count,
                                                 count == 1 ? "" : "s", type.name, count == 1 ? "is" : "are",
                                                 count == 1 ? "it" : "them", fmt::join(idle, ", "), cut ? ", …" : ""),
                                     type.where,
                                     {}});
    }
  }

  void finish_engine_plan() {
    out_.engine.connector_of_signal.assign(identities_.signals.size(), flow::kNoConnector);
    out_.engine.connector_of_actuator.assign(identities_.actuators.size(), flow::kNoConnector);
    out_.engine.connector_of_outlet.assign(identities_.outlets.size(), flow::kNoConnector);
    for (const SignalInfo& signal : out_.signals)
      out_.engine.connector_of_signal[index_of(signal.id)] = out_.connectors[signal.connector].id;
    for (const CompiledConnector& connector : out_.connectors)
      for (const ActuatorBinding& actuator : connector.actuators)
        out_.engine.connector_of_actuator[index_of(actuator.actuator)] = connector.id;
    for (const CompiledConnector& connector : out_.connectors)
      for (const OutletBinding& outlet : connector.outlets)
        out_.engine.connector_of_outlet[index_of(outlet.outlet)] = connector.id;
  }

  const Site& site_;
  Identities& identities_;
  DecisionsOfShards decisions_;
  const Compiled* before_;
  Diagnosis& diagnosis_;
  Compiled out_;
  std::set<std::string> missing_sources_;
  std::map<OutletId, std::string> published_;  // what stands where
};

std::unique_ptr<CheckedSite> check_document(Result<alara::Node> document, const std::string& path) {
  auto checked = std::make_unique<CheckedSite>();
  if (document)
    if (const Status filled = fill_environment(*document); !filled) document = tl::unexpected<Error>(filled.error());
  if (!document) {
    checked->diagnosis.errors.push_back(std::move(document).error());
    return checked;
  }
  checked->diagnosis = read_site(*document, path, checked->site);
  if (checked->diagnosis.ok())
    checked->compiled = compile(checked->site, checked->identities, {}, nullptr, checked->diagnosis);
  return checked;
}

}  // namespace

Compiled compile(const Site& site, Identities& identities, DecisionsOfShards decisions, const Compiled* before,
                 Diagnosis& diagnosis) {
  return Compiler(site, identities, decisions, before, diagnosis).compile();
}

std::unique_ptr<CheckedSite> check_site(const std::string& path) { return check_document(load_document(path), path); }

std::unique_ptr<CheckedSite> check_site_text(std::string_view text, const std::string& name) {
  return check_document(parse_document(text, name), name);
}

}  // namespace alara::node
