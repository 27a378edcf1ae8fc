// SPDX-License-Identifier: Apache-2.0
#include "base/endpoint.hpp"

#include <netdb.h>

#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/quantity.hpp"

namespace alara {
namespace {

constexpr std::size_t kLongestHost = 253;  // of a DNS name

Result<std::vector<SocketAddress>> ask(const Endpoint& endpoint, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found);
  if (error != 0) return fail(ErrorKind::not_found, "host '{}' is not known: {}", endpoint.host, gai_strerror(error));
  std::vector<SocketAddress> addresses;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    SocketAddress& address = addresses.emplace_back();
    std::memcpy(&address.storage, info->ai_addr, info->ai_addrlen);
    address.size = info->ai_addrlen;
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

std::string Endpoint::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

Result<Endpoint> parse_endpoint(std::string_view text, std::string_view scheme, std::uint16_t port) {
  const auto refuse = [&](std::string_view why) {
    return tl::unexpected<Error>(Error{ErrorKind::bad_input,
                                       fmt::format("endpoint '{}' {}", text, why),
                                       {},
                                       fmt::format("write {0}://host:port, e.g. {0}://10.0.0.5:{1}", scheme, port)});
  };
  const std::string begin = fmt::format("{}://", scheme);
  if (!text.starts_with(begin)) return refuse(fmt::format("does not begin with {}", begin));
  std::string_view rest = text.substr(begin.size());
  Endpoint endpoint;
  endpoint.port = port;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return refuse("has no ']'");
    endpoint.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  } else {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    endpoint.host = rest.substr(0, end);
    rest.remove_prefix(end);
  }
  if (endpoint.host.empty() || endpoint.host.size() > kLongestHost) return refuse("has no usable host");
  if (endpoint.host.find_first_of("/@ \t") != std::string::npos || endpoint.host.find('\0') != std::string::npos)
    return refuse("has a host that can not be one");
  if (rest.empty()) return endpoint;
  if (rest.front() != ':') return refuse("has something else than :port after its host");
  const auto number = parse_integer(rest.substr(1));
  if (!number || *number < 1 || *number > 65535) return refuse("has no port from 1 to 65535");
  endpoint.port = static_cast<std::uint16_t>(*number);
  return endpoint;
}

Result<SocketAddress> numeric_address(const Endpoint& endpoint) {
  ALARA_TRY(const auto addresses, ask(endpoint, AI_NUMERICHOST));
  return addresses.front();
}
Result<std::vector<SocketAddress>> resolve_blocking(const Endpoint& endpoint) { return ask(endpoint, 0); }

// Shared by the asker and the thread that asks; whoever is last frees it.
struct Resolver::Question {
  std::mutex mutex;        // guards `loop`
  IoLoop* loop = nullptr;  // null once nobody waits any more
  Done done;               // used on the loop's thread only
};

Resolver::Resolver(IoLoop& loop) : loop_(loop) {}
Resolver::~Resolver() { cancel(); }

void Resolver::cancel() {
  if (!question_) return;
  const std::lock_guard lock(question_->mutex);
  question_->loop = nullptr;
  question_->done = nullptr;
}

void Resolver::resolve(const Endpoint& endpoint, Done done) {
  cancel();
  question_ = std::make_shared<Question>();
  question_->loop = &loop_;
  question_->done = std::move(done);
  const auto answer = [](const std::shared_ptr<Question>& question, Result<std::vector<SocketAddress>> addresses) {
    const std::lock_guard lock(question->mutex);
    if (question->loop == nullptr) return;
    question->loop->post([question, addresses = std::move(addresses)]() mutable {
      if (question->done) std::exchange(question->done, nullptr)(std::move(addresses));
    });
  };
  if (const auto address = numeric_address(endpoint)) return answer(question_, std::vector{*address});
  if (asking_->exchange(true))
    return answer(question_, fail(ErrorKind::unavailable, "host '{}' is still being looked up", endpoint.host));
  try {
    std::thread([question = question_, asking = asking_, endpoint, answer] {
      auto addresses = resolve_blocking(endpoint);
      asking->store(false);
      answer(question, std::move(addresses));
    }).detach();
  } catch (const std::system_error& error) {
    asking_->store(false);
    answer(question_,
           fail(ErrorKind::exhausted, "can not start a thread to look '{}' up: {}", endpoint.host, error.what()));
  }
}

}  // namespace alara
