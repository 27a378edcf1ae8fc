// SPDX-License-Identifier: Apache-2.0
// Files as sources (CSV, JSON Lines, NumPy arrays: recordings replayed at any speed) and as sinks (CSV, JSON Lines).
#pragma once

#include "core/connector.hpp"

namespace alara::file {

[[nodiscard]] const Protocol& file_protocol();

}  // namespace alara::file
