// SPDX-License-Identifier: Apache-2.0
// A serial line from a client to its units: one request at a time, framed as RTU, with the silences that the line's
// speed asks for. An answer is taken as soon as its last byte is there. A line that carries more noise than its speed
// allows is given up like a broken connection.
#pragma once

#include <array>

#include "connect/modbus/link.hpp"
#include "connect/modbus/serial_port.hpp"
#include "wire/modbus_rtu.hpp"

namespace alara::modbus {

class SerialLink final : public Link {
 public:
  SerialLink(IoLoop& loop, Clock& clock, SerialLine line, Owner& owner, Telemetry& telemetry);
  ~SerialLink() override = default;
  SerialLink(const SerialLink&) = delete;
  SerialLink& operator=(const SerialLink&) = delete;

  void open() override;
  void close() override;
  [[nodiscard]] bool up() const override { return port_ != nullptr; }
  Nanos send(const Outgoing& out) override;
  [[nodiscard]] Nanos quiet_until() const override { return quiet_until_; }

 private:
  void open_now();
  void write_request();
  void end_of_sending();
  void receive();
  [[nodiscard]] std::size_t strip_echo(std::span<std::uint8_t> bytes);
  void hand_over(Nanos arrival);
  void on_silence();
  [[nodiscard]] bool babbles(Nanos now);
  void fail_link(ErrorKind kind, std::string why);
  void set_timer(IoLoop::TimerId& timer, Nanos at, void (SerialLink::*task)());
  void cancel(IoLoop::TimerId& timer);

  IoLoop& loop_;
  Clock& clock_;
  const SerialLine line_;
  const wire::RtuTiming timing_;
  Owner& owner_;
  Telemetry& telemetry_;
  std::unique_ptr<SerialPort> port_;
  wire::RtuReader reader_{wire::RtuReader::Side::answers};

  // The request that was sent last.
  std::array<std::uint8_t, wire::kMaxRtuFrame> sent_{};
  std::size_t sent_size_ = 0;
  std::size_t echoed_ = 0;  // bytes of it that came back; sent_size_ when no more will
  bool waiting_ = false;    // for its answer
  std::uint16_t transaction_ = 0;
  std::uint8_t unit_ = 0;
  std::uint8_t function_ = 0;

  Nanos quiet_until_ = 0;
  std::uint64_t noise_ = 0, damaged_ = 0;  // of the reader, as seen last
  std::uint64_t noise_of_second_ = 0;      // since second_
  Nanos second_ = 0;
  IoLoop::TimerId opening_ = IoLoop::TimerId::none;
  IoLoop::TimerId sending_ = IoLoop::TimerId::none;  // RTS before and after
  IoLoop::TimerId silence_ = IoLoop::TimerId::none;
};

}  // namespace alara::modbus
