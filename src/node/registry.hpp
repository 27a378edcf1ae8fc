// SPDX-License-Identifier: Apache-2.0
// The two lists that make a protocol or an operator part of `alara`: one line each in protocols.cpp and
// operator_kinds.cpp.
#pragma once

#include <span>
#include <string_view>

#include "core/connector.hpp"
#include "core/operator.hpp"

namespace alara::node {

[[nodiscard]] std::span<const Protocol* const> protocols();
[[nodiscard]] const Protocol* protocol_named(std::string_view key);  // nullptr when unknown

[[nodiscard]] std::span<const OperatorKind* const> operator_kinds();
[[nodiscard]] const OperatorKind* operator_kind_named(std::string_view key);

}  // namespace alara::node
