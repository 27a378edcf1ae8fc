// SPDX-License-Identifier: Apache-2.0
// The parts of the benchmark `connectors`, one for each protocol (connectors_<protocol>.cpp). A part checks what its
// connector delivered against what its peer says it sent, and adds figures named after the protocol:
// <protocol>_cores, <protocol>_unaccounted, …; baselines likewise.
#pragma once

#include "bench/bench.hpp"

namespace alara::bench {

struct ConnectorPart {
  std::string_view protocol;
  std::string_view workload;                                // one sentence
  Result<bool> (*measure)(const Arguments&, Report& into);  // true: the result agreed with the peer's account
};

}  // namespace alara::bench
