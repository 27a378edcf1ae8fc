// SPDX-License-Identifier: Apache-2.0
// The node's small HTTP server: routes to functions, two worker threads, bounded requests. The library behind it stays
// in http.cpp.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace alara::node {

struct HttpRequest {
  std::string path;
  std::map<std::string, std::string> query;
  std::string body;
};

struct HttpReply {
  int status = 200;
  std::string type = "application/json";
  std::string body;
};

struct HttpRoute {
  std::string method;                                   // "GET" or "POST"
  std::string pattern;                                  // exact path
  std::function<HttpReply(const HttpRequest&)> handle;  // called on a server thread
};

class HttpServer {
 public:
  // `address` is host:port; port 0 takes a free one. Fails when it can not listen there.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(const std::string& address,
                                                                 std::vector<HttpRoute> routes);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] int port() const;

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace alara::node
