// SPDX-License-Identifier: Apache-2.0
// One TCP connection from a client to a device: connects without blocking, sends whole frames, hands over whole frames.
// Bytes that are no Modbus end it.
#pragma once

#include <span>
#include <vector>

#include "base/endpoint.hpp"
#include "connect/modbus/link.hpp"

namespace alara::modbus {

class TcpLink final : public Link {
 public:
  TcpLink(IoLoop& loop, Clock& clock, Endpoint endpoint, Nanos timeout, Owner& owner, ConnectorStats& stats);
  ~TcpLink() override;
  TcpLink(const TcpLink&) = delete;
  TcpLink& operator=(const TcpLink&) = delete;

  void open() override;
  void close() override;
  [[nodiscard]] bool up() const override { return state_ == State::up; }
  Nanos send(const Outgoing& out) override;

 private:
  enum class State : std::uint8_t { closed, resolving, connecting, up };

  void connect_to(const SocketAddress& address);
  void on_event(std::uint32_t events);
  void on_connected();
  void receive();
  void send(std::span<const std::uint8_t> frame);
  void flush();
  void fail_link(ErrorKind kind, std::string why);
  void watch();

  IoLoop& loop_;
  Clock& clock_;
  const Endpoint endpoint_;
  const Nanos timeout_;
  Owner& owner_;
  ConnectorStats& stats_;
  Resolver resolver_;
  wire::ModbusFrameReader reader_;
  std::vector<std::uint8_t> unsent_;
  int fd_ = -1;
  State state_ = State::closed;
  std::size_t attempt_ = 0;
  IoLoop::TimerId timer_ = IoLoop::TimerId::none;  // limit of connecting
};

}  // namespace alara::modbus
