// SPDX-License-Identifier: Apache-2.0
// A serial line as a site file describes it, and the open device behind it: raw, non-blocking, for us alone. Any speed
// that the device's driver can make is taken.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "wire/modbus_rtu.hpp"

namespace alara::modbus {

enum class Parity : std::uint8_t { none, even, odd };
enum class Rs485 : std::uint8_t {
  off,     // RS-232, or an adapter that turns its driver on and off by itself
  kernel,  // the device's driver in Linux does it
  rts,     // we do it: RTS is set while we send
};

struct SerialLine {
  std::string device;  // "/dev/ttyUSB0"
  std::uint32_t baud = 19'200;
  Parity parity = Parity::even;
  unsigned stop_bits = 1;
  Rs485 rs485 = Rs485::off;
  Nanos rts_delay = 0;  // between RTS and the first bit, and between the last bit and its end
  bool echo = false;    // the adapter hears what it sends

  [[nodiscard]] unsigned bits_of_character() const { return 1 + 8 + (parity == Parity::none ? 0 : 1) + stop_bits; }
  [[nodiscard]] wire::RtuTiming timing() const { return wire::RtuTiming::of(baud, bits_of_character()); }
  [[nodiscard]] std::string text() const;  // "/dev/ttyUSB0 (19200 baud, 8E1)"
};

class SerialPort {
 public:
  // Fails with the device and the reason: absent, in use, no serial line, not able to do what is asked.
  [[nodiscard]] static Result<std::unique_ptr<SerialPort>> open(const SerialLine& line);
  ~SerialPort();  // what is not yet sent is thrown away
  SerialPort(const SerialPort&) = delete;
  SerialPort& operator=(const SerialPort&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  void set_rts(bool on) const;
  [[nodiscard]] bool has_sent_all() const;  // true also where the driver can not tell

 private:
  explicit SerialPort(int fd) : fd_(fd) {}
  Status set_up(const SerialLine& line) const;
  Status set_up_rs485(const SerialLine& line) const;
  const int fd_;
};

}  // namespace alara::modbus
