// SPDX-License-Identifier: Apache-2.0
// What a running Modbus client tells about itself. Written by the loop's thread, read by any.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/histogram.hpp"
#include "core/connector.hpp"
#include "core/last_error.hpp"

namespace alara::modbus {

struct Telemetry : LastError {
  ConnectorStats stats;
  std::atomic<std::uint64_t> timeouts{0};       // requests without an answer in time
  std::atomic<std::uint64_t> late_answers{0};   // came after their request had timed out; discarded
  std::atomic<std::uint64_t> stray_answers{0};  // with a transaction number or unit that nobody asked; discarded
  std::atomic<std::uint64_t> malformed{0};      // right number, wrong content or length
  std::atomic<std::uint64_t> exceptions{0};     // the device said no
  std::atomic<std::uint64_t> relayed{0};        // requests of a gateway's clients that were answered
  std::atomic<std::uint64_t> noise_bytes{0};    // on a serial line, in no frame
  std::atomic<std::uint64_t> silent_units{0};   // that did not answer when they were last asked
  std::atomic<std::uint64_t> quarantined{0};    // tags that are kept out of the merged reads now
  std::atomic<std::uint64_t> requests{0};       // of the present plan
  LastError gateway;                            // why it does not listen; good answers of the line do not clear it
  Histogram request_delay;                      // from a poll's slot to the sending of its request
};

// Adds to a counter that one thread writes: no locked instruction.
inline void count(std::atomic<std::uint64_t>& counter, std::uint64_t amount = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

}  // namespace alara::modbus
