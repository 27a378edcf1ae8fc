// SPDX-License-Identifier: Apache-2.0
// The compile step: a site becomes an engine plan, bound connectors and the tables that name what runs. Everything that
// can be wrong with a file is found here, before anything is started or changed.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/connector.hpp"
#include "flow/engine/plan.hpp"
#include "infer/model.hpp"
#include "node/graph.hpp"
#include "node/identities.hpp"
#include "node/site.hpp"

namespace alara::node {

struct SignalInfo {
  SignalId id{};
  std::string name;  // "cnc-07.spindle_current"
  AssetId asset{};
  Unit unit;
  SignalType type = SignalType::float64;
  std::size_t connector = 0;  // index into Compiled::connectors
};

struct CompiledConnector {
  ConnectorId id{};
  std::string name;
  std::string protocol;
  std::string fingerprint;  // equal: the running one can go on
  std::vector<SignalBinding> signals;
  std::vector<ActuatorBinding> actuators;
  std::vector<OutletBinding> outlets;
  std::unique_ptr<Connector> code;
};

// One pipeline on one shard.
struct PipelinePart {
  PipelineId id{};
  std::string name;  // of the pipeline
  std::uint32_t shard = 0;
  Lane lane = Lane::fast;
  std::string fingerprint;
  std::vector<std::size_t> assets;   // indices into Site::assets, by slot
  std::vector<std::string> signals;  // names of the signals it reads
  struct Step {
    std::string name, kind;
    std::vector<std::string> reads;
    std::vector<ValueInfo> gives;
    std::uint32_t first_result = 0;  // results are kept under id first_result + output * assets + slot
    std::size_t memory_bound = 0;
    std::shared_ptr<infer::ModelSlot> model;  // of a model step
  };
  std::vector<Step> steps;
  std::vector<ActuatorId> actuators;
  std::vector<OutletBinding> outlets;
  std::size_t memory_bound = 0;
};

struct Compiled {
  flow::EnginePlan engine;
  std::vector<CompiledConnector> connectors;
  std::vector<PipelinePart> parts;
  std::vector<SignalInfo> signals;  // those read from connectors
  std::uint32_t fast_shards = 1;    // shards 0 … fast_shards-1; the slow lane is shard number fast_shards
  std::size_t memory_bound = 0;
  // Tables the operators' contexts point into; handed on from reload to reload with the parts that are kept.
  std::vector<std::shared_ptr<const void>> engine_keepalive;
};

// Where the operators' decisions go, by shard; null pointers when nothing will run (`alara check`).
using DecisionsOfShards = std::span<Decisions* const>;

// `before` is what runs now (nullptr at the start): parts with an equal fingerprint are taken over and not built again.
[[nodiscard]] Compiled compile(const Site& site, Identities& identities, DecisionsOfShards decisions,
                               const Compiled* before, Diagnosis& diagnosis);

// Reads, resolves and compiles a file for checking only.
struct CheckedSite {
  Site site;
  Identities identities;
  Compiled compiled;
  Diagnosis diagnosis;
};
[[nodiscard]] std::unique_ptr<CheckedSite> check_site(const std::string& path);
[[nodiscard]] std::unique_ptr<CheckedSite> check_site_text(std::string_view text, const std::string& name);

// The plan for people: shards, lanes, steps, polling schedules.
[[nodiscard]] std::string explain(const Site& site, const Compiled& compiled, const Identities& identities);

}  // namespace alara::node
