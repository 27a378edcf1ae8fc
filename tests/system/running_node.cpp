// SPDX-License-Identifier: Apache-2.0
#include "tests/system/running_node.hpp"

#include <httplib.h>
#include <mosquitto.h>
#include <signal.h>

#include <atomic>
#include <bit>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace alara::system_test {

void rest(Nanos time) {
  SystemClock clock;
  clock.sleep_until(clock.monotonic() + time);
}

bool eventually(const std::function<bool()>& condition, Nanos patience) {
  SystemClock clock;
  for (const Nanos end = clock.monotonic() + patience; clock.monotonic() < end; rest(20 * kMillisecond))
    if (condition()) return true;
  return condition();
}

Folder::Folder() : path_((std::filesystem::temp_directory_path() / "alara-system-XXXXXX").string()) {
  if (mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "can not make a temporary folder";
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::write(const std::string& name, const std::string& text) const {
  std::ofstream(file(name)) << text;
  return file(name);
}

std::string Folder::read(const std::string& name) const {
  std::ifstream in(file(name));
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

Finished alara(const std::vector<std::string>& arguments, Nanos patience) {
  const Folder folder;
  std::vector<std::string> all{ALARA_PROGRAM};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const auto process = ChildProcess::start(all, folder.file("output"));
  if (!process) return {-1, process.error().text()};
  const int code = (*process)->wait(patience);
  return {code, folder.read("output")};
}

RunningNode::RunningNode(const std::string& site) : port_(free_loopback_port()) {
  folder_.write("site.yaml", site);
  auto process = ChildProcess::start({ALARA_PROGRAM, "run", folder_.file("site.yaml"), "--quiet", "--no-realtime",
                                      "--http", "127.0.0.1:" + std::to_string(port_)},
                                     folder_.file("output"));
  if (!process) {
    ADD_FAILURE() << process.error().text();
    return;
  }
  process_ = std::move(*process);
  EXPECT_TRUE(eventually([this] { return get("/api/v1/status").status == 200 || !process_->running(); }) &&
              process_->running())
      << output();
}

RunningNode::~RunningNode() {
  if (::testing::Test::HasFailure()) fmt::print("the node said:\n{}\n{}\n", output(), get("/api/v1/connectors").body);
}

Reply RunningNode::get(const std::string& path) const {
  httplib::Client client("127.0.0.1", port_);
  client.set_read_timeout(10);
  const auto answer = client.Get(path.c_str());
  return answer ? Reply{answer->status, answer->body} : Reply{};
}

Reply RunningNode::post(const std::string& path) const {
  httplib::Client client("127.0.0.1", port_);
  client.set_read_timeout(10);
  const auto answer = client.Post(path.c_str());
  return answer ? Reply{answer->status, answer->body} : Reply{};
}

namespace {

nlohmann::json named(const Reply& page, const char* list, const std::string& name) {
  const nlohmann::json json = page.json();
  if (json.is_object() && json.contains(list))
    for (const auto& entry : json[list])
      if (entry["name"] == name) return entry;
  return nullptr;
}

}  // namespace

nlohmann::json RunningNode::connector(const std::string& name) const {
  return named(get("/api/v1/connectors"), "connectors", name);
}
nlohmann::json RunningNode::pipeline(const std::string& name) const {
  return named(get("/api/v1/pipelines"), "pipelines", name);
}

bool RunningNode::wait_connected() const {
  return eventually([this] {
    const nlohmann::json page = get("/api/v1/connectors").json();
    if (!page.is_object()) return false;
    for (const auto& each : page["connectors"])
      if (!each["connected"]) return false;
    return true;
  });
}

bool RunningNode::says(const std::string& text) const {
  return eventually([&] { return output().find(text) != std::string::npos; });
}

namespace {

// accepted (or published) = delivered + buffered + dead-lettered + dropped{reason}
void expect_law(const nlohmann::json& account, const char* total, const nlohmann::json& whole) {
  std::uint64_t known = account["delivered"].get<std::uint64_t>() + account["buffered"].get<std::uint64_t>() +
                        account.value("dead_lettered", std::uint64_t{0});
  for (const auto& [reason, count] : account["dropped"].items()) known += count.get<std::uint64_t>();
  EXPECT_EQ(account[total].get<std::uint64_t>(), known) << whole.dump(1);
}

}  // namespace

void RunningNode::expect_every_point_accounted() const {
  std::string connectors, pipelines;
  const bool quiet = eventually([&] {
    const std::string now = get("/api/v1/connectors").body, of_pipelines = get("/api/v1/pipelines").body;
    const bool same = now == connectors && of_pipelines == pipelines && !now.empty() && !of_pipelines.empty();
    connectors = now;
    pipelines = of_pipelines;
    return same;
  });
  EXPECT_TRUE(quiet) << "the node does not become quiet";
  const auto page = nlohmann::json::parse(connectors, nullptr, false);
  const auto other = nlohmann::json::parse(pipelines, nullptr, false);
  ASSERT_TRUE(page.is_object() && other.is_object()) << connectors << pipelines;
  for (const auto& connector : page["connectors"]) {
    expect_law(connector["points"], "accepted", connector);
    expect_law(connector["published"], "values", connector);
  }
  for (const auto& pipeline : other["pipelines"]) expect_law(pipeline["points"], "accepted", pipeline);
}

int RunningNode::terminate(Nanos& took) {
  SystemClock clock;
  const Nanos begun = clock.monotonic();
  process_->signal(SIGTERM);
  const int code = process_->wait(kPatience);
  took = clock.monotonic() - begun;
  return code;
}

Device::Device() : bank_({.coils = 16, .discrete = 16, .holding = 16, .input = 16}) { start(); }
Device::~Device() = default;

void Device::start() {
  auto server = modbus::ServerThread::create(clock_);
  ASSERT_TRUE(server.has_value()) << server.error().text();
  server_ = std::move(*server);
  const auto port = server_->listen(port_, bank_);
  ASSERT_TRUE(port.has_value()) << port.error().text();
  port_ = *port;
}

void Device::set_float(std::uint16_t input_register, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  bank_.set_register(modbus::Table::input, input_register, static_cast<std::uint16_t>(bits >> 16));
  bank_.set_register(modbus::Table::input, static_cast<std::uint16_t>(input_register + 1),
                     static_cast<std::uint16_t>(bits & 0xFFFF));
}

bool Device::coil_becomes(std::uint16_t number, bool value) const {
  return eventually([&] { return coil(number) == value; });
}

Broker::Broker() : port_(free_loopback_port()) {
  // Everything goes through: no limit on what waits for the broker's clients.
  folder_.write("mosquitto.conf",
                fmt::format("listener {} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
                            "max_queued_messages 0\nmax_inflight_messages 0\nlog_dest none\n",
                            port_));
  start();
}

bool Broker::installed() { return !find_program("mosquitto").empty(); }

void Broker::start() {
  auto process = ChildProcess::start({find_program("mosquitto"), "-c", folder_.file("mosquitto.conf")});
  ASSERT_TRUE(process.has_value()) << process.error().text();
  process_ = std::move(*process);
  ASSERT_TRUE(wait_for_listener(port_, kPatience)) << "mosquitto does not listen";
}

struct Publisher::State {
  mosquitto* client = nullptr;
  std::atomic<bool> connected{false};
  std::atomic<std::uint64_t> sent{0}, answered{0};
};

Publisher::Publisher(int port) : state_(std::make_unique<State>()) {
  mosquitto_lib_init();
  state_->client = mosquitto_new(nullptr, true, state_.get());
  mosquitto_int_option(state_->client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_max_inflight_messages_set(state_->client, 0);
  mosquitto_connect_callback_set(state_->client,
                                 [](mosquitto*, void* self, int) { static_cast<State*>(self)->connected = true; });
  mosquitto_publish_callback_set(state_->client,
                                 [](mosquitto*, void* self, int) { ++static_cast<State*>(self)->answered; });
  mosquitto_connect(state_->client, "127.0.0.1", port, 30);
  mosquitto_loop_start(state_->client);
  EXPECT_TRUE(eventually([this] { return state_->connected.load(); })) << "the publisher can not reach the broker";
}

Publisher::~Publisher() {
  mosquitto_disconnect(state_->client);
  mosquitto_loop_stop(state_->client, false);
  mosquitto_destroy(state_->client);
}

bool Publisher::send(const std::string& topic, const std::vector<double>& values) {
  const bool taken =
      mosquitto_publish(state_->client, nullptr, topic.c_str(), static_cast<int>(values.size() * sizeof(double)),
                        values.data(), 1, false) == MOSQ_ERR_SUCCESS;
  if (taken) ++state_->sent;
  return taken;
}

bool Publisher::wait_answered() const {
  return eventually([this] { return state_->answered == state_->sent; });
}

}  // namespace alara::system_test
