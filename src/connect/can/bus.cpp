// SPDX-License-Identifier: Apache-2.0
#include "connect/can/bus.hpp"

#include <fcntl.h>
#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace alara::can {
namespace {

using wire::can::Frame;
using wire::can::SlcanReader;

constexpr int kReadsPerWake = 256;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  const int fd_;
};

class SocketCanBus final : public Bus {
 public:
  explicit SocketCanBus(int fd) : fd_(fd) {}

  static Result<std::unique_ptr<Bus>> open(const std::string& interface) {
    const int fd = socket(PF_CAN, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, CAN_RAW);
    if (fd < 0) return fail(ErrorKind::unavailable, "this kernel has no SocketCAN: {}", std::strerror(errno));
    auto bus = std::make_unique<SocketCanBus>(fd);
    ifreq request{};
    std::memcpy(request.ifr_name, interface.data(), interface.size());
    if (ioctl(fd, SIOCGIFINDEX, &request) != 0)
      return fail(ErrorKind::unavailable, "there is no interface {}: {}", interface, std::strerror(errno));
    const int on = 1;
    setsockopt(fd, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, &on, sizeof on);  // not granted: classic frames only
    sockaddr_can address{};
    address.can_family = AF_CAN;
    address.can_ifindex = request.ifr_ifindex;
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return fail(ErrorKind::unavailable, "can not use {}: {}", interface, std::strerror(errno));
    return bus;
  }

  Status receive(Received& into) override {
    into.confirmed += sent_;
    sent_ = 0;
    for (int i = 0; i < kReadsPerWake; ++i) {
      canfd_frame raw{};
      const ssize_t count = read(fd_.get(), &raw, sizeof raw);
      if (count < 0 && (errno == EAGAIN || errno == EINTR)) return {};
      if (count <= 0) return fail(ErrorKind::unavailable, "reading the interface fails: {}", std::strerror(errno));
      into.bytes += static_cast<std::size_t>(count);
      if (count != CAN_MTU && count != CANFD_MTU) {
        ++into.garbage;
        continue;
      }
      if ((raw.can_id & CAN_ERR_FLAG) != 0) continue;
      Frame frame;
      frame.extended = (raw.can_id & CAN_EFF_FLAG) != 0;
      frame.id = raw.can_id & (frame.extended ? CAN_EFF_MASK : CAN_SFF_MASK);
      frame.remote = (raw.can_id & CAN_RTR_FLAG) != 0;
      frame.fd = count == CANFD_MTU;
      frame.size = std::min<std::uint8_t>(raw.len, frame.fd ? 64 : 8);
      std::copy_n(raw.data, frame.size, frame.data.begin());
      into.frames.push_back(frame);
    }
    return {};
  }

  Status send(const Frame& frame) override {
    can_frame raw{};
    raw.can_id = frame.id | (frame.extended ? CAN_EFF_FLAG : 0u) | (frame.remote ? CAN_RTR_FLAG : 0u);
    raw.can_dlc = frame.size;
    std::copy_n(frame.data.begin(), std::min<std::size_t>(frame.size, 8), raw.data);
    if (write(fd_.get(), &raw, sizeof raw) != sizeof raw)
      return fail(ErrorKind::unavailable, "the interface takes no frame: {}", std::strerror(errno));
    ++sent_;
    return {};
  }
  [[nodiscard]] int fd() const override { return fd_.get(); }

 private:
  const Descriptor fd_;
  std::size_t sent_ = 0;
};

Result<speed_t> speed_of(int baud) {
  constexpr std::array<std::pair<int, speed_t>, 14> kSpeeds{{{9600, B9600},
                                                             {19200, B19200},
                                                             {38400, B38400},
                                                             {57600, B57600},
                                                             {115200, B115200},
                                                             {230400, B230400},
                                                             {460800, B460800},
                                                             {500000, B500000},
                                                             {921600, B921600},
                                                             {1000000, B1000000},
                                                             {1500000, B1500000},
                                                             {2000000, B2000000},
                                                             {3000000, B3000000},
                                                             {4000000, B4000000}}};
  for (const auto& [number, speed] : kSpeeds)
    if (number == baud) return speed;
  return fail(ErrorKind::bad_input, "a serial line has no speed of {}", baud);
}

