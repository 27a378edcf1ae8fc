// SPDX-License-Identifier: Apache-2.0
// CoAP (RFC 7252): a client that observes and polls resources of devices and writes to them, and a server that devices
// send their readings to. Observe (RFC 7641), block-wise transfer (RFC 7959) and DTLS by libcoap.
#pragma once

#include "core/connector.hpp"

namespace alara::coap {

[[nodiscard]] const Protocol& coap_protocol();

}  // namespace alara::coap
