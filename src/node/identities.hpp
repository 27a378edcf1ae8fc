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
  Names() = default;
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;
  Id id_of(const std::string& name) {
    const auto [entry, added] = ids_.try_emplace(name, static_cast<Id>(names_.size()));
    if (added) names_.push_back(&entry->first);
    return entry->second;
  }
  // The first of `count` ids without names in the same number space: steps' results.
  Id reserve(std::size_t count) {
    const Id first = static_cast<Id>(names_.size());
    names_.resize(names_.size() + count, &kNone);
    return first;
  }
  [[nodiscard]] const std::string* find_name(Id id) const {
    return index_of(id) < names_.size() ? names_[index_of(id)] : nullptr;
  }
  [[nodiscard]] const std::string& name_of(Id id) const { return *names_[index_of(id)]; }
  [[nodiscard]] std::size_t size() const { return names_.size(); }

 private:
  std::unordered_map<std::string, Id> ids_;
  static inline const std::string kNone;
  std::vector<const std::string*> names_;  // keys of ids_, which do not move
};

struct Identities {
  Names<SignalId> signals;  // "cnc-07.spindle_current"; results of steps are reserved here, too
  Names<AssetId> assets;
  Names<ActuatorId> actuators;  // "plc/coil/7"
  Names<OutletId> outlets;      // "cloud/plant/cnc-07/health"
  Names<ConnectorId> connectors;
  Names<PipelineId> pipelines;  // a part of a pipeline on one shard: "overload", "overload#1"
};

}  // namespace alara::node
