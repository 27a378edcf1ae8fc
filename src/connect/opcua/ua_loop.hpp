// SPDX-License-Identifier: Apache-2.0
// open62541 1.4 in several threads: each client and server has an event loop of its own, but what they compute while
// they add a cyclic timer lies in variables that all loops share. Two threads at the same instant could give each
// other's times to their timers. Here they take turns. Internal to connect/opcua; for tests and benchmarks too.
//
// And in a thread that has to end: requests wait for their answers within the library, as long as their time limit.
#pragma once

#include <open62541/server.h>

#include <functional>

#include "base/clock.hpp"

namespace alara::opcua {

// UA_Server_newWithConfig and UA_Client_newWithConfig, for every server and client.
[[nodiscard]] UA_Server* new_server(UA_ServerConfig& config);
[[nodiscard]] UA_Client* new_client(UA_ClientConfig& config);

// While one lives, the requests that clients make on its thread fail with BadShutdown, rather than wait on, soon after
// `stopped` has become true: kGrace for answers that are on their way, and a step of 20 ms. Closing connections is not
// cut short. One at a time for each thread.
class StoppableWaits {
 public:
  static constexpr Nanos kGrace = 200 * kMillisecond;

  StoppableWaits(std::function<bool()> stopped, Clock& clock);
  ~StoppableWaits();
  StoppableWaits(const StoppableWaits&) = delete;
  StoppableWaits& operator=(const StoppableWaits&) = delete;

  [[nodiscard]] bool over();

 private:
  const std::function<bool()> stopped_;
  Clock& clock_;
  Nanos end_ = kNever;  // once stopped
};

}  // namespace alara::opcua
