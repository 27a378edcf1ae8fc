// SPDX-License-Identifier: Apache-2.0
// The `filter` step: one filter over one signal, with a state of its own per asset.
#pragma once

#include "core/operator.hpp"

namespace alara::flow {

const OperatorKind& filter_kind();

}  // namespace alara::flow
