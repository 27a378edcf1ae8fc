// SPDX-License-Identifier: Apache-2.0
// Operators: the steps of a pipeline. The smallest possible extension: an operator kind declares its options and ports
// once, checks its wiring when the site file is loaded, and makes an object that turns frames into frames.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "core/command.hpp"
#include "core/frame.hpp"
#include "core/schema.hpp"

namespace alara {

// A named column of a pipeline: a signal or an operator's output, as known at load time.
struct ValueInfo {
  std::string name;  // "vibration", "load.mean"
  Unit unit;
  double rate_hz = 0;  // expected samples per second and asset; 0 = unknown
  bool boolean = false;
  SignalType type = SignalType::float64;  // as the source measures it: narrow ones may be kept in fewer bytes
};

// Running state and code of one step for all assets of a pipeline on one shard. All calls come from that shard's
// thread. After warm-up no call may allocate, lock, block or look at a clock.
class Operator {
 public:
  virtual ~Operator() = default;

  // Takes rows of the step's inputs (one column per declared input, in order; where several inputs are joined, each
  // row holds the latest known value of every input, NaN with bad quality before the first) and appends result rows,
  // in the order of the rows that caused them.
  virtual void process(const Frame& in, FrameBuilder& out) = 0;

  // Time has passed: `now` is the engine's event time (wall time when live, the replay's time otherwise), `monotonic`
  // the monotonic instant. Closes windows, fires durations and dead-man timers. Called in every turn of the shard.
  virtual void advance(Nanos now, Nanos monotonic, FrameBuilder& out) {
    static_cast<void>(now);
    static_cast<void>(monotonic);
    static_cast<void>(out);
  }
  // The earliest `now` at which advance() has work; kNever when it only reacts to rows.
  [[nodiscard]] virtual Nanos next_due() const { return kNever; }

  // The answer to a command this operator sent.
  virtual void acknowledged(const Ack& ack) { static_cast<void>(ack); }

  // The node stops or its plan goes away: command every safe value now. No rows follow.
  virtual void make_safe(Nanos monotonic) { static_cast<void>(monotonic); }

  // Bytes held by this operator, and counters it wants shown ("late", "suppressed"), for metrics and the load check.
  [[nodiscard]] virtual std::size_t memory_bytes() const = 0;
  struct Counter {
    std::string_view name;
    std::uint64_t value;
  };
  virtual void counters(std::vector<Counter>& out) const { static_cast<void>(out); }
};

// What an operator may reach at run time besides its frames, and who it is. Outlives the operator.
struct OperatorContext {
  PipelineId pipeline{};
  std::string pipeline_name;
  std::string step_name;            // key in the site file
  std::span<const AssetId> assets;  // slot -> asset
  std::span<const std::string> asset_names;
  Decisions* decisions = nullptr;
  std::string directory;  // of the site file: relative paths start here
  // Resolves an actuator address of the site file ("plc/coil/{n}") for one slot; connectors check it. Load time only.
  class ActuatorBook* actuators = nullptr;
  // The same for the places where values are published. Load time only.
  class OutletBook* outlets = nullptr;
  std::uint64_t seed = 1;  // for operators that draw random numbers
  // One map for a pipeline and all its shards: under its step name a kind keeps what its operators share (a loaded
  // model). Null: nothing is shared. Load time only.
  std::map<std::string, std::shared_ptr<void>>* shared = nullptr;
};

// Gives actuator ids to the addresses that rules write to.
class ActuatorBook {
 public:
  virtual ~ActuatorBook() = default;
  // `address` as written in the site file, for the pipeline's asset in `slot`. Fails with the address's place.
  virtual Result<ActuatorId> actuator(const Node& address, std::size_t slot) = 0;
};

// Gives outlet ids to the addresses that values are published at.
class OutletBook {
 public:
  virtual ~OutletBook() = default;
  // `address` as written in the site file ("cloud/plant/{asset}/{value}"), for `value` of the pipeline's asset in
  // `slot`. Fails with the address's place; two values at one address is an error too.
  virtual Result<OutletId> outlet(const Node& address, std::size_t slot, const ValueInfo& value) = 0;
};

// One kind of step, e.g. `window`. Stateless; lives as long as the program. Listed in node/operator_kinds.cpp.
class OperatorKind {
 public:
  virtual ~OperatorKind() = default;
  [[nodiscard]] virtual std::string_view key() const = 0;  // the pipeline key: "window"
  [[nodiscard]] virtual const Schema& schema() const = 0;  // of one step's options

  // The names of the values the step reads, from its options alone; drives the ordering of the steps.
  // `options` has passed schema().check().
  // "*" stands for all signals of the asset type.
  virtual Result<std::vector<std::string>> inputs(const Node& options) const = 0;
  // True: the step is made once for each of its inputs, alone, and sees each sample of it as it came. False: the inputs
  // are joined into rows.
  [[nodiscard]] virtual bool takes_inputs_apart() const { return false; }

  // True: rows are made for samples of the first input only; the other inputs are there as the latest known.
  [[nodiscard]] virtual bool first_input_drives() const { return false; }
  // True: it is there for what it does, so its results need not be read by another step.
  [[nodiscard]] virtual bool acts() const { return false; }

  struct Made {
    std::vector<ValueInfo> outputs;  // local names: "mean" becomes "<step>.mean"; "" becomes "<step>"
    std::unique_ptr<Operator> code;
    std::size_t memory_bound = 0;  // bytes it can come to hold, for the load-time memory check
    std::vector<Error> warnings;   // e.g. a window that can never fill
  };
  // Checks names, units, rates and shapes of `inputs` (in the order of inputs()) and builds the operator.
  virtual Result<Made> make(const Node& options, std::span<const ValueInfo> inputs,
                            const OperatorContext& context) const = 0;
};

}  // namespace alara
