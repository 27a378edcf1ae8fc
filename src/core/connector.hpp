// SPDX-License-Identifier: Apache-2.0
// Connectors: each speaks one protocol and can be a source of samples, a sink of commands, or both. A connector owns
// its I/O (threads or a shared IoLoop), never touches pipelines, and accounts for every point it accepted.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/io_loop.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "core/command.hpp"
#include "core/sample.hpp"
#include "core/schema.hpp"

namespace alara {

// One signal read through a connector: `address` is what stands after "<connector>/" in the site file, with {n} and
// other placeholders already replaced ("holding/102:float32be", "line/cnc-07/state#temperature").
struct SignalBinding {
  SignalId signal{};
  std::string name;  // "cnc-07.spindle_current", for messages
  std::string address;
  SignalType type = SignalType::float64;
  Nanos poll = 0;  // wished period; 0 = the connector's own
  Where where;
  double rate_hz = 0;  // declared sampling rate of a waveform, for sources that do not tell it; 0 = unknown
  Unit unit = {};      // as declared in the site file
};

struct ActuatorBinding {
  ActuatorId actuator{};
  std::string name;
  std::string address;
  Where where;
};

// One value of the node that others read through a connector: an MQTT topic, an OPC UA node, a Sparkplug metric. Made
// by `publish` steps. `address` has its placeholders replaced, {value} by the value's name among them.
struct OutletBinding {
  OutletId outlet{};
  std::string name;   // "cnc-07.bearing.health", for messages
  std::string asset;  // "cnc-07"
  std::string value;  // "bearing.health"
  std::string address;
  Unit unit;
  SignalType type = SignalType::float64;
  bool boolean = false;
  Where where;
};

// What is wrong with a binding (a SignalBinding, ActuatorBinding or OutletBinding), with its name and its place.
template <typename Binding>
[[nodiscard]] Error located(const Binding& binding, Error error) {
  error.message.insert(0, binding.name + ": ");
  if (!error.where.known()) error.where = binding.where;
  return error;
}

// The way of samples into the engine. One producer thread per connector. push() copies what it needs, never blocks
// longer than the ring's policy allows, and does the accounting (accepted, dropped by reason).
class Inlet {
 public:
  virtual ~Inlet() = default;
  virtual void push(const Batch& batch) = 0;
  // A payload or point that arrived but can not become a sample; `reason` must be a string literal from a fixed
  // set: it names a counter ("malformed", "unknown_topic", "wrong_type").
  virtual void reject(std::string_view reason, std::uint64_t points) = 0;
  // No more samples will come (a file's end). Lets `alara run` of a finite source end.
  virtual void finished() = 0;
};

// The way of commands to the connector. One consumer thread per connector.
class CommandInbox {
 public:
  virtual ~CommandInbox() = default;
  [[nodiscard]] virtual bool pop(Command& command) = 0;  // false when empty
  // Readable (poll/epoll) whenever commands may be waiting; drained by pop().
  [[nodiscard]] virtual int event_fd() const = 0;
  virtual void acknowledge(const Ack& ack) = 0;
};

// The way of published values to the connector. One consumer thread per connector, the one that also reads the
// CommandInbox or another. The account, exact whenever that thread and the shards are quiet:
//     published = delivered + buffered + dropped{reason}
// Every value popped must in the end be settled, as delivered or as dropped; until then it is buffered.
class OutletQueue {
 public:
  virtual ~OutletQueue() = default;
  [[nodiscard]] virtual bool pop(OutletSample& sample) = 0;  // false when empty
  // Readable (poll/epoll) whenever values may be waiting; drained by pop().
  [[nodiscard]] virtual int event_fd() const = 0;
  // Handed to the other side (and acknowledged by it, where the protocol acknowledges), or there to be read.
  virtual void delivered(std::uint64_t values) = 0;
  // Given up; `reason` must be a string literal from a fixed set ("not_connected", "too_large").
  virtual void dropped(std::string_view reason, std::uint64_t values) = 0;
};

// Counters a connector keeps; written by its thread, read by metrics at any time.
struct ConnectorStats {
  std::atomic<std::uint64_t> bytes_in{0}, bytes_out{0}, messages_in{0}, messages_out{0};
  std::atomic<std::uint64_t> connects{0}, disconnects{0}, errors{0};
  std::atomic<std::uint64_t> polls_done{0}, polls_missed{0};  // of a fixed schedule
  std::atomic<Nanos> last_progress{0};                        // monotonic instant of the last good exchange
  std::atomic<bool> connected{false};
  // The shortest period of a fixed schedule; 0: the other side speaks when it likes, so its silence says nothing.
  std::atomic<Nanos> expected_every{0};
};

// What a running connector is given; all of it outlives stop().
struct ConnectorContext {
  Inlet* inlet = nullptr;
  CommandInbox* commands = nullptr;
  Clock* clock = nullptr;
  IoLoop* loop = nullptr;          // shared by all connectors of the protocol; runs on its own thread
  std::uint64_t seed = 1;          // for back-off jitter
  OutletQueue* outlets = nullptr;  // nullptr when nothing is published through this connector
};

// A connector that can carry whole messages (an MQTT topic, a JSON Lines file): where events and summaries go up.
class MessageSink {
 public:
  virtual ~MessageSink() = default;
  // Hands a message over for sending; any thread. False when it can not be taken now (not connected, queue full).
  virtual bool publish(std::string_view address, std::string_view payload) = 0;
};

// A connector that shows alarms to its peers (an OPC UA server). Called on the node's housekeeping thread with every
// event of the node, raised or cleared; must not block.
struct EventNotice {
  std::uint64_t key = 0;  // the same for raising and clearing
  bool raised = true;
  Severity severity = Severity::info;
  std::string_view pipeline, asset, text;
  Nanos time = 0;
};
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void announce(const EventNotice& event) = 0;
};

