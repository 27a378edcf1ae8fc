// SPDX-License-Identifier: Apache-2.0
// The step `rule`: a condition that commands actuators and raises events. Options and behaviour are in README.md.
#pragma once

#include <cstddef>

#include "core/operator.hpp"

namespace alara::rules {

// A rule has one output, named as the step: 1 while the rule is active, 0 otherwise; a row at each change.
[[nodiscard]] const OperatorKind& rule_kind();

// Resets the latch of one slot, as the `reset` condition would. False when the operator is no rule, the slot is not
// active, or the condition still holds. On the shard's thread; takes effect at the next row or advance().
[[nodiscard]] bool reset_latch(Operator& code, std::size_t slot);

}  // namespace alara::rules
