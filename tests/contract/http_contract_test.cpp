// SPDX-License-Identifier: Apache-2.0
// The connector contract for what is pushed in by HTTP, and curl and Python as peers that are not ours.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/child_process.hpp"
#include "connect/http/http.hpp"
#include "tests/contract/connector_contract.hpp"
#include "tests/contract/raw_socket.hpp"

namespace alara::contract {
namespace {

constexpr int kSignals = 5;
constexpr const char* kPython = "/usr/bin/python3";

std::string path_of(int signal) { return fmt::format("/sensors/{}", signal); }

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

class HttpHarness final : public ConnectorHarness {
 public:
  const Protocol& protocol() const override { return http::http_protocol(); }
  void start_peer() override {
    ended_ = false;
    thread_ = std::jthread([this](const std::stop_token& stop) {
      for (int i = 0; !stop.stop_requested() && !ended_; i = (i + 1) % kSignals)
        if (post(port_, path_of(i), fmt::format("{}", value_.load())) == 204) ++points_;
    });
  }
  void stop_peer() override {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }
  void offer(double value) override { value_ = value; }
  std::uint64_t stop_offering() override {
    ended_ = true;
    stop_peer();
    return points_;
  }
  std::string options() const override { return fmt::format("listen: 127.0.0.1:{}\n", port_); }
  std::vector<std::string> signal_addresses() const override {
    std::vector<std::string> addresses;
    for (int i = 0; i < kSignals; ++i) addresses.push_back(path_of(i));
    return addresses;
  }
  bool listens() const override { return true; }
  bool can_send_garbage() const override { return true; }
  void send_garbage() override {
    for (const char* bytes : {"\x16\x03\x01", "GET\r\n\r\n", "POST /sensors/0 HTTP/1.1\r\nContent-Length: -5\r\n\r\n"})
      RawSocket(port_).send(bytes);
    EXPECT_EQ(post(port_, path_of(0), "{\"no"), 400);
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
  const int port_ = free_loopback_port();
  std::atomic<double> value_{0};
  std::atomic<bool> ended_{false};
  std::atomic<std::uint64_t> points_{0};
  std::jthread thread_;
};

std::unique_ptr<ConnectorHarness> http_push() { return std::make_unique<HttpHarness>(); }
INSTANTIATE_TEST_SUITE_P(HttpPush, ConnectorContract, testing::Values(http_push));

class HttpPeer : public testing::Test {
 protected:
  HttpPeer() {
    folder_ = (std::filesystem::temp_directory_path() / "alara-http-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  }
  ~HttpPeer() override {
    if (connector_) connector_->stop();
    std::filesystem::remove_all(folder_);
  }
  void start(const std::string& options, const std::vector<std::string>& addresses,
             const std::vector<std::string>& targets = {}) {
    connector_ = std::move(*http::http_protocol().make("web", *parse_document(options, "site.yaml"), folder_));
    std::vector<SignalBinding> signals;
    for (const std::string& address : addresses) {
      SignalBinding binding;
      binding.signal = SignalId{static_cast<std::uint32_t>(signals.size())};
      binding.name = binding.address = address;
      signals.push_back(binding);
    }
    std::vector<ActuatorBinding> actuators;
    for (const std::string& target : targets)
      actuators.push_back({ActuatorId{static_cast<std::uint32_t>(actuators.size())}, target, target, {}});
    std::vector<Error> errors;
    connector_->bind(signals, actuators, errors);
    ASSERT_TRUE(errors.empty()) << errors[0].text();
    ASSERT_TRUE(connector_->start({&inlet_, &commands_, &running_.clock(), &running_.loop(), 1}));
    ASSERT_TRUE(eventually([&] { return connector_->stats().connected.load(); })) << connector_->last_error();
  }
  // What a program printed.
  std::string said(std::vector<std::string> arguments) const {
    arguments[0] = find_program(arguments[0]);
    const std::string output = folder_ + "/said";
    const auto running = ChildProcess::start(arguments, output);
    EXPECT_TRUE(running && (*running)->wait(20 * kSecond) == 0);
    std::stringstream text;
    text << std::ifstream(output).rdbuf();
    return text.str();
  }
  std::string folder_;
  RecordingInlet inlet_;
  CommandQueue commands_;
  RunningLoop running_;
  std::unique_ptr<Connector> connector_;
};

TEST_F(HttpPeer, CurlPushesJsonAndLineProtocol) {
  if (find_program("curl").empty()) GTEST_SKIP() << "curl is not installed";
  std::ofstream(folder_ + "/token") << "s3cret\n";
  const int port = free_loopback_port();
  start(fmt::format("listen: 127.0.0.1:{}\ntoken_file: token\n", port), {"/press/1#load", "line:pump,hall=a pressure"});
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
      folder_, port);
  const auto hook = ChildProcess::start({kPython, "-c", script});
  ASSERT_TRUE(hook.has_value());
  ASSERT_TRUE(wait_for_listener(port, 10 * kSecond));
  start(fmt::format("to: http://127.0.0.1:{}/plant\n", port), {}, {"/valve/set"});
  commands_.send(ActuatorId{0}, 42.5);
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 1; }));
  EXPECT_EQ(commands_.acks()[0].outcome, Outcome::done);
  std::ifstream hooked(folder_ + "/hooked");
  std::vector<std::string> lines;
  for (std::string line; std::getline(hooked, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 2u);  // refused for the moment, then taken
  EXPECT_EQ(lines[0], lines[1]);
  EXPECT_TRUE(lines[0].starts_with("/plant/valve/set {\"value\":42.5")) << lines[0];
}

}  // namespace
}  // namespace alara::contract
