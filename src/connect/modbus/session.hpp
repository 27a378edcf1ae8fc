// SPDX-License-Identifier: Apache-2.0
// A running client: one connection, its transactions in flight, timeouts, pauses and reconnects. Writes go before
// reads; a gateway's requests and our polls take turns. Confined to the loop's thread, but for creation and
// destruction.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "base/backoff.hpp"
#include "connect/modbus/gateway.hpp"
#include "connect/modbus/link.hpp"
#include "connect/modbus/poller.hpp"
#include "connect/modbus/writer.hpp"

namespace alara::modbus {

class Session final : public Link::Owner {
 public:
  Session(const Settings& settings, std::vector<Tag> tags, std::vector<Actuator> actuators, std::uint64_t name_hash,
          const ConnectorContext& context, std::shared_ptr<Telemetry> telemetry);

  void begin();
  void end();  // acknowledges what waits, closes; nothing of this session is left with the loop

 private:
  enum class Kind : std::uint8_t { poll, write, relayed };
  struct Transaction {
    bool busy = false;
    Kind kind = Kind::poll;
    std::uint16_t id = 0;
    std::uint8_t unit = 0;
    Nanos deadline = 0;
    // By its kind, one of these.
    Poll* poll = nullptr;
    Write write;
    Relayed relayed;
    [[nodiscard]] wire::ModbusRequest request() const;
  };

  void link_up() override;
  void link_down(const Error& why) override;
  void link_frame(const wire::ModbusFrame& frame, Nanos arrival) override;
  void link_stray(std::uint8_t unit) override;
  void link_damaged(std::uint16_t transaction, Nanos arrival) override;
  void link_quiet() override;

  void on_commands();
  void on_timer();
  void dispatch();
  [[nodiscard]] bool take_next(Transaction& transaction, Nanos now);
  [[nodiscard]] bool take_relayed(Transaction& transaction);
  [[nodiscard]] bool take_poll(Transaction& transaction, Nanos now);
  void send(Transaction& transaction, Nanos now);
  void answered(Transaction& transaction, const wire::ModbusAnswer& answer, std::span<const std::uint8_t> pdu,
                Nanos arrival);
  void expire(Nanos now);
  void release(Transaction& transaction, Nanos now);
  void lose_all(Nanos now);
  [[nodiscard]] bool reads_in_flight() const;
  [[nodiscard]] Transaction* free_slot();
  [[nodiscard]] Transaction* in_flight(std::uint16_t id);
  void wake_at(Nanos instant);
  void rest();
  void reconnect_later();
  void disconnect(const Error& why);

  const Settings settings_;
  ConnectorContext context_;
  IoLoop& loop_;
  Clock& clock_;
  std::shared_ptr<Telemetry> telemetry_;
  Poller poller_;
  Writer writer_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<GatewayServer> gateway_;  // where the site file asks for one
  bool relayed_last_ = false;
  Backoff backoff_;  // restarts with every good answer

  std::array<Transaction, kMostInFlight> transactions_;
  std::size_t in_flight_ = 0;
  std::uint16_t next_id_ = 1;
  std::array<std::uint32_t, 32> expired_{};  // ids + 1 of the last transactions that timed out
  std::size_t next_expired_ = 0;
  int silent_timeouts_ = 0;  // in a row, without any good answer between
  Nanos not_before_ = 0;     // the pause after the last exchange ends here
  IoLoop::TimerId timer_ = IoLoop::TimerId::none;
  Nanos timer_at_ = kNever;
  IoLoop::TimerId reconnect_timer_ = IoLoop::TimerId::none;
  bool ended_ = false;
};

}  // namespace alara::modbus
