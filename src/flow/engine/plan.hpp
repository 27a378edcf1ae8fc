// SPDX-License-Identifier: Apache-2.0
// What the node hands to the engine when a site file has been compiled: plain data, no names to look up. The engine
// checks its references once (see Pipeline::create) and never again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/operator.hpp"
#include "core/sample.hpp"

namespace alara::flow {

enum class Lane : std::uint8_t {
  fast,  // rules on single samples, small models, commands
  slow,  // large windows, big models
};

// Where a step's input comes from: the pipeline's signal input `source`, or column `column` of step `source`.
struct InputRef {
  enum class From : std::uint8_t { signal, step };
  From from = From::signal;
  std::uint32_t source = 0;
  std::uint32_t column = 0;  // of a step's output; 0 for signals
};

inline InputRef signal_input(std::uint32_t input) { return {InputRef::From::signal, input, 0}; }
inline InputRef step_output(std::uint32_t step, std::uint32_t column = 0) {
  return {InputRef::From::step, step, column};
}

struct StepPlan {
  std::string name;
  std::unique_ptr<Operator> code;
  std::vector<InputRef> inputs;  // one per declared input of the operator, in order; steps refer to earlier steps only
  bool first_input_drives = false;  // see OperatorKind::first_input_drives()
  std::uint32_t outputs = 0;        // columns
  // Derived values to keep in LatestValues: [column * slots + slot], or empty. Ids of their own, written by this
  // pipeline only.
  std::vector<SignalId> publish = {};
};

// Which samples a pipeline takes in (admission.hpp). As it stands here: all of them.
struct AdmissionPlan {
  Quality worst = Quality::bad;  // samples of a worse quality are turned away
  Nanos max_age = 0;             // so are those whose event time is older than this; 0 = of any age
  bool keep = false;             // what is turned away becomes a dead letter; false: it is dropped
  [[nodiscard]] bool takes_all() const { return worst == Quality::bad && max_age == 0; }
};

struct PipelinePlan {
  PipelineId id{};
  std::string name;
  Lane lane = Lane::fast;
  std::uint32_t shard = 0;
  std::vector<AssetId> assets;                 // slot -> asset
  std::vector<std::vector<SignalId>> signals;  // [input][slot]; one signal may stand in several places
  std::vector<StepPlan> steps;                 // in topological order
  AdmissionPlan admission = {};
  // True: the running pipeline of this id goes on with its state, on the shard it is on; only `id` and `shard` are
  // read.
  bool keep = false;
};

// The whole engine's work. Connector, signal, actuator and outlet ids are dense.
struct EnginePlan {
  std::vector<PipelinePlan> pipelines;
  std::vector<ConnectorId> connector_of_signal;    // [signal]; of a derived value (StepPlan::publish): kNoConnector
  std::vector<ConnectorId> connector_of_actuator;  // [actuator]
  std::vector<ConnectorId> connector_of_outlet;    // [outlet]
};

inline constexpr ConnectorId kNoConnector{UINT32_MAX};

}  // namespace alara::flow
