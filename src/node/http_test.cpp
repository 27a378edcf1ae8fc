// SPDX-License-Identifier: Apache-2.0
#include "node/http.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

namespace alara::node {
namespace {

std::vector<HttpRoute> routes() {
  return {{"GET", "/hello",
           [](const HttpRequest& request) {
             const auto name = request.query.find("name");
             return HttpReply{200, "text/plain", "hello " + (name == request.query.end() ? "you" : name->second)};
           }},
          {"POST", "/echo", [](const HttpRequest& request) {
             return HttpReply{422, "text/plain", request.body};
           }}};
}

std::unique_ptr<HttpServer> start() {
  auto server = HttpServer::start("127.0.0.1:0", routes());
  if (!server) {
    ADD_FAILURE() << server.error().text();
    return nullptr;
  }
  return std::move(*server);
}

// Sends bytes as they are; the first line of the answer.
std::string raw(int port, const std::string& bytes) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  shutdown(fd, SHUT_WR);
  std::string answer;
  char buffer[4096];
  for (ssize_t n = 0; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;) answer.append(buffer, static_cast<std::size_t>(n));
  close(fd);
  return answer.substr(0, answer.find("\r\n"));
}

TEST(Http, RoutesGetAndPostWithQueryAndBody) {
  const auto server = start();
  httplib::Client client("127.0.0.1", server->port());
  EXPECT_EQ(client.Get("/hello")->body, "hello you");
  EXPECT_EQ(client.Get("/hello?name=a%20b&x=1")->body, "hello a b");
  const auto echoed = client.Post("/echo", "some body", "text/plain");
  EXPECT_EQ(echoed->status, 422);
  EXPECT_EQ(echoed->body, "some body");
}

TEST(Http, BadRequestsAreAnsweredAndHarmNothing) {
  const auto server = start();
  httplib::Client client("127.0.0.1", server->port());
  EXPECT_EQ(client.Get("/nowhere")->status, 404);
  EXPECT_EQ(client.Post("/hello", "", "text/plain")->status, 404);
  EXPECT_EQ(client.Delete("/hello")->status, 404);
  const std::string answer = raw(server->port(), "no http at all\r\n\r\n").substr(0, 12);
  EXPECT_TRUE(answer.empty() || answer == "HTTP/1.1 400") << answer;
  raw(server->port(), std::string("\0\xff\x01", 3));
  raw(server->port(), "GET /hello HTTP/1.1\r\nContent-Length: -5\r\n\r\n");
  raw(server->port(), "");
  EXPECT_EQ(client.Get("/hello?" + std::string(20000, 'x')).value().status, 414);
  EXPECT_EQ(client.Get("/hello")->body, "hello you");
}

TEST(Http, ABodyOverTheLimitIsRefused) {
  const auto server = start();
  httplib::Client client("127.0.0.1", server->port());
  const auto refused = client.Post("/echo", std::string((1 << 20) + 1, 'x'), "text/plain");
  if (refused) EXPECT_EQ(refused->status, 413);  // or the connection was closed while it was still being sent
  EXPECT_EQ(client.Post("/echo", std::string(1000, 'x'), "text/plain")->body.size(), 1000u);
}

TEST(Http, TwoServersCanNotShareAPort) {
  const auto server = start();
  const std::string address = "127.0.0.1:" + std::to_string(server->port());
  const auto second = HttpServer::start(address, routes());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().text(), "http: can not listen on " + address + "; is another node running there?");
}

TEST(Http, APortCanBeTakenAgainAtOnce) {
  auto server = start();
  const std::string address = "127.0.0.1:" + std::to_string(server->port());
  httplib::Client("127.0.0.1", server->port()).Get("/hello");
  server.reset();
  EXPECT_TRUE(HttpServer::start(address, routes()).has_value());
}

TEST(Http, AnAddressWithoutAPortIsRefused) {
  for (const char* address : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:-1", "127.0.0.1:65536", "127.0.0.1:http"}) {
    const auto server = HttpServer::start(address, {});
    ASSERT_FALSE(server.has_value()) << address;
    EXPECT_EQ(server.error().kind, ErrorKind::bad_input) << address;
  }
}

}  // namespace
}  // namespace alara::node
