// SPDX-License-Identifier: Apache-2.0
// One life of a connection to a broker, on libmosquitto: dial, log in, subscribe, receive, publish, until it is lost.
// A new connection is a new object, so that nothing unsent, above all no old command, survives a break.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/io_loop.hpp"
#include "base/result.hpp"
#include "connect/mqtt/link_settings.hpp"

namespace alara::mqtt {

// What the broker said at login that it can do (MQTT 5; for 3.1.1 what every broker can).
struct BrokerLimits {
  int qos = 1;
  bool retain = true;
  bool shared_subscriptions = true;
  bool wildcards = true;
  std::size_t packet = SIZE_MAX;          // bytes of the largest packet it takes
  std::size_t receive_maximum = 65'535;   // unanswered QoS 1 messages it takes
  std::uint16_t topic_alias_maximum = 0;  // topics it remembers by number
  bool session_present = false;           // it kept subscriptions and queue of an earlier connection
};

// The broker's answer to a message.
struct Answer {
  int id = 0;
  bool accepted = true;
  std::string why = {};  // when not accepted: its reason, in words
};

// What happens on a connection; called on the loop's thread.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  virtual void logged_in() = 0;
  virtual void received(std::string_view topic, std::span<const std::uint8_t> payload, bool retained) = 0;
  // The broker's answer to a publish() (QoS 1), or that it went out (QoS 0). May come from within publish().
  virtual void published(const Answer& answer) = 0;
  // Every filter has been granted or refused.
  virtual void subscribed() {}
  virtual void subscription_refused(std::string_view topic, std::string_view why) = 0;
  // Once, and last: the object may be destroyed after this call returns, not within it.
  virtual void lost(const Error& why) = 0;
};

struct Publication {
  std::string_view topic;
  std::string_view payload;
  int qos = 0;
  bool retain = false;
  Nanos expires_in = kNever;  // the broker drops it when undelivered after this time (MQTT 5, whole seconds)
  // Not 0: the broker learns or knows the topic by this number, which is at most its topic_alias_maximum.
  std::uint16_t alias = 0;
};

class Connection {
 public:
  // Confined to the loop's thread, as all of it. `settings`, `loop` and `events` outlive the connection.
  Connection(const LinkSettings& settings, IoLoop& loop, Clock& clock, ConnectionEvents& events);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Begins to connect; the outcome comes as logged_in() or lost().
  Status dial();
  [[nodiscard]] const BrokerLimits& limits() const;  // since logged_in()
  // Asks for `filters` in as few packets as the protocol allows.
  Status subscribe(std::span<const std::string> filters, int qos);
  // Hands one message to the socket, within the broker's limits: its QoS and retain are lowered to what the broker can,
  // and what is too large for it is refused (ErrorKind::exhausted). `id` is set before any answer can come.
  Status publish(const Publication& publication, int& id);
  // Says good-bye, so that the broker does not publish the will.
  void close();
  // True while bytes wait for the socket.
  [[nodiscard]] bool busy() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace alara::mqtt