// An adapter that speaks slcan. The first three commands set it up; their answers come before those to frames.
class SlcanBus final : public Bus {
 public:
  explicit SlcanBus(int fd) : fd_(fd) {}

  static Result<std::unique_ptr<Bus>> open(const Settings& settings) {
    ALARA_TRY(const speed_t speed, speed_of(settings.serial_baud));
    const int fd = ::open(settings.endpoint.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return fail(ErrorKind::unavailable, "can not open {}: {}", settings.endpoint, std::strerror(errno));
    auto bus = std::make_unique<SlcanBus>(fd);
    termios line{};
    if (tcgetattr(fd, &line) != 0)
      return fail(ErrorKind::unavailable, "{} is no serial line: {}", settings.endpoint, std::strerror(errno));
    cfmakeraw(&line);
    line.c_cflag |= CLOCAL | CREAD;
    cfsetspeed(&line, speed);
    if (tcsetattr(fd, TCSANOW, &line) != 0)
      return fail(ErrorKind::unavailable, "can not set up {}: {}", settings.endpoint, std::strerror(errno));
    tcflush(fd, TCIOFLUSH);
    const std::string setup = {'C', '\r', 'S', settings.bitrate, '\r', 'O', '\r'};
    ALARA_CHECK(bus->put(setup));
    return bus;
  }

  Status receive(Received& into) override {
    std::array<std::uint8_t, 4096> buffer;
    for (int i = 0; i < kReadsPerWake; ++i) {
      const ssize_t count = read(fd_.get(), buffer.data(), buffer.size());
      if (count < 0 && (errno == EAGAIN || errno == EINTR)) return {};
      if (count <= 0)
        return fail(ErrorKind::unavailable, "the adapter is gone{}{}", count < 0 ? ": " : "",
                    count < 0 ? std::strerror(errno) : "");
      into.bytes += static_cast<std::size_t>(count);
      std::span<const std::uint8_t> bytes(buffer.data(), static_cast<std::size_t>(count));
      while (const auto item = reader_.next(bytes)) ALARA_CHECK(sort(*item, into));
      if (static_cast<std::size_t>(count) < buffer.size()) return {};
    }
    return {};
  }

  Status send(const Frame& frame) override {
    ALARA_TRY(const std::string line, wire::can::slcan_line(frame));
    return put(line);
  }
  [[nodiscard]] int fd() const override { return fd_.get(); }

 private:
  static constexpr int kSetupCommands = 3;  // close, speed, open

  Status put(std::string_view text) {
    const ssize_t count = write(fd_.get(), text.data(), text.size());
    if (count == static_cast<ssize_t>(text.size())) return {};
    return fail(ErrorKind::unavailable, "the adapter takes no more bytes");
  }

  Status sort(const SlcanReader::Item& item, Received& into) {
    using Kind = SlcanReader::Kind;
    switch (item.kind) {
      case Kind::frame:
        into.frames.push_back(item.frame);
        break;
      case Kind::sent:
        ++into.confirmed;
        break;
      case Kind::done:
      case Kind::refused:
        // To close what was not open may be refused.
        if (answered_ < kSetupCommands) {
          if (item.kind == Kind::refused && answered_ > 0)
            return fail(ErrorKind::refused, "the adapter refuses to {}", answered_ == 1 ? "set this bitrate" : "open");
          ++answered_;
        } else {
          ++(item.kind == Kind::done ? into.confirmed : into.refused);
        }
        break;
      case Kind::garbage:
        ++into.garbage;
        break;
      case Kind::other:
        break;
    }
    return {};
  }

  const Descriptor fd_;
  SlcanReader reader_;
  int answered_ = 0;
};

}  // namespace

void Bus::Received::clear() {
  frames.clear();
  confirmed = refused = garbage = bytes = 0;
}

Result<std::unique_ptr<Bus>> open_bus(const Settings& settings) {
  return settings.bus == BusKind::socketcan ? SocketCanBus::open(settings.endpoint) : SlcanBus::open(settings);
}

}  // namespace alara::can
