// SPDX-License-Identifier: Apache-2.0
// The connector contract for what is pushed in by HTTP, and curl and Python as peers that are not ours.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "connect/http/http.hpp"
#include "tests/contract/push_harness.hpp"
#include "tests/contract/raw_socket.hpp"
#include "tests/contract/running_connector.hpp"

namespace alara::contract {
namespace {

constexpr const char* kPython = "/usr/bin/python3";

// Posts one reading; the answer's status, 0 when none came.
int post(int port, const std::string& path, const std::string& body) {
  const RawSocket socket(port);
  if (!socket.connected()) return 0;
  socket.send(fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}", path,
                          body.size(), body));
  const auto bytes = socket.receive();
  const std::string text(bytes.begin(), bytes.end());
  return text.starts_with("HTTP/1.1 ") ? std::atoi(text.c_str() + 9) : 0;
}

class HttpHarness final : public PushHarness {
 public:
  const Protocol& protocol() const override { return http::http_protocol(); }
  std::string options() const override { return fmt::format("listen: 127.0.0.1:{}\n", port()); }
  void send_garbage() override {
    for (const char* bytes : {"\x16\x03\x01", "GET\r\n\r\n", "POST /sensors/0 HTTP/1.1\r\nContent-Length: -5\r\n\r\n"})
      RawSocket(port()).send(bytes);
    EXPECT_EQ(post(port(), path_of(0), "{\"no"), 400);
  }
  std::vector<BadText> bad_options() const override {
    return {{"max_body: 1MB\n", "listen"},
            {"listen: 127.0.0.1\n", "host:port"},
            {"listen: 127.0.0.1:99999\n", "host:port"},
            {"to: ftp://a\n", "http://"},
            {"to: http://user@a\n", "to_token_file"},
            {"listen: 127.0.0.1:1\nprecision: h\n", "ms"}};
  }
  std::vector<BadText> bad_addresses() const override {
    return {{"sensors", "path"}, {"/a b", "space"}, {"/a#", "behind #"}, {"line:pump", "FIELD"}};
  }

 private:
  Push pusher() override {
    return [this](const std::string& path, const std::string& body) { return post(port(), path, body) == 204; };
  }
};

std::unique_ptr<ConnectorHarness> http_push() { return std::make_unique<HttpHarness>(); }
INSTANTIATE_TEST_SUITE_P(HttpPush, ConnectorContract, ::testing::Values(http_push));

std::string new_folder() {
  std::string folder = (std::filesystem::temp_directory_path() / "alara-http-XXXXXX").string();
  EXPECT_NE(mkdtemp(folder.data()), nullptr);
  return folder;
}

class HttpPeer : public RunningConnector {
 protected:
  HttpPeer() : RunningConnector(http::http_protocol(), new_folder()) {}
  ~HttpPeer() override { std::filesystem::remove_all(directory_); }
  // What a program printed.
  std::string said(std::vector<std::string> arguments) const {
    arguments[0] = find_program(arguments[0]);
    const std::string output = directory_ + "/said";
    const auto running = ChildProcess::start(arguments, output);
    EXPECT_TRUE(running && (*running)->wait(20 * kSecond) == 0);
    std::stringstream text;
    text << std::ifstream(output).rdbuf();
    return text.str();
  }
};

TEST_F(HttpPeer, CurlPushesJsonAndLineProtocol) {
  if (find_program("curl").empty()) GTEST_SKIP() << "curl is not installed";
  std::ofstream(directory_ + "/token") << "s3cret\n";
  const int port = free_loopback_port();
  start(fmt::format("listen: 127.0.0.1:{}\ntoken_file: token\n", port), {"/press/1#load", "line:pump,hall=a pressure"});
  ASSERT_TRUE(eventually([&] { return connected(); })) << connector_->last_error();
  const std::string place = fmt::format("http://127.0.0.1:{}", port);
  const std::vector<std::string> curl{"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"};
  const auto push = [&](const std::string& path, const std::string& body, const std::string& token) {
    std::vector<std::string> arguments = curl;
    arguments.insert(arguments.end(), {"-H", "Authorization: Bearer " + token, "--data-binary", body, place + path});
    return said(arguments);
  };
  EXPECT_EQ(push("/press/1", R"({"load":4.5})", "wrong"), "401");
  EXPECT_EQ(push("/press/1", R"({"load":4.5})", "s3cret"), "204");
  EXPECT_EQ(push("/api/v2/write?precision=s", "pump,hall=a pressure=8.5 1700000000", "s3cret"), "204");
  EXPECT_EQ(push("/press/1", "{", "s3cret"), "400");
  EXPECT_EQ(inlet_.last(0).value, 4.5);
  EXPECT_EQ(inlet_.last(1).value, 8.5);
  EXPECT_EQ(inlet_.last(1).time, 1'700'000'000 * kSecond);
}

// A hook made of Python's own server, which is busy at first.
TEST_F(HttpPeer, APythonHookTakesCommandsOnceItIsReady) {
  if (!std::filesystem::exists(kPython)) GTEST_SKIP() << "python3 is not installed";
  const int port = free_loopback_port();
  const std::string script = fmt::format(
      "import http.server\n"
      "tries = 0\n"
      "class Hook(http.server.BaseHTTPRequestHandler):\n"
      "    def do_POST(self):\n"
      "        global tries\n"
      "        tries += 1\n"
      "        body = self.rfile.read(int(self.headers['Content-Length'])).decode()\n"
      "        open('{}/hooked', 'a').write(self.path + ' ' + body + '\\n')\n"
      "        self.send_response(503 if tries == 1 else 204)\n"
      "        self.end_headers()\n"
      "    def log_message(self, *ignored): pass\n"
      "http.server.HTTPServer(('127.0.0.1', {}), Hook).serve_forever()\n",
      directory_, port);
  const auto hook = ChildProcess::start({kPython, "-c", script});
  ASSERT_TRUE(hook.has_value());
  ASSERT_TRUE(wait_for_listener(port, 10 * kSecond));
  start(fmt::format("to: http://127.0.0.1:{}/plant\n", port), {}, {"/valve/set"});
  ASSERT_TRUE(eventually([&] { return connected(); })) << connector_->last_error();
  commands_.send(ActuatorId{0}, 42.5);
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 1; }));
  EXPECT_EQ(commands_.acks()[0].outcome, Outcome::done);
  std::ifstream hooked(directory_ + "/hooked");
  std::vector<std::string> lines;
  for (std::string line; std::getline(hooked, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 2u);  // refused for the moment, then taken
  EXPECT_EQ(lines[0], lines[1]);
  EXPECT_TRUE(lines[0].starts_with("/plant/valve/set {\"value\":42.5")) << lines[0];
  EXPECT_EQ(connector_->stats().messages_out, 1u);
  EXPECT_EQ(connector_->stats().bytes_out, lines[0].size() - std::string_view("/plant/valve/set ").size());
  EXPECT_EQ(connector_->stats().errors, 1u);
}

}  // namespace
}  // namespace alara::contract
