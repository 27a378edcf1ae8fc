// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/server_plan.hpp"

namespace alara::opcua {
// The new node's index, or that of the one which is there.
Result<std::size_t> ServerPlan::place(ServerAddress address, const std::string& name) {
  const std::string text = address.text();
  if (const auto there = by_text_.find(text); there != by_text_.end()) return there->second;
  if (nodes_.size() == kMostNodes) return fail(ErrorKind::bad_input, "a server has at most {} nodes", kMostNodes);
  if (const auto folder = folders_.find(text); folder != folders_.end())
    return fail(ErrorKind::bad_input, "'{}' is a folder already, for '{}'", text,
                nodes_[folder->second].address.text());
  std::vector<std::string> above;
  if (!address.number) {
    std::string folder;
    for (std::size_t i = 0; i + 1 < address.path.size(); ++i) {
      folder += (folder.empty() ? "" : "/") + address.path[i];
      if (const auto value = by_text_.find(folder); value != by_text_.end())
        return fail(ErrorKind::bad_input, "'{}' is a value already, of {}, and can not be a folder as well", folder,
                    nodes_[value->second].name);
      above.push_back(folder);
    }
  }
  const std::size_t index = nodes_.size();
  for (std::string& folder : above) folders_.emplace(std::move(folder), index);
  by_text_.emplace(text, index);
  ServerNode& node = nodes_.emplace_back();
  node.address = std::move(address);
  node.name = name;
  return index;
}

void ServerPlan::add(std::span<const SignalBinding> signals, std::vector<Error>& errors) {
  for (const SignalBinding& signal : signals) {
    auto address = parse_server_address(signal.address);
    if (!address) {
      errors.push_back(located(signal, address.error()));
      continue;
    }
    const auto range = address->range;
    const std::size_t before = nodes_.size();
    const auto index = place(std::move(*address), signal.name);
    if (!index) {
      errors.push_back(located(signal, index.error()));
      continue;
    }
    ServerNode& node = nodes_[*index];
    const bool fresh = *index == before;
    if (fresh) {
      node.type = signal.type;
      node.unit = signal.unit;
    } else if (!node.writable() || node.address.range != range || node.type != signal.type) {
      errors.push_back(
          located(signal, {ErrorKind::bad_input,
                           fmt::format("'{}' is there already for {}, with another type, range or direction",
                                       node.address.text(), node.name),
                           {},
                           "give it an address of its own"}));
      continue;
    }
    node.signals.push_back(signal.signal);
  }
}

void ServerPlan::add(std::span<const OutletBinding> outlets, std::vector<Error>& errors) {
  for (const OutletBinding& outlet : outlets) {
    auto address = parse_server_address(outlet.address);
    if (!address) {
      errors.push_back(located(outlet, address.error()));
      continue;
    }
    const std::size_t before = nodes_.size();
    const auto index = place(std::move(*address), outlet.name);
    if (!index) {
      errors.push_back(located(outlet, index.error()));
      continue;
    }
    ServerNode& node = nodes_[*index];
    if (*index != before) {
      errors.push_back(located(outlet, {ErrorKind::bad_input,
                                        fmt::format("'{}' is there already for {}", node.address.text(), node.name),
                                        {},
                                        "give it an address of its own, with {asset} or {value} in it"}));
      continue;
    }
    node.type = outlet.boolean ? SignalType::boolean : outlet.type;
    node.unit = outlet.unit;
    outlets_.emplace(outlet.outlet, *index);
  }
}

std::size_t ServerPlan::index_of_outlet(OutletId outlet) const {
  const auto found = outlets_.find(outlet);
  return found == outlets_.end() ? kNone : found->second;
}

}  // namespace alara::opcua
