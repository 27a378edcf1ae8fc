// SPDX-License-Identifier: Apache-2.0
// The `window` step: aggregates of one value over tumbling, hopping, sliding, session, count or state windows.
// README.md of this folder says which file does what.
#pragma once

#include "core/operator.hpp"

namespace alara::flow {

[[nodiscard]] const OperatorKind& window_kind();

}  // namespace alara::flow
