// SPDX-License-Identifier: Apache-2.0
// The node's pages: /metrics, /health, /api/v1/…, and POST /api/v1/reload.
#pragma once

#include <functional>
#include <vector>

#include "node/http.hpp"
#include "node/runtime.hpp"

namespace alara::node {

// `ask_reload` is called on a server thread and must only pass the wish on to the thread that controls the runtime,
// waiting for its diagnosis.
[[nodiscard]] std::vector<HttpRoute> api_routes(const Runtime& runtime, std::function<Diagnosis()> ask_reload);

}  // namespace alara::node
