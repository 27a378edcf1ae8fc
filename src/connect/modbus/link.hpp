// SPDX-License-Identifier: Apache-2.0
// The way from a client to its devices: a TCP connection or a serial line. It sends requests and hands over answers; it
// judges frames, not what they say. Confined to the loop's thread.
#pragma once

#include <memory>

#include "base/io_loop.hpp"
#include "connect/modbus/settings.hpp"
#include "connect/modbus/telemetry.hpp"
#include "wire/modbus.hpp"

namespace alara::modbus {

struct Outgoing {
  std::uint16_t transaction = 0;
  std::uint8_t unit = 0;
  wire::ModbusRequest request;
};

class Link {
 public:
  // Told by the link; may call send() and close() from within, but not destroy the link.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void link_up() = 0;
    virtual void link_down(const Error& why) = 0;  // after a failed open() too; the link is closed by then
    // An answer. Where answers carry no number, it is that of the request they fit.
    virtual void link_frame(const wire::ModbusFrame& frame, Nanos arrival) = 0;
    virtual void link_stray(std::uint8_t unit) { static_cast<void>(unit); }  // an answer that fits no request
    // The answer to this request came, but with a wrong checksum or cut off. It will not come again.
    virtual void link_damaged(std::uint16_t transaction, Nanos arrival) {
      static_cast<void>(transaction), static_cast<void>(arrival);
    }
    virtual void link_quiet() {}  // all frames that had arrived together are handed over
  };

  virtual ~Link() = default;
  virtual void open() = 0;   // link_up() or link_down() follows, never from within
  virtual void close() = 0;  // silently
  [[nodiscard]] virtual bool up() const = 0;
  // Takes a request; a broken connection shows later. Returns how long request and answer take on the line.
  virtual Nanos send(const Outgoing& out) = 0;
  // Until when the line must be left quiet before the next send().
  [[nodiscard]] virtual Nanos quiet_until() const { return 0; }
};

[[nodiscard]] std::unique_ptr<Link> make_link(const Settings& settings, IoLoop& loop, Clock& clock, Link::Owner& owner,
                                              Telemetry& telemetry);

}  // namespace alara::modbus
