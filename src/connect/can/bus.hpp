// SPDX-License-Identifier: Apache-2.0
// The way to a CAN bus: an interface of Linux, or an adapter behind a serial line. One open descriptor; confined to the
// connector's thread.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "connect/can/settings.hpp"
#include "wire/can/frame.hpp"

namespace alara::can {

class Bus {
 public:
  virtual ~Bus() = default;
  // What came since the last call. `confirmed` and `refused`: how many frames sent before have been taken, or not, in
  // the order of sending. `garbage`: pieces that were no frame.
  struct Received {
    std::vector<wire::can::Frame> frames;
    std::size_t confirmed = 0, refused = 0, garbage = 0, bytes = 0;
    void clear();
  };
  // Fails when the bus is gone.
  [[nodiscard]] virtual Status receive(Received& into) = 0;
  // Hands a frame over; whether it was taken comes with receive(). Fails when there is no room now.
  [[nodiscard]] virtual Status send(const wire::can::Frame& frame) = 0;
  [[nodiscard]] virtual int fd() const = 0;
};

// Opens without waiting. Errors say the device and why.
[[nodiscard]] Result<std::unique_ptr<Bus>> open_bus(const Settings& settings);

}  // namespace alara::can
