// SPDX-License-Identifier: Apache-2.0
// The `publish` step: shows values of the node to others through a connector, one address for each asset and value (an
// MQTT topic, an OPC UA node, a Sparkplug metric).
//   up: {publish: {values: [temperature, health.score], to: "cloud/plant/{asset}/{value}", every: 1s}}
// A value goes with its event time, quality and unit. It is made once for each value, which therefore goes out with its
// own time and quality, not those of a joined row.
#pragma once

#include "core/operator.hpp"

namespace alara::flow {

const OperatorKind& publish_kind();

}  // namespace alara::flow
