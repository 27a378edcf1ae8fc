// SPDX-License-Identifier: Apache-2.0
// Which nodes an OPC UA server of ours has: made from the bindings of a site file, checked against each other, the same
// for every life of the server.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "connect/opcua/server_address.hpp"
#include "core/connector.hpp"

namespace alara::opcua {

struct ServerNode {
  ServerAddress address;
  std::string name;  // of the first binding, for messages
  SignalType type = SignalType::float64;
  Unit unit;
  std::vector<SignalId> signals;  // that a client's write goes to; empty: shows an outlet, read only
  [[nodiscard]] bool writable() const { return !signals.empty(); }
};

class ServerPlan {
 public:
  static constexpr std::size_t kMostNodes = 100'000;

  // Both add one error for each binding that can not be.
  void add(std::span<const SignalBinding> signals, std::vector<Error>& errors);
  void add(std::span<const OutletBinding> outlets, std::vector<Error>& errors);

  [[nodiscard]] const std::deque<ServerNode>& nodes() const { return nodes_; }
  [[nodiscard]] std::size_t index_of_outlet(OutletId outlet) const;  // kNone: not of this plan
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

 private:
  [[nodiscard]] Result<std::size_t> place(ServerAddress address, const std::string& name);

  std::deque<ServerNode> nodes_;
  std::map<std::string, std::size_t> by_text_;  // of values
  std::map<std::string, std::size_t> folders_;  // with one of the values in it
  std::map<OutletId, std::size_t> outlets_;
};

}  // namespace alara::opcua
