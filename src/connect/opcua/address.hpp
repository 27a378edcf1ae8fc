// SPDX-License-Identifier: Apache-2.0
// Addresses of an OPC UA client in a site file: a node id, with a path into its value; or a method to call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace alara::opcua {

inline constexpr std::size_t kMostAddressBytes = 4096;
inline constexpr std::size_t kMostPathSteps = 16;

// One step into a value: a member of a structure, or an element of an array.
struct PathStep {
  std::string member;
  std::optional<std::uint32_t> index;
  bool operator==(const PathStep&) const = default;
};

struct NodeName {
  std::string text;           // "ns=2;s=Line.Speed", without nsu=
  std::string namespace_uri;  // of "nsu=urn:plant;s=…"; "" = the text has its index
  bool operator==(const NodeName&) const = default;
};

struct Address {
  NodeName node;
  std::vector<PathStep> path;
  std::optional<NodeName> method;  // then `node` is its object, and the command is a call
};

// "ns=2;s=Line.Speed", "i=2258", "nsu=urn:plant;s=A", "ns=2;s=Values#[3]", "ns=2;i=7#Motor.speed[1]",
// "call ns=2;s=Pump ns=2;s=Start". A '#' within a node id is written "##".
[[nodiscard]] Result<Address> parse_address(std::string_view text);

}  // namespace alara::opcua
