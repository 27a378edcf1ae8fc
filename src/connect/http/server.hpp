// SPDX-License-Identifier: Apache-2.0
// The listening side: checks token and size, hands bodies to the intake one at a time, and answers with the receipt.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "connect/http/intake.hpp"
#include "connect/http/settings.hpp"

namespace alara::http {

class PushServer {
 public:
  // Listens at once. `intake`, `inlet`, `stats` outlive it.
  [[nodiscard]] static Result<std::unique_ptr<PushServer>> start(const Settings& settings, Intake& intake, Inlet& inlet,
                                                                 Clock& clock, ConnectorStats& stats);
  ~PushServer();  // ends within a second
  PushServer(const PushServer&) = delete;
  PushServer& operator=(const PushServer&) = delete;

 private:
  struct State;
  explicit PushServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace alara::http
