// SPDX-License-Identifier: Apache-2.0
#include "node/http.hpp"

#include <httplib.h>

#include <thread>

#include "base/quantity.hpp"

namespace alara::node {
namespace {

constexpr std::size_t kWorkers = 2;
constexpr std::size_t kMaxRequestBytes = 1 << 20;
constexpr std::time_t kTimeoutSeconds = 2;

}  // namespace

struct HttpServer::State {
  httplib::Server server;
  int port = 0;
  std::jthread thread;
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() { state_->server.stop(); }

int HttpServer::port() const { return state_->port; }

Result<std::unique_ptr<HttpServer>> HttpServer::start(const std::string& address, std::vector<HttpRoute> routes) {
  const std::size_t colon = address.rfind(':');
  const auto port =
      colon == std::string::npos ? fail(ErrorKind::bad_input, "") : parse_integer(address.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535)
    return fail(ErrorKind::bad_input, "http: '{}' is not host:port, as in 127.0.0.1:8090", address);
  auto state = std::make_unique<State>();
  state->server.new_task_queue = [] { return new httplib::ThreadPool(kWorkers); };
  // The library's default would let a second node listen on the same port and take a share of the requests.
  state->server.set_socket_options([](int socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  state->server.set_payload_max_length(kMaxRequestBytes);
  state->server.set_read_timeout(kTimeoutSeconds);
  state->server.set_write_timeout(kTimeoutSeconds);
  state->server.set_keep_alive_timeout(1);
  for (HttpRoute& route : routes) {
    auto handler = [handle = std::move(route.handle)](const httplib::Request& request, httplib::Response& response) {
      HttpRequest asked{request.path, {}, request.body};
      for (const auto& [name, value] : request.params) asked.query.emplace(name, value);
      HttpReply reply = handle(asked);
      response.status = reply.status;
      response.set_content(reply.body, reply.type);
    };
    if (route.method == "POST")
      state->server.Post(route.pattern, std::move(handler));
    else
      state->server.Get(route.pattern, std::move(handler));
  }
  const std::string host = address.substr(0, colon);
  const bool bound = *port == 0 ? (state->port = state->server.bind_to_any_port(host)) > 0
                                : state->server.bind_to_port(host, static_cast<int>(*port));
  if (!bound)
    return fail(ErrorKind::unavailable, "http: can not listen on {}; is another node running there?", address);
  if (*port != 0) state->port = static_cast<int>(*port);
  state->thread = std::jthread([server = &state->server] { server->listen_after_bind(); });
  while (!state->server.is_running()) std::this_thread::yield();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

}  // namespace alara::node
