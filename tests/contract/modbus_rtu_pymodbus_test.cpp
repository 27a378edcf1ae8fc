// SPDX-License-Identifier: Apache-2.0
// RTU units made of pymodbus on a pair of pseudo terminals (socat), read by our client; and a pymodbus TCP client that
// reaches them through our gateway.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/child_process.hpp"
#include "connect/modbus/modbus.hpp"
#include "connect/modbus/probe.hpp"
#include "tests/contract/running_connector.hpp"

namespace alara::contract {
namespace {

constexpr const char* kPython = "/usr/bin/python3";
constexpr const char* kDevice = "tests/contract/pymodbus_device.py";

bool peers_are_there() {
  return std::system(fmt::format("{} {} --check >/dev/null 2>&1 && {} -c 'import serial_asyncio' 2>/dev/null && "
                                 "command -v socat >/dev/null",
                                 kPython, kDevice, kPython)
                         .c_str()) == 0;
}

class PymodbusLine : public RunningConnector {
 protected:
  PymodbusLine() : RunningConnector(modbus::modbus_protocol()) {}
  void SetUp() override {
    if (!peers_are_there())
      GTEST_SKIP() << "pymodbus, its serial part or socat is not installed (Debian: python3-pymodbus, "
                      "python3-serial-asyncio, socat)";
    std::string folder = (std::filesystem::temp_directory_path() / "alara-rtu-XXXXXX").string();
    folder_ = mkdtemp(folder.data());
    socat_ = *ChildProcess::start({"socat", fmt::format("PTY,raw,echo=0,link={}", ours()),
                                   fmt::format("PTY,raw,echo=0,link={}/theirs", folder_)});
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(folder_ + "/theirs"); }));
    units_ = *ChildProcess::start({kPython, kDevice, "--serial", folder_ + "/theirs"});
  }
  void TearDown() override {
    if (connector_) connector_->stop();
    units_.reset();
    socat_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] std::string ours() const { return folder_ + "/ours"; }
  void start(const std::string& more, const std::vector<std::string>& addresses,
             const std::vector<std::string>& targets = {}) {
    RunningConnector::start(fmt::format("serial: {}\nbaud: 115200\npoll: 20ms\ntimeout: 300ms\nreconnect_min: 20ms\n"
                                        "reconnect_max: 20ms\n{}",
                                        ours(), more),
                            addresses, targets);
  }
  std::string ask(int port, int unit, int reg) const {
    const std::string output = folder_ + "/asked";
    const auto asking = ChildProcess::start(
        {kPython, kDevice, "--ask", std::to_string(port), std::to_string(unit), std::to_string(reg)}, output);
    EXPECT_EQ((*asking)->wait(20 * kSecond), 0);
    std::string text;
    std::ifstream(output) >> text;
    return text;
  }

  std::string folder_;
  std::unique_ptr<ChildProcess> socat_, units_;
};

TEST_F(PymodbusLine, ReadsAndWritesSeveralUnits) {
  start("", {"1@holding/7", "2@holding/7", "1@holding/40:float32", "2@coil/3", "1@input/8", "1@holding/60"},
        {"1@holding/60", "2@coil/4", "1@holding/62:float32DCBA"});
  const std::vector<double> expected{107, 1107, 123.456F, 1, 208};
  for (std::uint32_t i = 0; i < expected.size(); ++i)
    ASSERT_TRUE(eventually([&] { return has(i, expected[i]); })) << i << ": " << inlet_.last(i).value;
  const std::vector<double> values{4711, 1, -2.5};
  for (std::uint32_t i = 0; i < values.size(); ++i) commands_.send(ActuatorId{i}, values[i], true);
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == values.size(); }));
  for (const Ack& ack : commands_.acks()) EXPECT_EQ(ack.outcome, Outcome::done) << name_of(ack.outcome);
  EXPECT_TRUE(eventually([&] { return has(5, 4711); }));
}

TEST_F(PymodbusLine, ATcpClientReachesTheUnitsThroughTheGateway) {
  const int port = free_loopback_port();
  start(fmt::format("gateway: tcp://127.0.0.1:{}\n", port), {"1@holding/7"});
  ASSERT_TRUE(eventually([&] { return has(0, 107); })) << connector_->last_error();
  EXPECT_EQ(ask(port, 2, 7), "1107");
  EXPECT_EQ(ask(port, 1, 8), "108");
  const std::uint64_t before = connector_->stats().polls_done;
  EXPECT_TRUE(eventually([&] { return connector_->stats().polls_done > before + 5; }));
}

TEST_F(PymodbusLine, IsProbed) {
  SystemClock clock;
  modbus::Settings settings;
  settings.serial.emplace().device = ours();
  settings.serial->baud = 115'200;
  settings.timeout = 300 * kMillisecond;
  modbus::Probe found;
  ASSERT_TRUE(eventually([&] {
    auto probed = modbus::probe(settings, *modbus::parse_address("1@holding/40", {}), clock);
    if (probed) found = *probed;
    return probed.has_value();
  }));
  EXPECT_NE(modbus::format_probe(found).find("123.456"), std::string::npos) << modbus::format_probe(found);
}

}  // namespace
}  // namespace alara::contract
