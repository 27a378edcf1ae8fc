// SPDX-License-Identifier: Apache-2.0
// Resolving a name and opening a TCP connection can block for minutes and can not be interrupted; libmosquitto does
// both in one call. So the call runs on a thread of its own that nobody waits for: its result is collected when it is
// there, or thrown away when it comes too late. (DESIGN: a connector stops within one second.)
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "connect/mqtt/link_settings.hpp"

struct mosquitto;

namespace alara::mqtt {

struct ClientDeleter {
  void operator()(mosquitto* client) const;
};
using Client = std::unique_ptr<mosquitto, ClientDeleter>;

class Dialer {
 public:
  // Begins to connect a configured client. `settings` is copied where needed.
  [[nodiscard]] static Result<std::unique_ptr<Dialer>> start(Client client, const LinkSettings& settings);
  ~Dialer();  // at once, whatever the call does

  [[nodiscard]] int ready_fd() const;  // readable when collect() will not be empty-handed
  // The client once its TCP connection stands and CONNECT is sent, or why not.
  [[nodiscard]] Result<Client> collect();

 private:
  struct Shared;
  explicit Dialer(std::shared_ptr<Shared> shared);
  std::shared_ptr<Shared> shared_;
};

// A sentence for a result of libmosquitto; `saved_errno` counts when the result says so.
[[nodiscard]] std::string describe(int mosquitto_result, int saved_errno);

}  // namespace alara::mqtt
