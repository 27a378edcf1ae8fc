// SPDX-License-Identifier: Apache-2.0
// The `forward` step: hands a set-point that arrives as a signal (from an MQTT topic, an OPC UA node, a CoAP resource)
// on to an actuator, within limits.
//   set: {forward: {of: wanted_speed, to: "drive/holding/10", least: 0, most: 1500, unless: door_open, verify: true}}
// Outputs, one row for each set-point once its fate is known: done (true: the device acknowledged it), outcome (the
// number of an Outcome: 0 done, 1 refused by the device, 2 refused here, 3 mismatch, 4 timed out, 5 unavailable) and
// value (what was commanded). A `publish` step sends them back as the acknowledgement.
#pragma once

#include "core/operator.hpp"

namespace alara::rules {

const OperatorKind& forward_kind();

}  // namespace alara::rules
