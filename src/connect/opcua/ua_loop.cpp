// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/ua_loop.hpp"

#include <mutex>

namespace alara::opcua {
namespace {

// The library's state is the program's, so what guards it is, too.
std::mutex timers_mutex;
decltype(UA_EventLoop::addCyclicCallback) add_unguarded = nullptr;  // guarded by it

// The loop's own lock comes first: its thread may hold it already when it adds a timer.
UA_StatusCode add_guarded(UA_EventLoop* loop, UA_Callback callback, void* application, void* data, UA_Double interval,
                          UA_DateTime* base, UA_TimerPolicy policy, UA_UInt64* id) {
  loop->lock(loop);
  UA_StatusCode status = UA_STATUSCODE_GOOD;
  {
    const std::lock_guard lock(timers_mutex);
    status = add_unguarded(loop, callback, application, data, interval, base, policy, id);
  }
  loop->unlock(loop);
  return status;
}

void guard_timers(UA_EventLoop& loop) {
  if (loop.addCyclicCallback == &add_guarded) return;
  const std::lock_guard lock(timers_mutex);
  add_unguarded = loop.addCyclicCallback;  // the same for all of this kind
  loop.addCyclicCallback = &add_guarded;
}

}  // namespace

UA_Server* new_server(UA_ServerConfig& config) {
  guard_timers(*config.eventLoop);
  return UA_Server_newWithConfig(&config);
}

UA_Client* new_client(UA_ClientConfig& config) {
  guard_timers(*config.eventLoop);
  return UA_Client_newWithConfig(&config);
}

}  // namespace alara::opcua
