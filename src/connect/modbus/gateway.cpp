// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/gateway.hpp"

#include <algorithm>

namespace alara::modbus {
namespace {

constexpr Nanos kListenAgain = kSecond;

}  // namespace

wire::ModbusRequest Relayed::request() const {
  wire::ModbusRequest request;
  ALARA_ASSERT(wire::parse_request(std::span(pdu).first(size), request) == wire::ModbusException::none,
               "what is relayed was parsed before");
  return request;
}

GatewayServer::GatewayServer(IoLoop& loop, Clock& clock, const Gateway& settings, Telemetry& telemetry,
                             std::function<void()> wake)
    : loop_(loop), clock_(clock), settings_(settings), telemetry_(telemetry), wake_(std::move(wake)), server_(loop) {}

GatewayServer::~GatewayServer() { loop_.cancel(timer_); }

void GatewayServer::begin() {
  timer_ = IoLoop::TimerId::none;
  const auto listening = server_.listen(settings_.listen.host, settings_.listen.port, *this);
  if (listening) return telemetry_.gateway.clear_error();
  telemetry_.gateway.set_error(fmt::format("gateway: {}", listening.error().message));
  count(telemetry_.stats.errors);
  timer_ = loop_.at(clock_.monotonic() + kListenAgain, [this] { begin(); });
}

void GatewayServer::set_connected(bool connected) {
  connected_ = connected;
  while (!connected && !queue_.empty()) failed(queue_.pop_front(), wire::ModbusException::gateway_path);
}

bool GatewayServer::next(Relayed& relayed) {
  if (queue_.empty()) return false;
  relayed = queue_.pop_front();
  return true;
}

void GatewayServer::answered(const Relayed& relayed, std::span<const std::uint8_t> pdu) {
  count(telemetry_.relayed);
  server_.reply(relayed.ticket, pdu);
}

void GatewayServer::failed(const Relayed& relayed, wire::ModbusException exception) {
  server_.refuse(relayed.ticket, exception);
}

void GatewayServer::relay(const Ticket& ticket, std::span<const std::uint8_t> pdu) {
  using wire::ModbusException;
  if (!connected_) return server_.refuse(ticket, ModbusException::gateway_path);
  if (!settings_.writes && !wire::is_read(static_cast<wire::ModbusFunction>(ticket.function)))
    return server_.refuse(ticket, ModbusException::illegal_function);
  if (ticket.unit == 0) return server_.refuse(ticket, ModbusException::gateway_target);  // nobody answers a broadcast
  if (queue_.full()) return server_.refuse(ticket, ModbusException::busy);
  Relayed relayed;
  relayed.ticket = ticket;
  relayed.size = static_cast<std::uint8_t>(pdu.size());
  std::ranges::copy(pdu, relayed.pdu.begin());
  queue_.push_back(relayed);
  wake_();
}

}  // namespace alara::modbus
