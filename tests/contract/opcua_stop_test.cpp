// SPDX-License-Identifier: Apache-2.0
// The OPC UA client ends soon, however long a request may wait for its answer.
#include <filesystem>

#include "tests/contract/opcua_client_fixture.hpp"
#include "tests/contract/silent_listener.hpp"

namespace alara::contract {
namespace {

constexpr const char* kPatient = "timeout: 30s\nsilence: 60s\n";

class OpcuaStop : public OpcuaClient {
 protected:
  // How long it takes.
  Nanos stop() {
    SystemClock clock;
    const Nanos since = clock.monotonic();
    connector_->stop();
    return clock.monotonic() - since;
  }
  void pause(Nanos time) { running_.clock().sleep_until(running_.clock().monotonic() + time); }
};

TEST_F(OpcuaStop, WaitsForNoPeerThatSaysNothing) {
  std::string pki = (std::filesystem::temp_directory_path() / "alara-pki-XXXXXX").string();
  ASSERT_NE(mkdtemp(pki.data()), nullptr);
  for (const std::string& security :
       {std::string("security: none\n"), "security: basic256sha256\npki: " + pki + "\n"}) {
    server_.start();
    server_.stop();
    const Listener silent(server_.port());
    const auto node =
        parse_document(fmt::format("endpoint: {}\n{}{}", server_.endpoint(), security, kPatient), "site.yaml").value();
    connector_ = std::move(*opcua::opcua_protocol().make("plc", node, "."));
    ASSERT_TRUE(connector_->start({&inlet_, &commands_, &running_.clock(), &running_.loop(), 1}));
    ASSERT_TRUE(eventually([&] { return silent.accepted() > 0; }));
    EXPECT_LT(stop(), kSecond) << security;
  }
  std::filesystem::remove_all(pki);
}

TEST_F(OpcuaStop, WaitsForNoServerThatFallsSilent) {
  for (const char* read : {"read: subscribe\n", "read: poll\n"}) {
    make(fmt::format("{}{}", kPatient, read), {"ns=1;s=speed"}, {"ns=1;s=small"});
    ASSERT_TRUE(eventually([&] { return connected() && has(0, 1); })) << connector_->last_error();
    server_.freeze();
    pause(200 * kMillisecond);
    EXPECT_LT(stop(), kSecond) << read;
    server_.thaw();
  }
}

TEST_F(OpcuaStop, AnswersForTheCommandThatWaits) {
  make(kPatient, {"ns=1;s=speed"}, {"ns=1;s=small"});
  ASSERT_TRUE(eventually([&] { return connected() && has(0, 1); })) << connector_->last_error();
  server_.freeze();
  commands_.send(ActuatorId{0}, 5);
  commands_.send(ActuatorId{0}, 6);
  pause(100 * kMillisecond);
  EXPECT_LT(stop(), kSecond);
  ASSERT_EQ(commands_.acks().size(), 2u);
  for (const Ack& ack : commands_.acks()) EXPECT_EQ(ack.outcome, Outcome::unavailable);
  server_.thaw();
}

TEST_F(OpcuaStop, ClosesItsSessionWhereTheServerAnswers) {
  make(kPatient, {"ns=1;s=speed"});
  ASSERT_TRUE(eventually([&] { return connected() && has(0, 1); }));
  EXPECT_EQ(server_.sessions(), 1u);
  EXPECT_LT(stop(), kSecond);
  EXPECT_TRUE(eventually([&] { return server_.sessions() == 0; }));
}

}  // namespace
}  // namespace alara::contract
