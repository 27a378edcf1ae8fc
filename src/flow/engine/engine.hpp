// SPDX-License-Identifier: Apache-2.0
// All shards, the inlets and command inboxes of all connectors, and the newest values, put together: what the node
// holds. Control calls (everything but the accessors' own promises) come from one thread.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "flow/engine/command_lane.hpp"
#include "flow/engine/inlet.hpp"
#include "flow/engine/latest.hpp"
#include "flow/engine/outlet_lane.hpp"
#include "flow/engine/plan.hpp"
#include "flow/engine/shard.hpp"

namespace alara::flow {

class Engine {
 public:
  // `shards`: 1 to kMaxShards; fast lanes first.
  Engine(std::vector<ShardOptions> shards, Clock& clock);
  ~Engine();

  // What a connector is started with (ConnectorContext); stays until remove().
  struct Connection {
    ConnectorInlet inlet;
    std::unique_ptr<EngineInbox> inbox;
    std::unique_ptr<EngineOutlets> outlets;
  };
  [[nodiscard]] Result<Connection*> connect(ConnectorId id, InletOptions options);
  // After the connector has stopped and a plan without it has been applied.
  void remove(ConnectorId id);
  [[nodiscard]] Connection* connection(ConnectorId id) const;

  // Makes `plan` the engine's work, at the first call and at each reload: shards change between two turns, then the
  // inlets' routes. Nothing is lost or seen twice by pipelines that are kept or stay on their shard. Nothing changes on
  // error. Connectors named must have been connected.
  [[nodiscard]] Status apply(EnginePlan plan);

  // Lets all operators command their safe values; the shards do so in their next turn.
  void make_safe();
  void start();
  // Drains and ends the shards; connectors have been stopped before.
  void stop();

  // Without threads: one turn of every shard, in order; false when none had anything to do.
  bool turn();
  // The earliest event time at which a turn has work without new data.
  [[nodiscard]] Nanos next_due() const;

  [[nodiscard]] std::size_t shard_count() const { return shards_.size(); }
  [[nodiscard]] Shard& shard(std::size_t index) { return *shards_[index]; }
  [[nodiscard]] LatestValues& latest() { return latest_; }
  // All finite sources have ended and everything they sent has been worked on. Any thread, between control calls.
  [[nodiscard]] bool finished() const;

 private:
  struct Placed {  // of a pipeline that runs
    std::uint32_t shard = 0;
    std::vector<std::vector<SignalId>> signals;
  };
  [[nodiscard]] Status check(const EnginePlan& plan) const;
  [[nodiscard]] std::map<PipelineId, Placed> placed_after(const EnginePlan& plan) const;
  [[nodiscard]] Shard::Plan shard_plan(std::size_t shard, EnginePlan& plan);
  [[nodiscard]] DecisionDesk::Routes routes_of(std::size_t shard, const EnginePlan& plan);
  void route_inlets(const EnginePlan& plan, const std::vector<ShardMask>& masks);

  Clock& clock_;
  LatestValues latest_;
  std::map<ConnectorId, std::unique_ptr<Connection>> connections_;
  std::map<PipelineId, Placed> placed_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace alara::flow
