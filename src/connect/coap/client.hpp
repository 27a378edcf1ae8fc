// SPDX-License-Identifier: Apache-2.0
// A client of one device: observes or polls its resources, writes commands and published values to them, asks it for a
// sign of life, and connects again. Confined to the loop's thread.
#pragma once

#include <deque>
#include <functional>
#include <unordered_map>

#include "base/backoff.hpp"
#include "connect/coap/bindings.hpp"
#include "connect/coap/engine.hpp"
#include "connect/coap/telemetry.hpp"

namespace alara::coap {

class Client final : public Session {
 public:
  // `telemetry` and the context outlive it.
  Client(const Settings& settings, Bindings bindings, const ConnectorContext& context, std::uint64_t seed,
         std::shared_ptr<Telemetry> telemetry);

  void begin() override;
  void end() override;
  bool publish(std::string_view path, std::string_view payload) override;

 private:
  static constexpr std::size_t kNone = SIZE_MAX;
  struct Route {
    std::string path;
    std::vector<SignalId> signals;
    Nanos poll = 0;
    bool observe = false;
    std::uint64_t token = 0;  // of the request under way, or of the observation; 0: none
    int failures = 0;         // answers in a row that did not come
    Nanos asked = 0;          // when the last request was sent
    Nanos due = 0;            // of the next
    bool bad = false;         // the last samples were
    std::uint32_t sequence = 0;
    Nanos sequence_at = 0;
  };
  // What an answer is for.
  struct Exchange {
    std::size_t route = kNone;         // a read
    std::optional<Command> command{};  // a write, or its read-back
    bool reading_back = false;
    std::optional<OutletSample> outlet{};
    Nanos deadline = kNever;
    bool counted = false;  // among reads_
    std::string body{};    // in blocks so far
  };
  using Exchanges = std::unordered_map<std::uint64_t, Exchange>;

  // Handlers of libcoap. of() is nullptr for sessions that are over.
  static Client* of(coap_session_t* session);
  static coap_response_t on_response(coap_session_t*, const coap_pdu_t*, const coap_pdu_t* received, coap_mid_t);
  static void on_nack(coap_session_t* session, const coap_pdu_t* sent, coap_nack_reason_t reason, coap_mid_t);
  static void on_pong(coap_session_t* session, const coap_pdu_t*, coap_mid_t);
  static int on_event(coap_session_t* session, coap_event_t event);

  void connect();
  void connect_to(const SocketAddress& address);
  void disconnect();
  void after_turn();
  [[nodiscard]] std::string without_session(std::string_view what) const;
  void lost(std::string why);  // from a handler: the rest happens after the turn
  void go_down();
  void alive();
  [[nodiscard]] bool connected() const { return telemetry_->stats.connected.load(std::memory_order_relaxed); }

  void wake_at(Nanos instant);
  void work();  // sends what is due, and sets the timer
  void advance(Nanos now);
  void read_due(Nanos now);
  void read(std::size_t route, Nanos now);
  void take_commands();
  void write_next(Nanos now);
  void take_outlets();
  void publish_next(Nanos now);
  void read_over(Exchange& exchange);
  [[nodiscard]] bool start(Exchange exchange, Request request, std::uint64_t token);
  void expire(Nanos now);

  void answered(std::uint64_t token, const coap_pdu_t* answer);
  void route_answered(std::uint64_t token, Exchange& exchange, const coap_pdu_t* answer);
  [[nodiscard]] static bool is_fresh(Route& route, std::uint32_t sequence, Nanos now);
  void command_answered(Exchange exchange, coap_pdu_code_t code);
  void outlet_answered(coap_pdu_code_t code);
  void failed(Exchange exchange, std::string_view why, Outcome outcome);
  void refused(std::string_view method, std::string_view path, coap_pdu_code_t code);
  void spoil(Route& route);
  void acknowledge(const Command& command, Outcome outcome, double read_back = 0);

  const Settings settings_;
  Bindings bindings_;
  const ConnectorContext context_;
  IoLoop& loop_;
  Clock& clock_;
  std::shared_ptr<Telemetry> telemetry_;
  Resolver resolver_;
  Backoff backoff_;
  std::unique_ptr<Engine> engine_;
  coap_session_t* session_ = nullptr;

  std::vector<Route> routes_;
  Exchanges exchanges_;
  std::uint64_t next_token_;
  std::size_t reads_ = 0;  // under way; observations that stand are none
  // One command and one value at a time: what is sent later must not be overtaken.
  std::deque<Command> commands_;
  bool writing_ = false;
  std::deque<OutletSample> outlets_;
  bool publishing_ = false;
  Nanos heard_ = 0;               // the last sign of life
  bool heard_something_ = false;  // in this turn
  Nanos ping_deadline_ = 0;       // 0: none is under way
  std::optional<std::string> lost_;
  IoLoop::TimerId timer_ = IoLoop::TimerId::none;
  IoLoop::TimerId reconnect_ = IoLoop::TimerId::none;
  bool ended_ = false;
};

}  // namespace alara::coap
