// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/serial_port.hpp"

// Not <termios.h>: only the kernel's own structure takes any speed.
#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace alara::modbus {
namespace {

constexpr std::uint32_t kTolerance = 3;  // percent that a driver's speed may be off

// Drivers that buffer for up to 16 ms hand bytes over at once. Not all can; that costs time only.
void ask_for_low_latency(int fd) {
  serial_struct serial{};
  if (ioctl(fd, TIOCGSERIAL, &serial) != 0) return;
  serial.flags |= ASYNC_LOW_LATENCY;
  static_cast<void>(ioctl(fd, TIOCSSERIAL, &serial));
}

void make_raw(termios2& settings, const SerialLine& line) {
  settings = {};
  settings.c_cflag = CS8 | CREAD | CLOCAL | BOTHER | (BOTHER << IBSHIFT);
  if (line.parity != Parity::none) settings.c_cflag |= PARENB;
  if (line.parity == Parity::odd) settings.c_cflag |= PARODD;
  if (line.stop_bits == 2) settings.c_cflag |= CSTOPB;
  settings.c_iflag = IGNBRK;
  settings.c_ispeed = settings.c_ospeed = line.baud;
  settings.c_cc[VMIN] = 1;  // so that reading nothing means that the device is gone
}

}  // namespace

std::string SerialLine::text() const {
  const char letter = parity == Parity::none ? 'N' : parity == Parity::even ? 'E' : 'O';
  return fmt::format("{} ({} baud, 8{}{})", device, baud, letter, stop_bits);
}

Result<std::unique_ptr<SerialPort>> SerialPort::open(const SerialLine& line) {
  const int fd = ::open(line.device.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return fail(ErrorKind::unavailable, "can not open {}: {}", line.device,
                errno == EBUSY ? "another program uses it" : std::strerror(errno));
  std::unique_ptr<SerialPort> port(new SerialPort(fd));
  ALARA_CHECK(port->set_up(line));
  return port;
}

SerialPort::~SerialPort() {
  static_cast<void>(ioctl(fd_, TCFLSH, TCIOFLUSH));  // or closing waits until it is sent
  static_cast<void>(ioctl(fd_, TIOCNXCL));
  close(fd_);
}

Status SerialPort::set_up(const SerialLine& line) const {
  termios2 settings;
  if (ioctl(fd_, TCGETS2, &settings) != 0)
    return fail(ErrorKind::unavailable, "{} is no serial line: {}", line.device, std::strerror(errno));
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0)
    return fail(ErrorKind::unavailable, "can not open {}: another program or connector uses it", line.device);
  static_cast<void>(ioctl(fd_, TIOCEXCL));
  make_raw(settings, line);
  if (ioctl(fd_, TCSETS2, &settings) != 0 || ioctl(fd_, TCGETS2, &settings) != 0)
    return fail(ErrorKind::unavailable, "can not set {} up: {}", line.text(), std::strerror(errno));
  const std::int64_t off = std::int64_t{settings.c_ospeed} - line.baud;
  if (std::abs(off) * 100 > std::int64_t{line.baud} * kTolerance)
    return fail(ErrorKind::unavailable, "{} can not do {} baud; its nearest is {}", line.device, line.baud,
                settings.c_ospeed);
  ask_for_low_latency(fd_);
  ALARA_CHECK(set_up_rs485(line));
  static_cast<void>(ioctl(fd_, TCFLSH, TCIOFLUSH));
  return {};
}

Status SerialPort::set_up_rs485(const SerialLine& line) const {
  if (line.rs485 == Rs485::rts) {
    int lines = 0;
    if (ioctl(fd_, TIOCMGET, &lines) != 0)
      return fail(ErrorKind::unavailable, "{} has no RTS to turn (rs485: rts): {}", line.device, std::strerror(errno));
    set_rts(false);
  }
  if (line.rs485 != Rs485::kernel) return {};
  serial_rs485 mode{};
  mode.flags = SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND;
  if (line.echo) mode.flags |= SER_RS485_RX_DURING_TX;
  mode.delay_rts_before_send = mode.delay_rts_after_send = static_cast<__u32>(line.rts_delay / kMillisecond);
  if (ioctl(fd_, TIOCSRS485, &mode) != 0)
    return fail(ErrorKind::unavailable, "the driver of {} knows no RS-485 mode (rs485: kernel): {}", line.device,
                std::strerror(errno));
  return {};
}

void SerialPort::set_rts(bool on) const {
  const int rts = TIOCM_RTS;
  static_cast<void>(ioctl(fd_, on ? TIOCMBIS : TIOCMBIC, &rts));
}

bool SerialPort::has_sent_all() const {
  unsigned state = 0;
  return ioctl(fd_, TIOCSERGETLSR, &state) != 0 || (state & TIOCSER_TEMT) != 0;
}

}  // namespace alara::modbus
