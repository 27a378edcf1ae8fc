// SPDX-License-Identifier: Apache-2.0
// MQTT 5 and 3.1.1: topics as sources of samples, as actuators and as the way of events and summaries upward.
#pragma once

#include "core/connector.hpp"

namespace alara::mqtt {

[[nodiscard]] const Protocol& mqtt_protocol();
[[nodiscard]] const Protocol& sparkplug_protocol();  // a Sparkplug B edge node

}  // namespace alara::mqtt
