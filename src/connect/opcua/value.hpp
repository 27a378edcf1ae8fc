// SPDX-License-Identifier: Apache-2.0
// Between OPC UA's values and ours: a number out of a variant, by a path into it; a variant of a given type out of a
// number; status codes and instants. Internal to connect/opcua.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "connect/opcua/address.hpp"
#include "connect/opcua/structures.hpp"
#include "connect/opcua/ua.hpp"
#include "core/sample.hpp"

namespace alara::opcua {

inline constexpr std::uint32_t kMostArrayElements = 1u << 20;

// Fails with the reason as a literal fit for Inlet::reject: "wrong_type", "no_such_element".
struct Taken {
  double value = 0;
  const char* fault = nullptr;  // nullptr: good
  UaNodeId encoding{};          // of the structure on the way that is not known, or whose bytes do not fit it; or null
};
// The number that `path` leads to. Times are seconds since 1970; true is 1. Into structures that are not of the
// standard it follows `structures`, if any: "unknown_structure" is one that is not known there, or known not to be
// readable; "undecodable" one whose bytes are not what its definition says.
[[nodiscard]] Taken number_in(const UA_Variant& variant, std::span<const PathStep> path,
                              const Structures* structures = nullptr);

// `value` as a scalar of `type`; fails when the type is no number or the value does not fit it.
[[nodiscard]] Result<UaVariant> variant_of(double value, const UA_DataType& type);

// OPC UA Part 4, 7.39: the two highest bits say good, uncertain, bad.
[[nodiscard]] Quality quality_of(UA_StatusCode status);
[[nodiscard]] Nanos instant_of(UA_DateTime time);

}  // namespace alara::opcua