class Connector {
 public:
  virtual ~Connector() = default;

  // Load time. Checks addresses and prepares the plan; no I/O. Appends one error per bad binding.
  virtual void bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
                    std::vector<Error>& errors) = 0;
  // Load time, after bind(), only when there are outlets. Checks their addresses as bind() does. A protocol that can
  // not show values to others leaves this as it is.
  virtual void bind_outlets(std::span<const OutletBinding> outlets, std::vector<Error>& errors);
  // Lines for `alara explain`: what will be asked when (merged reads, subscriptions).
  [[nodiscard]] virtual std::vector<std::string> explain() const = 0;

  // Begins to connect and deliver; returns at once, keeps trying in the background.
  virtual Status start(const ConnectorContext& context) = 0;
  // Ends all I/O within 1 s; commands still queued are acknowledged as unavailable. Idempotent.
  virtual void stop() = 0;

  [[nodiscard]] virtual MessageSink* message_sink() { return nullptr; }  // nullptr: carries no messages
  [[nodiscard]] virtual EventSink* event_sink() { return nullptr; }      // nullptr: shows no alarms

  [[nodiscard]] virtual const ConnectorStats& stats() const = 0;
  [[nodiscard]] virtual std::string last_error() const = 0;  // for people; "" when all is well. Any thread.

  // Further counters of the protocol ("late_answers", "quarantined_signals"), for metrics and tests. Any thread.
  struct Counter {
    std::string_view name;
    std::uint64_t value;
  };
  virtual void counters(std::vector<Counter>& out) const { static_cast<void>(out); }
};

// One protocol. Stateless; lives as long as the program. Listed in node/protocols.cpp.
class Protocol {
 public:
  virtual ~Protocol() = default;
  [[nodiscard]] virtual std::string_view key() const = 0;           // "modbus"
  [[nodiscard]] virtual const Schema& schema() const = 0;           // of the connector's options
  [[nodiscard]] virtual std::string_view address_help() const = 0;  // grammar of addresses, with examples
  // `options` has passed schema().check(). `directory` is the site file's.
  virtual Result<std::unique_ptr<Connector>> make(const std::string& name, const Node& options,
                                                  const std::string& directory) const = 0;
};

}  // namespace alara
