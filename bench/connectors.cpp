// SPDX-License-Identifier: Apache-2.0
// What each protocol's connector costs under a full load from a peer in a process of its own. The parts run one after
// the other; each is a file of its own.
#include "bench/connectors.hpp"

#include <vector>

namespace alara::bench {

// Each in connectors_<protocol>.cpp.
extern const ConnectorPart kCanPart;
extern const ConnectorPart kCoapPart;
#ifdef ALARA_OPCUA
extern const ConnectorPart kOpcuaPart;
#endif

namespace {

const std::vector<ConnectorPart>& parts() {
  static const std::vector<ConnectorPart> kParts{
#ifdef ALARA_OPCUA
      kOpcuaPart,
#endif
      kCoapPart,
      kCanPart,
  };
  return kParts;
}

}  // namespace

Result<Report> run_connectors(const Arguments& arguments) {
  Report report;
  report.checked = !parts().empty();
  for (const ConnectorPart& part : parts()) {
    report.workload += fmt::format("{}{}: {}", report.workload.empty() ? "" : " ", part.protocol, part.workload);
    ALARA_TRY(const bool agreed, part.measure(arguments, report));
    report.checked = report.checked && agreed;
  }
  return report;
}

}  // namespace alara::bench
