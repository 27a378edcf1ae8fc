// SPDX-License-Identifier: Apache-2.0
// Lets Modbus TCP clients reach the units behind a connector: their requests wait here until the session has a turn for
// them, and its answers go back as they are. Confined to the loop's thread, but for creation.
#pragma once

#include <functional>

#include "connect/modbus/ring.hpp"
#include "connect/modbus/server.hpp"
#include "connect/modbus/settings.hpp"
#include "connect/modbus/telemetry.hpp"

namespace alara::modbus {

// A client's request on its way.
struct Relayed {
  Ticket ticket;
  std::uint8_t size = 0;
  std::array<std::uint8_t, wire::kMaxModbusPdu> pdu{};

  // Its data point into this object.
  [[nodiscard]] wire::ModbusRequest request() const;
};

class GatewayServer final : public Relay {
 public:
  static constexpr std::size_t kMostQueued = 64;

  // `wake` is called when a request came in.
  GatewayServer(IoLoop& loop, Clock& clock, const Gateway& settings, Telemetry& telemetry, std::function<void()> wake);
  ~GatewayServer() override;

  void begin();  // listens; where the port is taken, tries again every second
  // Requests that wait, and all that come until it is true, are refused: the path is not there.
  void set_connected(bool connected);
  [[nodiscard]] bool next(Relayed& relayed);

  void answered(const Relayed& relayed, std::span<const std::uint8_t> pdu);
  void failed(const Relayed& relayed, wire::ModbusException exception);

 private:
  void relay(const Ticket& ticket, std::span<const std::uint8_t> pdu) override;

  IoLoop& loop_;
  Clock& clock_;
  const Gateway settings_;
  Telemetry& telemetry_;
  const std::function<void()> wake_;
  Server server_;
  Ring<Relayed> queue_{kMostQueued};
  bool connected_ = false;
  IoLoop::TimerId timer_ = IoLoop::TimerId::none;
};

}  // namespace alara::modbus
