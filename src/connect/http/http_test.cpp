// SPDX-License-Identifier: Apache-2.0
// The HTTP connector against real requests, and a web hook that misbehaves.
#include "connect/http/http.hpp"

#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/child_process.hpp"
#include "core/document.hpp"
#include "core/fakes.hpp"

namespace alara::http {
namespace {

using testing::FakeInbox;
using testing::FakeOutlets;
using testing::RecordingInlet;

std::string error_of(const std::string& options) {
  const auto node = parse_document(options, "site.yaml").value();
  std::vector<Error> errors;
  http_protocol().schema().check(node, errors);
  if (!errors.empty()) return errors.front().text();
  const auto made = http_protocol().make("web", node, ".");
  return made ? "" : made.error().text();
}

class HttpTest : public ::testing::Test {
 protected:
  HttpTest() {
    folder = (std::filesystem::temp_directory_path() / "alara-http-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
  }
  ~HttpTest() override {
    if (connector) connector->stop();
    std::filesystem::remove_all(folder);
  }
  void make(const std::string& options, const std::vector<std::string>& signals,
            const std::vector<std::string>& actuators = {}) {
    const auto node = parse_document(options, "site.yaml").value();
    auto made = http_protocol().make("web", node, folder);
    ASSERT_TRUE(made.has_value()) << made.error().text();
    connector = std::move(*made);
    std::vector<Error> errors;
    std::vector<SignalBinding> inputs;
    for (const std::string& address : signals) {
      SignalBinding binding;
      binding.signal = SignalId{static_cast<std::uint32_t>(inputs.size())};
      binding.name = binding.address = address;
      inputs.push_back(binding);
    }
    std::vector<ActuatorBinding> outputs;
    for (const std::string& address : actuators)
      outputs.push_back({ActuatorId{static_cast<std::uint32_t>(outputs.size())}, address, address, {}});
    connector->bind(inputs, outputs, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text();
  }
  void start() {
    ConnectorContext context{&inlet, &inbox, &clock, nullptr, 1};
    context.outlets = &outlets;
    ASSERT_TRUE(connector->start(context).has_value());
    for (int i = 0; i < 2000 && !connector->stats().connected; ++i) rest(5 * kMillisecond);
    ASSERT_TRUE(connector->stats().connected) << connector->last_error();
  }
  void listen(const std::string& more, const std::vector<std::string>& signals) {
    port = free_loopback_port();
    make(fmt::format("listen: 127.0.0.1:{}\n{}", port, more), signals);
    start();
  }
  void rest(Nanos time) { clock.sleep_until(clock.monotonic() + time); }
  httplib::Result post(const std::string& path, const std::string& body, const httplib::Headers& headers = {}) const {
    httplib::Client client("127.0.0.1", port);
    client.set_read_timeout(10);
    return client.Post(path.c_str(), headers, body, "text/plain");
  }

  std::string folder;
  int port = 0;
  SystemClock clock;
  RecordingInlet inlet;
  FakeInbox inbox;
  FakeOutlets outlets;
  std::unique_ptr<Connector> connector;
};

TEST_F(HttpTest, TakesJsonWithItsOwnTimeAndQuality) {
  listen("", {"/presses/1", "/presses/1#motor.current", "/other"});
  const auto whole = post("/other", R"({"value":4.5,"time":"2026-01-31T12:00:00Z","quality":"uncertain"})");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->status, 204);
  ASSERT_TRUE(inlet.wait_for_points(1));
  EXPECT_EQ(inlet.seen().points[0].value, 4.5);
  EXPECT_EQ(inlet.seen().points[0].quality, Quality::uncertain);
  const auto lines =
      post("/presses/1", "{\"value\":1,\"motor\":{\"current\":7}}\n{\"value\":2,\"motor\":{\"current\":8}}\n");
  ASSERT_TRUE(lines);
  EXPECT_EQ(lines->status, 204) << lines->body;
  ASSERT_TRUE(inlet.wait_for_points(5));
}

TEST_F(HttpTest, TakesLineProtocolAndSaysWhatItDidNot) {
  listen("precision: s\n", {"line:pump,hall=a pressure", "line:pump pressure"});
  const auto good =
      post("/write", "pump,hall=a,unit=2 pressure=8.5 1700000000\n# a comment\n\npump,hall=b pressure=3 1700000001\n");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->status, 204) << good->body;
  ASSERT_TRUE(inlet.wait_for_points(3)) << "the first line is of both signals";
  EXPECT_EQ(inlet.seen().points[0].time, 1'700'000'000 * kSecond);
  const auto mixed =
      post("/api/v2/write?precision=ms", "pump,hall=a pressure=1 1700000000000\npump pressure=x\npump flow=2\n");
  ASSERT_TRUE(mixed);
  EXPECT_EQ(mixed->status, 400);
  const auto receipt = nlohmann::json::parse(mixed->body);
  EXPECT_EQ(receipt["accepted"], 2);
  EXPECT_EQ(receipt["rejected"], 2);
  EXPECT_EQ(receipt["refusals"][0]["line"], 2);
  EXPECT_NE(receipt["refusals"][0]["reason"].get<std::string>().find("'x' is no value"), std::string::npos) << receipt;
  EXPECT_EQ(receipt["refusals"][1]["line"], 3);
  EXPECT_EQ(inlet.seen().rejected.at("malformed"), 1u);
  EXPECT_EQ(inlet.seen().rejected.at("unknown_field"), 1u);
  EXPECT_EQ(post("/write?precision=h", "pump pressure=1")->status, 400);
}

TEST_F(HttpTest, RefusesStrangersLargeBodiesUnknownPathsAndNonsense) {
  std::ofstream(folder + "/token") << "secret\n";
  listen("token_file: token\nmax_body: 2KB\n", {"/a"});
  EXPECT_EQ(post("/a", "1")->status, 401);
  EXPECT_EQ(post("/a", "1", {{"Authorization", "Bearer wrong"}})->status, 401);
  const httplib::Headers token{{"Authorization", "Bearer secret"}};
  EXPECT_EQ(post("/a", "1", token)->status, 204);
  EXPECT_EQ(post("/a", "1", {{"Authorization", "Token secret"}})->status, 204);
  EXPECT_EQ(post("/b", "1", token)->status, 404);
  EXPECT_EQ(post("/write", "m f=1", token)->status, 404) << "no signal is bound to line protocol";
  EXPECT_EQ(post("/a", std::string(5000, ' '), token)->status, 413);
  for (const char* body : {"", "{", "NaN", "1e999", "\"hot\"", "\xff\xfe", "[1,2"})
    EXPECT_EQ(post("/a", body, token)->status, 400) << body;
  EXPECT_EQ(inlet.seen().points.size(), 2u);
}

TEST_F(HttpTest, APeerThatSendsHalfARequestHoldsUpNobody) {
  listen("", {"/a"});
  // A whole request first: the library's tables are made by the first one, unseen by ThreadSanitizer.
  ASSERT_TRUE(post("/a", "4"));
  std::vector<int> slow;
  for (int i = 0; i < 3; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const std::string_view half = "POST /a HTTP/1.1\r\nContent-Length: 100\r\n\r\n12";
    ASSERT_EQ(send(fd, half.data(), half.size(), MSG_NOSIGNAL), static_cast<ssize_t>(half.size()));
    slow.push_back(fd);
  }
  const auto good = post("/a", "5");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->status, 204);
  for (const int fd : slow) close(fd);
}

TEST_F(HttpTest, APortThatIsTakenIsTriedAgain) {
  httplib::Server other;
  const int taken = other.bind_to_any_port("127.0.0.1");
  make(fmt::format("listen: 127.0.0.1:{}\n", taken), {"/a"});
  std::jthread serving([&other] { other.listen_after_bind(); });
  while (!other.is_running()) std::this_thread::yield();
  ConnectorContext context{&inlet, &inbox, &clock, nullptr, 1};
  ASSERT_TRUE(connector->start(context).has_value());
  for (int i = 0; i < 2000 && connector->stats().errors == 0; ++i) rest(5 * kMillisecond);
  EXPECT_NE(connector->last_error().find("can not listen on 127.0.0.1"), std::string::npos) << connector->last_error();
  other.stop();
  serving.join();
  for (int i = 0; i < 2000 && !connector->stats().connected; ++i) rest(5 * kMillisecond);
  EXPECT_TRUE(connector->stats().connected);
}

// A hook whose answers a test chooses, one after the other; the last goes on.
class WebHook {
 public:
  explicit WebHook(std::vector<int> answers) : answers_(std::move(answers)) {
    server_.Post(".*", [this](const httplib::Request& request, httplib::Response& response) {
      const std::lock_guard lock(mutex_);
      seen_.push_back({request.path, request.body, request.get_header_value("Idempotency-Key"),
                       request.get_header_value("Authorization")});
      response.status = answers_.front();
      if (answers_.size() > 1) answers_.erase(answers_.begin());
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~WebHook() { server_.stop(); }
  WebHook(const WebHook&) = delete;
  WebHook& operator=(const WebHook&) = delete;
  struct Seen {
    std::string path, body, key, authorization;
  };
  [[nodiscard]] std::vector<Seen> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}/desk", port_); }

 private:
  httplib::Server server_;
  std::vector<int> answers_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Seen> seen_;
  std::jthread thread_;
};

Command command(std::uint64_t id, double value) {
  Command out;
  out.id = static_cast<CommandId>(id);
  out.value = value;
  return out;
}

TEST_F(HttpTest, CommandsAreDoneRefusedOrTriedAgainUntilTheyAreTaken) {
  const WebHook hook({200, 503, 429, 204, 422});
  std::ofstream(folder + "/token") << "secret\n";
  make(fmt::format("to: {}\nto_token_file: token\n", hook.url()), {}, {"/set"});
  start();
  for (std::uint64_t id = 1; id <= 3; ++id) inbox.put(command(id, static_cast<double>(id)));
  const auto acks = inbox.wait_for_acks(3);
  ASSERT_EQ(acks.size(), 3u);
  EXPECT_EQ(acks[0].outcome, Outcome::done);
  EXPECT_EQ(acks[1].outcome, Outcome::done);
  EXPECT_EQ(acks[2].outcome, Outcome::refused_device);
  const auto seen = hook.seen();
  ASSERT_EQ(seen.size(), 5u);
  EXPECT_EQ(seen[0].path, "/desk/set");
  EXPECT_EQ(seen[0].authorization, "Bearer secret");
  EXPECT_EQ(nlohmann::json::parse(seen[0].body)["value"], 1);
  EXPECT_EQ(seen[1].key, seen[3].key) << "a repetition can be told";
  EXPECT_NE(seen[0].key, seen[1].key);
}

TEST_F(HttpTest, ACommandIsGivenUpAtItsDeadline) {
  const WebHook hook({500});
  make(fmt::format("to: {}\n", hook.url()), {}, {"/set"});
  start();
  Command late = command(1, 1);
  late.deadline = clock.monotonic() + 300 * kMillisecond;
  inbox.put(late);
  const auto acks = inbox.wait_for_acks(1);
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_EQ(acks[0].outcome, Outcome::timed_out);
  EXPECT_NE(connector->last_error().find("answers 500"), std::string::npos) << connector->last_error();
}

TEST_F(HttpTest, ValuesAreDeliveredAndEveryOneIsSettled) {
  const WebHook hook({200, 400, 200});
  make(fmt::format("to: {}\n", hook.url()), {});
  std::vector<Error> errors;
  const std::vector<OutletBinding> bindings{
      {OutletId{0}, "press-1.load", "press-1", "load", "/load", *Unit::parse("kW"), SignalType::float64, false, {}}};
  connector->bind_outlets(bindings, errors);
  ASSERT_TRUE(errors.empty());
  start();
  for (int i = 0; i < 3; ++i) outlets.put({OutletId{0}, 1.0 * i, 0, Quality::good, 0});
  outlets.put({OutletId{9}, 1, 0, Quality::good, 0});
  const auto account = outlets.wait_until_settled();
  EXPECT_EQ(account.delivered, 2u);
  EXPECT_EQ(account.dropped.at("refused"), 1u);
  EXPECT_EQ(account.dropped.at("unknown_outlet"), 1u);
  EXPECT_EQ(nlohmann::json::parse(hook.seen()[0].body)["unit"], "kW");
}

TEST_F(HttpTest, AnAbsentHookCostsNothingButItsOwnAndStopIsQuick) {
  make(fmt::format("to: http://127.0.0.1:{}/x\nretry_for: 200ms\nqueue: 2\n", free_loopback_port()), {}, {"/set"});
  std::vector<Error> errors;
  const std::vector<OutletBinding> bindings{
      {OutletId{0}, "press-1.load", "press-1", "load", "/load", {}, SignalType::float64, false, {}}};
  connector->bind_outlets(bindings, errors);
  start();
  inbox.put(command(1, 1));
  const auto acks = inbox.wait_for_acks(1);
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_EQ(acks[0].outcome, Outcome::unavailable);
  for (int i = 0; i < 20; ++i) outlets.put({OutletId{0}, 1.0 * i, 0, Quality::good, 0});
  inbox.put(command(2, 1));
  const Nanos before = clock.monotonic();
  connector->stop();
  EXPECT_LT(clock.monotonic() - before, kSecond);
  EXPECT_EQ(inbox.wait_for_acks(2).size(), 2u);
  const auto account = outlets.account();
  EXPECT_EQ(account.settled(), account.published);
}

TEST_F(HttpTest, MessagesGoToTheHook) {
  const WebHook hook({200});
  make(fmt::format("to: {}\n", hook.url()), {});
  start();
  ASSERT_NE(connector->message_sink(), nullptr);
  EXPECT_TRUE(connector->message_sink()->publish("/events", "{\"event\":\"raised\"}"));
  EXPECT_FALSE(connector->message_sink()->publish("no path", "{}"));
  for (int i = 0; i < 2000 && hook.seen().empty(); ++i) rest(5 * kMillisecond);
  ASSERT_EQ(hook.seen().size(), 1u);
  EXPECT_EQ(hook.seen()[0].path, "/desk/events");
}

TEST(HttpSettings, RefuseWhatCanNotWork) {
  EXPECT_NE(error_of("precision: s\n").find("needs listen"), std::string::npos);
  EXPECT_NE(error_of("listen: 8086\n").find("host:port"), std::string::npos);
  EXPECT_NE(error_of("to: example.com\n").find("http://host:port/path"), std::string::npos);
  EXPECT_NE(error_of("to: http://u:p@example.com\n").find("to_token_file"), std::string::npos);
  EXPECT_NE(error_of("lissten: 127.0.0.1:1\n").find("listen"), std::string::npos);
}

TEST(HttpSettings, BadAddressesAreNamedAtLoad) {
  const auto node = parse_document("listen: 127.0.0.1:1\n", "site.yaml").value();
  for (const char* bad : {"", "a", "/a?b", "/a#", "/a#[", "line:", "line:m", "line:m a b"}) {
    auto connector = http_protocol().make("web", node, ".").value();
    SignalBinding signal;
    signal.name = "press-1.load";
    signal.address = bad;
    signal.where = {"site.yaml", 4, 2};
    std::vector<Error> errors;
    connector->bind({&signal, 1}, {}, errors);
    ASSERT_EQ(errors.size(), 1u) << bad;
    EXPECT_EQ(errors[0].text().find("site.yaml:4:2: press-1.load: "), 0u) << errors[0].text();
  }
}

}  // namespace
}  // namespace alara::http
