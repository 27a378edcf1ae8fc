// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/engine.hpp"

#include <algorithm>
#include <set>

namespace alara::flow {

Engine::Engine(std::vector<ShardOptions> shards, Clock& clock) : clock_(clock), latest_(0) {
  ALARA_ASSERT(!shards.empty() && shards.size() <= kMaxShards, "the number of shards");
  for (ShardOptions& options : shards)
    shards_.push_back(std::make_unique<Shard>(shards_.size(), std::move(options), clock_, latest_));
}

Engine::~Engine() { stop(); }

Result<Engine::Connection*> Engine::connect(ConnectorId id, InletOptions options) {
  if (connections_.contains(id)) return fail(ErrorKind::internal, "connector '{}' is connected already", options.name);
  ALARA_TRY(auto inbox, EngineInbox::create());
  ALARA_TRY(auto outlets, EngineOutlets::create());
  auto& connection = connections_[id];
  connection.reset(new Connection{{std::move(options), clock_, latest_}, std::move(inbox), std::move(outlets)});
  return connection.get();
}

void Engine::remove(ConnectorId id) { connections_.erase(id); }

Engine::Connection* Engine::connection(ConnectorId id) const {
  const auto known = connections_.find(id);
  return known == connections_.end() ? nullptr : known->second.get();
}

Status Engine::check(const EnginePlan& plan) const {
  std::set<PipelineId> seen;
  for (const PipelinePlan& pipeline : plan.pipelines) {
    if (!seen.insert(pipeline.id).second)
      return fail(ErrorKind::internal, "two pipelines have the id of '{}'", pipeline.name);
    const auto running = placed_.find(pipeline.id);
    if (pipeline.keep ? running == placed_.end() || running->second.shard != pipeline.shard
                      : pipeline.shard >= shards_.size())
      return fail(ErrorKind::internal, "pipeline '{}' can not be {} on shard {}", pipeline.name,
                  pipeline.keep ? "kept" : "placed", pipeline.shard);
    if (!pipeline.keep) ALARA_CHECK(Pipeline::check(pipeline));
    for (const auto& slots : pipeline.keep ? running->second.signals : pipeline.signals)
      for (const SignalId id : slots)
        if (index_of(id) >= plan.connector_of_signal.size())
          return fail(ErrorKind::internal, "pipeline '{}' reads signal {}, which is not there", pipeline.name,
                      index_of(id));
  }
  for (const auto* owners : {&plan.connector_of_signal, &plan.connector_of_actuator, &plan.connector_of_outlet})
    for (const ConnectorId id : *owners)
      if (id != kNoConnector && !connections_.contains(id))
        return fail(ErrorKind::internal, "connector {} is not connected", index_of(id));
  if (plan.connector_of_signal.size() > LatestValues::kMaxEntries)
    return fail(ErrorKind::exhausted, "{} signals are more than the {} one node can hold",
                plan.connector_of_signal.size(), LatestValues::kMaxEntries);
  return {};
}

std::map<PipelineId, Engine::Placed> Engine::placed_after(const EnginePlan& plan) const {
  std::map<PipelineId, Placed> placed;
  for (const PipelinePlan& pipeline : plan.pipelines)
    placed[pipeline.id] = pipeline.keep ? placed_.at(pipeline.id) : Placed{pipeline.shard, pipeline.signals};
  return placed;
}

Status Engine::apply(EnginePlan plan) {
  ALARA_CHECK(check(plan));
  latest_.grow(plan.connector_of_signal.size());
  placed_ = placed_after(plan);
  std::vector<ShardMask> masks(plan.connector_of_signal.size());
  for (const auto& [id, placed] : placed_)
    for (const auto& slots : placed.signals)
      for (const SignalId signal : slots) masks[index_of(signal)] |= static_cast<ShardMask>(1u << placed.shard);
  for (std::size_t i = 0; i < masks.size(); ++i) {
    const auto owner = connections_.find(plan.connector_of_signal[i]);
    if (owner == connections_.end()) continue;
    for (std::size_t shard = 0; shard < shards_.size(); ++shard)
      if ((masks[i] >> shard & 1) != 0) owner->second->inlet.ring_to(shard, shards_[shard]->wake());
  }
  for (std::size_t shard = 0; shard < shards_.size(); ++shard)
    ALARA_CHECK(shards_[shard]->replace(shard_plan(shard, plan)));
  route_inlets(plan, masks);
  return {};
}

Shard::Plan Engine::shard_plan(std::size_t shard, EnginePlan& plan) {
  Shard::Plan part;
  part.signals = plan.connector_of_signal.size();
  for (PipelinePlan& pipeline : plan.pipelines)
    if (pipeline.shard == shard) part.pipelines.push_back(std::move(pipeline));
  // A connector that the plan names no more is let go: its ring is drained and detached.
  std::set<ConnectorId> named(plan.connector_of_signal.begin(), plan.connector_of_signal.end());
  named.insert(plan.connector_of_actuator.begin(), plan.connector_of_actuator.end());
  named.insert(plan.connector_of_outlet.begin(), plan.connector_of_outlet.end());
  for (const auto& [id, connection] : connections_) {
    if (!named.contains(id)) continue;
    if (Ring* ring = connection->inlet.existing_ring_to(shard)) part.rings.push_back(ring);
  }
  part.routes = routes_of(shard, plan);
  return part;
}

DecisionDesk::Routes Engine::routes_of(std::size_t shard, const EnginePlan& plan) {
  DecisionDesk::Routes routes;
  for (const ConnectorId id : plan.connector_of_actuator) {
    CommandLane* lane = nullptr;
    if (id != kNoConnector) lane = &connections_.at(id)->inbox->lane_of(shard, shards_[shard]->wake());
    routes.lane_of_actuator.push_back(lane);
    if (lane != nullptr && std::find(routes.lanes.begin(), routes.lanes.end(), lane) == routes.lanes.end())
      routes.lanes.push_back(lane);
  }
  for (const ConnectorId id : plan.connector_of_outlet)
    routes.lane_of_outlet.push_back(id == kNoConnector ? nullptr : &connections_.at(id)->outlets->lane_of(shard));
  return routes;
}

void Engine::route_inlets(const EnginePlan& plan, const std::vector<ShardMask>& masks) {
  std::map<ConnectorId, std::vector<SignalId>> own;
  for (std::uint32_t i = 0; i < plan.connector_of_signal.size(); ++i)
    own[plan.connector_of_signal[i]].push_back(SignalId{i});
  for (const auto& [id, connection] : connections_) connection->inlet.route(masks, own[id]);
}

void Engine::make_safe() {
  for (auto& shard : shards_) shard->make_safe();
}

void Engine::start() {
  for (auto& shard : shards_) shard->start();
}

void Engine::stop() {
  for (auto& shard : shards_) shard->stop();
}

bool Engine::turn() {
  bool worked = false;
  for (auto& shard : shards_) worked = shard->turn() || worked;
  return worked;
}

Nanos Engine::next_due() const {
  Nanos due = kNever;
  for (const auto& shard : shards_) due = std::min(due, shard->next_due());
  return due;
}

bool Engine::finished() const {
  return std::all_of(connections_.begin(), connections_.end(), [](const auto& known) {
    return known.second->inlet.is_finished() && known.second->inlet.account().buffered == 0;
  });
}

}  // namespace alara::flow
