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
#include "connect/mqtt/router.hpp"
#include "connect/mqtt/settings.hpp"

namespace alara::mqtt {

// What happens on a connection; called on the loop's thread.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  virtual void logged_in() = 0;
  virtual void received(std::string_view topic, std::span<const std::uint8_t> payload, bool retained) = 0;
  // The broker's answer to publish() number `id` (QoS 1), or that it went out (QoS 0). May come from within publish().
  virtual void published(int id, bool accepted) = 0;
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
};

class Connection {
 public:
  // Confined to the loop's thread, as all of it. `settings`, `loop` and `events` outlive the connection.
  Connection(const Settings& settings, IoLoop& loop, Clock& clock, ConnectionEvents& events);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Begins to connect; the outcome comes as logged_in() or lost().
  Status dial();
  // Asks for `filters` in as few packets as the protocol allows.
  Status subscribe(std::span<const std::string> filters);
  // Hands one message to the socket. `id` is set before any answer can come.
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
