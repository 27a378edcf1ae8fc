// SPDX-License-Identifier: Apache-2.0
// The client against pymodbus, a Modbus implementation that shares no line with ours.
#include <fcntl.h>

#include <sys/wait.h>
#include <csignal>
#include <cstdio>

#include <gtest/gtest.h>

#include "connect/modbus/modbus.hpp"
#include "connect/modbus/probe.hpp"
#include "tests/contract/running_connector.hpp"

namespace alara::contract {
namespace {

constexpr const char* kPython = "/usr/bin/python3";
constexpr const char* kDevice = "tests/contract/pymodbus_device.py";

// The device as a child process; its end of input ends it.
class PymodbusDevice {
 public:
  PymodbusDevice() {
    int to_child[2], from_child[2];
    if (pipe2(to_child, O_CLOEXEC) != 0 || pipe2(from_child, O_CLOEXEC) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      dup2(to_child[0], 0);
      dup2(from_child[1], 1);
      execl(kPython, kPython, kDevice, nullptr);
      _exit(127);
    }
    close(to_child[0]);
    close(from_child[1]);
    input_ = to_child[1];
    FILE* const output = fdopen(from_child[0], "r");
    if (std::fscanf(output, "%d", &port_) != 1) port_ = 0;
    std::fclose(output);
  }
  ~PymodbusDevice() {
    close(input_);
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  PymodbusDevice(const PymodbusDevice&) = delete;
  PymodbusDevice& operator=(const PymodbusDevice&) = delete;
  [[nodiscard]] std::uint16_t port() const { return static_cast<std::uint16_t>(port_); }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int port_ = 0;
};

bool pymodbus_is_there() {
  return std::system(fmt::format("{} {} --check >/dev/null 2>&1", kPython, kDevice).c_str()) == 0;
}

class Pymodbus : public RunningConnector {
 protected:
  Pymodbus() : RunningConnector(modbus::modbus_protocol()) {}
  void SetUp() override {
    if (!pymodbus_is_there())
      GTEST_SKIP() << "pymodbus is not installed for " << kPython << " (Debian: python3-pymodbus)";
    device_ = std::make_unique<PymodbusDevice>();
    ASSERT_NE(device_->port(), 0);
  }
  void start(const std::vector<std::string>& addresses, const std::vector<std::string>& targets = {}) {
    RunningConnector::start(fmt::format("endpoint: tcp://127.0.0.1:{}\npoll: 10ms\nreconnect_min: 20ms\n"
                                        "reconnect_max: 20ms\n",
                                        device_->port()),
                            addresses, targets);
  }

  std::unique_ptr<PymodbusDevice> device_;
};

TEST_F(Pymodbus, ReadsAllTablesTypesAndOrders) {
  start({"holding/7", "input/8", "coil/3", "coil/4", "discrete/6", "holding/40:float32", "holding/50:int32CDAB",
         "holding/9.0"});
  EXPECT_TRUE(eventually([&] { return connector_->stats().polls_done > 20; }));
  const std::vector<double> expected{107, 208, 1, 0, 1, 123.456F, -123456789, 1};
  for (std::uint32_t i = 0; i < expected.size(); ++i)
    EXPECT_TRUE(has(i, expected[i])) << i << ": " << inlet_.last(i).value;
  EXPECT_EQ(inlet_.rejected(), 0u);
}

TEST_F(Pymodbus, WritesAndReadsBack) {
  start({"coil/4", "holding/60", "holding/62:float32DCBA", "holding/64.5"},
        {"coil/4", "holding/60", "holding/62:float32DCBA", "holding/64.5"});
  ASSERT_TRUE(eventually([&] { return connector_->stats().connected.load(); }));
  const std::vector<double> values{1, 4711, -2.5, 1};
  for (std::uint32_t i = 0; i < values.size(); ++i) commands_.send(ActuatorId{i}, values[i], true);
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == values.size(); }));
  for (const Ack& ack : commands_.acks()) EXPECT_EQ(ack.outcome, Outcome::done) << name_of(ack.outcome);
  for (std::uint32_t i = 0; i < values.size(); ++i)
    EXPECT_TRUE(eventually([&] { return has(i, values[i]); })) << i << ": " << inlet_.last(i).value;
}

TEST_F(Pymodbus, IsolatesARegisterThatDoesNotExist) {
  start({"holding/990", "holding/995", "holding/1003"});
  ASSERT_TRUE(eventually([&] { return has(0, 1090) && has(1, 1095); }));
  EXPECT_EQ(inlet_.last(2).quality, Quality::bad);
}

TEST_F(Pymodbus, IsProbed) {
  SystemClock clock;
  modbus::Probe found;
  ASSERT_TRUE(eventually([&] {
    modbus::Settings settings;
    settings.endpoint = {"127.0.0.1", device_->port()};
    auto probed = modbus::probe(settings, *modbus::parse_address("holding/40", {}), clock);
    if (probed) found = *probed;
    return probed.has_value();
  }));
  EXPECT_NE(modbus::format_probe(found).find("123.456"), std::string::npos) << modbus::format_probe(found);
}

}  // namespace
}  // namespace alara::contract
