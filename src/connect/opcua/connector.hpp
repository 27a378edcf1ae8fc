// SPDX-License-Identifier: Apache-2.0
// The OPC UA client: one thread that keeps a session with the server alive, subscribes to nodes or polls them, writes
// values and calls methods, and answers for each command.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "connect/opcua/session.hpp"
#include "connect/opcua/structures.hpp"
#include "connect/opcua/value.hpp"
#include "core/connector.hpp"

namespace alara::opcua {

class OpcuaConnector final : public Connector {
 public:
  OpcuaConnector(std::string name, Settings settings);
  ~OpcuaConnector() override;

  void bind(std::span<const SignalBinding> signals, std::span<const ActuatorBinding> actuators,
            std::vector<Error>& errors) override;
  [[nodiscard]] std::vector<std::string> explain() const override;
  Status start(const ConnectorContext& context) override;
  void stop() override;
  [[nodiscard]] const ConnectorStats& stats() const override { return stats_; }
  [[nodiscard]] std::string last_error() const override;
  void counters(std::vector<Counter>& out) const override;

 private:
  struct Target {  // a signal
    SignalId signal{};
    std::string name;
    Address address;
    Nanos period = 0;
    UaNodeId node;         // in the present session
    UA_UInt32 item = 0;    // by which the server watches it; 0: it does not
    bool refused = false;  // by the server, by itself
    OpcuaConnector* connector = nullptr;
  };
  struct Output {  // an actuator
    ActuatorId actuator{};
    std::string name;
    Address address;
    UaNodeId node, method;
    const UA_DataType* type = nullptr;  // of what is written, or of the method's argument; nullptr: not known
    bool takes_argument = false;
    std::string fault;  // why it can not be used in the present session
  };
  struct Unread {  // a value in a structure that the server has not been asked for yet
    Target* target = nullptr;
    UaNodeId encoding;
    UaVariant value;
    Nanos time = 0;
    Quality quality = Quality::good;
  };
  struct Group {  // signals of one period
    Nanos period = 0, due = 0;
    std::vector<Target*> targets;
    UA_UInt32 subscription = 0;
  };

  void run(const std::stop_token& stop);
  [[nodiscard]] Status live(const std::stop_token& stop);
  void wait(Nanos until, const std::stop_token& stop);
  void prepare_outputs();
  void prepare_output(Output& output);
  [[nodiscard]] Status prepare_method(Output& output);
  [[nodiscard]] Status read_all();
  [[nodiscard]] Status subscribe(Group& group);
  [[nodiscard]] Status monitor(Group& group, std::span<Target* const> targets);
  [[nodiscard]] Status poll(Group& group);
  [[nodiscard]] Status poll(std::span<Target* const> targets);
  [[nodiscard]] Status retry_refused();
  static void on_change(UA_Client* client, UA_UInt32 subscription, void*, UA_UInt32 item, void* target,
                        UA_DataValue* value);
  void take(Target& target, const UA_DataValue& value);
  void take_number(Target& target, const UA_Variant& value, Nanos time, Quality quality);
  void take_structure(Target& target, const UA_NodeId& encoding, const UA_Variant& value, Nanos time, Quality quality);
  void learn_structures();
  void refuse(Target& target, const std::string& why);
  void add(SignalId id, double value, Nanos time, Quality quality);
  void push();
  void mark_bad();
  void take_commands(bool connected);
  void execute(const Command& command);
  [[nodiscard]] UA_StatusCode write(Output& output, double value);
  [[nodiscard]] UA_StatusCode call(Output& output, double value);
  [[nodiscard]] bool reads_back(Output& output, double value, double& got);
  void acknowledge(const Command& command, Outcome outcome, double read_back = 0);
  void report(std::string error);

  const std::string name_;
  const Settings settings_;
  std::deque<Target> targets_;
  std::deque<Output> outputs_;
  std::vector<Group> groups_;
  ConnectorContext context_;

  // Confined to the connector's thread.
  std::unique_ptr<Session> session_;
  bool all_bad_ = true;
  Nanos retry_due_ = kNever;
  Structures structures_;
  std::vector<Unread> unread_;
  std::vector<SignalId> signals_;
  std::vector<double> values_;
  std::vector<Nanos> times_;
  std::vector<Quality> qualities_;

  ConnectorStats stats_;
  std::atomic<std::uint64_t> refused_nodes_{0}, not_good_{0};
  mutable std::mutex mutex_;  // guards last_error_
  std::string last_error_;
  std::jthread thread_;
};

}  // namespace alara::opcua
