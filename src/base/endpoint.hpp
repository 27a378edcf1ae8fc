// SPDX-License-Identifier: Apache-2.0
// Where a device listens, and finding its socket address without blocking the I/O loop.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/io_loop.hpp"
#include "base/result.hpp"

namespace alara {

struct Endpoint {
  std::string host;  // a name, an IPv4 or an IPv6 address
  std::uint16_t port = 0;

  [[nodiscard]] std::string text() const;  // "10.0.0.5:502"
};

// "tcp://10.0.0.5:502", "tcp://plc.local", "tcp://[::1]:5020", for scheme "tcp". `port` where the text has none.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text, std::string_view scheme, std::uint16_t port);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// For hosts given as numbers; fails with not_found for names.
[[nodiscard]] Result<SocketAddress> numeric_address(const Endpoint& endpoint);
// All addresses of the host, at least one. Asks the system; may block for seconds.
[[nodiscard]] Result<std::vector<SocketAddress>> resolve_blocking(const Endpoint& endpoint);

// Resolves names on a thread of its own, which is left behind when the resolver is destroyed: the system's resolver can
// not be interrupted. One question at a time: while a thread is still asking, new questions fail. Confined to the
// loop's thread.
class Resolver {
 public:
  using Done = std::function<void(Result<std::vector<SocketAddress>>)>;

  explicit Resolver(IoLoop& loop);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Calls `done` later on the loop's thread, unless cancelled before.
  void resolve(const Endpoint& endpoint, Done done);
  void cancel();

 private:
  struct Question;
  IoLoop& loop_;
  std::shared_ptr<Question> question_;
  std::shared_ptr<std::atomic<bool>> asking_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace alara
