// SPDX-License-Identifier: Apache-2.0
// One look at a running node: plain data gathered by Runtime::status(), and the pages made from it. Everything that
// shows the node (metrics, health, API, live table, report, uplink summary) goes through this one look.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/connector.hpp"
#include "flow/engine/inlet.hpp"
#include "flow/engine/outlet_lane.hpp"
#include "flow/engine/stats.hpp"

namespace alara::node {

struct ConnectorStatus {
  std::string name, protocol;
  bool connected = false;
  bool finished = false;  // a file that has been read to its end
  std::size_t signals = 0;
  flow::InletAccount account;
  std::size_t outlets = 0;  // values published through it
  flow::OutletAccount outlet_account;
  std::uint64_t bytes_in = 0, bytes_out = 0, messages_in = 0, messages_out = 0;
  std::uint64_t connects = 0, disconnects = 0, errors = 0, polls_done = 0, polls_missed = 0;
  Nanos last_progress = 0;   // monotonic
  Nanos expected_every = 0;  // of a schedule; 0 = none
  std::string last_error;
  std::vector<std::pair<std::string, std::uint64_t>> counters;
};

struct PipelineStatus {
  std::string part;                                  // "overload", "overload#1"
  std::shared_ptr<const flow::PipelineStats> stats;  // live: goes on counting after the look
  std::uint64_t rows = 0;                            // rows_in at the time of the look
  flow::PipelineAccount account;                     // at the time of the look
};

struct ModelStatus {
  std::string pipeline, step, path, digest;
  std::uint64_t replaced = 0;
  std::shared_ptr<const Histogram> run_times;  // of whole batches
};

struct ShardStatus {
  std::string name;          // "fast-0", "slow"
  Nanos last_turn = 0;       // monotonic; a shard turns at least once a second
  bool has_waiting = false;  // samples waited at the time of the look
};

struct NodeStatus {
  std::string node;
  Nanos now = 0;  // monotonic
  Nanos wall = 0;
  Nanos started = 0;  // monotonic
  std::vector<ConnectorStatus> connectors;
  std::vector<PipelineStatus> pipelines;
  std::vector<ShardStatus> shards;
  std::vector<ModelStatus> models;
  std::uint64_t events_raised = 0, events_cleared = 0, events_lost = 0, audit_lines_lost = 0;
  std::uint64_t bytes_up = 0, messages_up = 0, messages_up_failed = 0;
  std::uint64_t reloads = 0, reloads_refused = 0;
  double resident_mb = 0, cpu_seconds = 0;

  [[nodiscard]] std::uint64_t points_accepted() const;
  // Over all connectors and pipelines; 0 whenever the node is quiet. See InletAccount, PipelineAccount, OutletAccount.
  [[nodiscard]] std::uint64_t points_unaccounted() const;
  [[nodiscard]] std::uint64_t bytes_in() const;
};

// A stage that has work and makes no progress for this long is unhealthy; a polled source gets three periods if that is
// longer.
inline constexpr Nanos kStalledAfter = 5 * kSecond;

struct Health {
  bool good = true;
  std::vector<std::string> complaints;  // "connector plc: not connected: connection refused"
};
[[nodiscard]] Health judge(const NodeStatus& status);

[[nodiscard]] std::string metrics_page(const NodeStatus& status);
[[nodiscard]] std::string status_json(const NodeStatus& status);
[[nodiscard]] std::string pipelines_json(const NodeStatus& status);
[[nodiscard]] std::string connectors_json(const NodeStatus& status);
[[nodiscard]] std::string models_json(const NodeStatus& status);
[[nodiscard]] std::string health_json(const Health& health);
// One line of JSON, small enough for the uplink: counts and latencies since `before`.
[[nodiscard]] std::string summary_json(const NodeStatus& status, const NodeStatus* before);

}  // namespace alara::node
