// SPDX-License-Identifier: Apache-2.0
// HTTP as a protocol of the node: measurements pushed in (JSON, line protocol), values, commands and events sent out to
// a web hook.
#pragma once

#include "core/connector.hpp"

namespace alara::http {

[[nodiscard]] const Protocol& http_protocol();

}  // namespace alara::http
