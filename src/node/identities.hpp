// SPDX-License-Identifier: Apache-2.0
// The numbers behind names: dense, given in order of first use, and kept over reloads so that what did not change goes
// on under the same number.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/sample.hpp"

namespace alara::node {

template <typename Id>
class Names {
 public:
  Id id_of(const std::string& name) {
    const auto [entry, added] = ids_.try_emplace(name, static_cast<Id>(names_.size()));
    if (added) names_.push_back(name);
    return entry->second;
  }
  [[nodiscard]] const std::string* find_name(Id id) const { return index_of(id) < names_.size() ? &names_[index_of(id)] : nullptr; }
  [[nodiscard]] const std::string& name_of(Id id) const { return names_[index_of(id)]; }
  [[nodiscard]] std::size_t size() const { return names_.size(); }

 private:
  std::unordered_map<std::string, Id> ids_;
  std::vector<std::string> names_;
};

struct Identities {
  Names<SignalId> signals;      // "cnc-07.spindle_current"
  std::uint32_t results = 0;    // ids given to steps' results, in a number space of their own
  Names<AssetId> assets;
  Names<ActuatorId> actuators;  // "plc/coil/7"
  Names<ConnectorId> connectors;
  Names<PipelineId> pipelines;  // a part of a pipeline on one shard: "overload", "overload#1"
};

}  // namespace alara::node
