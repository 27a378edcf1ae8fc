// SPDX-License-Identifier: Apache-2.0
// One TCP connection from a client to a device: connects without blocking, sends whole frames, hands over whole frames.
// Confined to the loop's thread. It judges the stream (corrupt headers end it), not the answers.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/io_loop.hpp"
#include "connect/modbus/endpoint.hpp"
#include "core/connector.hpp"
#include "wire/modbus.hpp"

namespace alara::modbus {

class Link {
 public:
  // Told by the link; may call send() and close() from within, but not destroy the link.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void link_up() = 0;
    virtual void link_down(const Error& why) = 0;  // after a failed open() too; the link is closed by then
    virtual void link_frame(const wire::ModbusFrame& frame, Nanos arrival) = 0;
    virtual void link_quiet() {}  // all frames that had arrived together are handed over
  };

  Link(IoLoop& loop, Clock& clock, Endpoint endpoint, Nanos timeout, Owner& owner, ConnectorStats& stats);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void open();   // link_up() or link_down() follows, never from within
  void close();  // silently
  [[nodiscard]] bool up() const { return state_ == State::up; }
  // Takes a whole frame. Bytes that the socket does not take at once are kept; a broken connection shows later.
  void send(std::span<const std::uint8_t> frame);

 private:
  enum class State : std::uint8_t { closed, resolving, connecting, up };

  void connect_to(const SocketAddress& address);
  void on_event(std::uint32_t events);
  void on_connected();
  void receive();
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
