// SPDX-License-Identifier: Apache-2.0
#include "core/connector.hpp"

namespace alara {

void Connector::bind_outlets(std::span<const OutletBinding> outlets, std::vector<Error>& errors) {
  for (const OutletBinding& outlet : outlets)
    errors.push_back({ErrorKind::bad_input, fmt::format("{}: this connector can not publish values", outlet.name),
                      outlet.where, "publish through mqtt, sparkplug, opcua-server, coap-server or http"});
}

}  // namespace alara
