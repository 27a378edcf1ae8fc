// SPDX-License-Identifier: Apache-2.0
// What only CoAP has: observations, blocks, resources that devices read. Against peers that share nothing with libcoap.
#include "connect/coap/coap.hpp"
#include "base/child_process.hpp"
#include "tests/contract/coap_device.hpp"
#include "tests/contract/coap_pusher.hpp"
#include "tests/contract/running_connector.hpp"

namespace alara::contract {
namespace {

class CoapClient : public RunningConnector {
 protected:
  CoapClient() : RunningConnector(coap::coap_protocol()) { device_.start(); }
  std::string options(const std::string& more = "") const {
    return fmt::format(
        "endpoint: coap://127.0.0.1:{}\ntimeout: 600ms\nkeepalive: 100ms\nretry: 50ms\nreconnect_min: 2ms\n"
        "reconnect_max: 20ms\n{}",
        device_.port(), more);
  }
  CoapDevice device_;
};

TEST_F(CoapClient, HearsOfEveryChangeOfAnObservedResource) {
  device_.set("/t", R"({"value":1,"time":"2026-01-31T12:00:00Z","quality":"uncertain","motor":{"rpm":3000}})");
  start(options(), {"/t", "/t#motor.rpm"});
  ASSERT_TRUE(eventually([&] { return has(1, 3000); })) << connector_->last_error();
  EXPECT_EQ(inlet_.last(0).quality, Quality::uncertain);
  EXPECT_EQ(inlet_.last(0).time, 1'769'860'800'000'000'000);
  for (int i = 0; i < 50; ++i) device_.set("/t", fmt::format(R"({{"value":{},"motor":{{"rpm":{}}}}})", i, 2 * i));
  ASSERT_TRUE(eventually([&] { return has(0, 49) && has(1, 98); }));
  EXPECT_EQ(inlet_.points(0).size(), 51u);  // none lost, none twice
  EXPECT_EQ(device_.registrations(), 1u);
}

TEST_F(CoapClient, PollsWhatCanNotBeObserved) {
  device_.observable = false;
  device_.set("/t", "1");
  start(options("poll: 10ms\n"), {"/t"});
  ASSERT_TRUE(eventually([&] { return has(0, 1); }));
  device_.set("/t", "2");
  ASSERT_TRUE(eventually([&] { return has(0, 2); }));
}

TEST_F(CoapClient, MakesAForgottenObservationAnew) {
  device_.set("/t", "1");
  start(options("refresh: 100ms\n"), {"/t"});
  ASSERT_TRUE(eventually([&] { return has(0, 1); }));
  device_.forget_observers();
  device_.set("/t", "2");
  ASSERT_TRUE(eventually([&] { return has(0, 2); }));
  EXPECT_EQ(connector_->stats().disconnects, 0u);
}

TEST_F(CoapClient, ReadsLargeValuesInBlocks) {
  std::string list = "[";
  for (int i = 0; i < 1000; ++i) list += fmt::format("{},", i);
  device_.block = 2;  // 64 bytes
  device_.set("/list", list + "1000]");
  start(options("observe: false\npoll: 20ms\n"), {"/list#[999]"});
  ASSERT_TRUE(eventually([&] { return has(0, 999); })) << connector_->last_error();
}

TEST_F(CoapClient, RefusesBodiesThatAreTooLarge) {
  device_.block = 2;
  device_.set("/list", "[" + std::string(5000, ' ') + "1]");
  start(options("observe: false\npoll: 20ms\nmax_body: 1kB\n"), {"/list#[0]"});
  ASSERT_TRUE(eventually([&] { return inlet_.rejected("too_large") > 0; }));
  EXPECT_TRUE(eventually([&] { return connector_->last_error().find("too large") != std::string::npos; }))
      << connector_->last_error();
}

TEST_F(CoapClient, OneRefusedResourceDisablesOnlyItself) {
  device_.set("/t", "1");
  start(options(), {"/t", "/absent"});
  ASSERT_TRUE(eventually([&] { return has(0, 1) && counter("refusals") >= 2; }));
  EXPECT_EQ(inlet_.last(1).quality, Quality::bad);
  EXPECT_NE(connector_->last_error().find("/absent: 4.04"), std::string::npos) << connector_->last_error();
  device_.set("/absent", "7");
  ASSERT_TRUE(eventually([&] { return has(1, 7); }));
  EXPECT_EQ(connector_->stats().disconnects, 0u);
}

TEST_F(CoapClient, WritesCommandsReadsThemBackAndPublishesValues) {
  device_.set("/valve", "0");
  device_.set("/display", "");
  start(options(), {}, {"/valve", "/absent"}, {"/display"});
  ASSERT_TRUE(eventually([&] { return connected(); }));
  commands_.send(ActuatorId{0}, 42.5, true);
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 1; }));
  EXPECT_EQ(commands_.acks()[0].outcome, Outcome::done);
  EXPECT_EQ(device_.value("/valve"), "42.5");
  commands_.send(ActuatorId{1}, 1);
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 2; }));
  EXPECT_EQ(commands_.acks()[1].outcome, Outcome::refused_device);
  outlets_.put({OutletId{0}, 21.5, 0, Quality::good, 0});
  ASSERT_TRUE(eventually([&] { return outlets_.account().delivered == 1; }));
  EXPECT_NE(device_.value("/display").find("\"value\":21.5"), std::string::npos) << device_.value("/display");
  EXPECT_NE(device_.value("/display").find("degC"), std::string::npos) << device_.value("/display");
}

TEST_F(CoapClient, AResourceThatNeverAnswersCostsOnlyItsOwnSignals) {
  device_.mute_path = "/mute";
  for (const char* path : {"/mute", "/a", "/b"}) device_.set(path, "1");
  start(options("observe: false\npoll: 10ms\n"), {"/mute", "/a", "/b"});
  ASSERT_TRUE(eventually([&] { return has(1, 1) && has(2, 1) && counter("timeouts") >= 2; }));
  const std::uint64_t before = connector_->stats().polls_done;
  EXPECT_TRUE(eventually([&] { return connector_->stats().polls_done > before + 40; }));
  EXPECT_EQ(inlet_.last(0).quality, Quality::bad);
  EXPECT_EQ(connector_->stats().disconnects, 0u);
}

TEST_F(CoapClient, NoCommandOvertakesAnother) {
  device_.set("/valve", "0");
  start(options(), {}, {"/valve"});
  ASSERT_TRUE(eventually([&] { return connected(); }));
  std::vector<std::string> wanted;
  for (int i = 1; i <= 30; ++i) {
    commands_.send(ActuatorId{0}, i);
    wanted.push_back(std::to_string(i));
  }
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 30; }));
  EXPECT_EQ(device_.written(), wanted);
}

class CoapServer : public RunningConnector {
 protected:
  CoapServer() : RunningConnector(coap::coap_protocol()) {}
  void serve(const std::string& more, const std::vector<std::string>& addresses,
             const std::vector<std::string>& targets = {}, const std::vector<std::string>& published = {}) {
    start(fmt::format("listen: coap://127.0.0.1:{}\n{}", port_, more), addresses, targets, published);
    ASSERT_TRUE(eventually([&] { return connected(); })) << connector_->last_error();
  }
  CoapMessage observing(std::string_view path) {
    CoapMessage request;
    request.code = 1;
    request.id = pusher_.next_id();
    request.token = "abcd";
    request.set_number(CoapMessage::kObserve, 0);
    request.set_path(path);
    return request;
  }
  // The next message that is a response; acknowledged where asked for.
  std::optional<CoapMessage> response() {
    auto message = pusher_.receive();
    if (message && message->type == CoapMessage::kConfirmable) {
      CoapMessage ack;
      ack.type = CoapMessage::kAck;
      ack.id = message->id;
      pusher_.send(ack);
    }
    return message;
  }
  const int port_ = free_loopback_port();
  CoapPusher pusher_{port_};
};

TEST_F(CoapServer, TakesReadingsAndSaysWhatItDidNot) {
  serve("", {"/press/1", "/press/1#motor.current"});
  EXPECT_EQ(pusher_.put("/press/1", R"({"value":8.5,"motor":{"current":3},"quality":"good"})", 50), "2.04");
  EXPECT_TRUE(has(0, 8.5) && has(1, 3));
  EXPECT_EQ(pusher_.put("/press/1", R"({"value":8.5})", 50), "4.00");
  EXPECT_NE(pusher_.last().payload.find("1 of 2"), std::string::npos) << pusher_.last().payload;
  EXPECT_EQ(pusher_.put("/press/1", "x", 42), "4.15");
  EXPECT_EQ(pusher_.put("/press/2", "1"), "4.04");
  EXPECT_EQ(inlet_.rejected("content_format"), 2u);
}

TEST_F(CoapServer, TakesLargeBodiesInBlocksUpToALimit) {
  serve("max_body: 1kB\n", {"/list#[0]"});
  const auto put_blocks = [&](std::size_t blocks) {
    std::string code;
    const std::string token = fmt::format("b{}", blocks);
    for (std::size_t i = 0; i < blocks; ++i) {
      CoapMessage part;
      part.code = 3;
      part.id = pusher_.next_id();
      part.token = token;
      part.set_path("/list");
      part.set_number(CoapMessage::kContentFormat, 50);
      part.set_number(CoapMessage::kBlock1, static_cast<unsigned>(i << 4 | (i + 1 < blocks ? 8u : 0u) | 2u));
      part.payload = std::string(64, ' ');
      if (i == 0) part.payload[0] = '[';
      if (i == 0) part.payload[1] = '7';
      if (i + 1 == blocks) part.payload[63] = ']';
      pusher_.send(part);
      const auto answer = pusher_.receive();
      if (!answer) return std::string("nothing");
      code = fmt::format("{}.{:02}", answer->code >> 5, answer->code & 31);
      if (code != "2.31") break;
    }
    return code;
  };
  EXPECT_EQ(put_blocks(10), "2.04");
  EXPECT_TRUE(has(0, 7));
  EXPECT_EQ(put_blocks(20), "4.13");
  EXPECT_EQ(inlet_.rejected("too_large"), 1u);
}

TEST_F(CoapServer, ShowsPublishedValuesToThoseWhoObserve) {
  serve("", {}, {}, {"/press/1/health"});
  pusher_.send(observing("/press/1/health"));
  const auto first = response();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->code, 2 << 5 | 5);
  for (int i = 1; i <= 3; ++i) {
    outlets_.put({OutletId{0}, 0.5 * i, 0, Quality::good, 0});
    const auto note = response();
    ASSERT_TRUE(note.has_value()) << i;
    EXPECT_EQ(note->token, "abcd");
    EXPECT_NE(note->payload.find(fmt::format("\"value\":{}", 0.5 * i)), std::string::npos) << note->payload;
    EXPECT_TRUE(note->number(CoapMessage::kObserve).has_value());
  }
  EXPECT_TRUE(eventually([&] { return outlets_.account().delivered == 3; }));
}

TEST_F(CoapServer, CommandsReachTheDevicesThatObserveAndAreNotKeptForOthers) {
  serve("", {}, {"/valve"});
  commands_.send(ActuatorId{0}, 1);
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 1; }));
  EXPECT_EQ(commands_.acks()[0].outcome, Outcome::unavailable);
  pusher_.send(observing("/valve"));
  ASSERT_TRUE(response().has_value());
  commands_.send(ActuatorId{0}, 42.5);
  const auto note = response();
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(note->payload, "42.5");
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 2; }));
  EXPECT_EQ(commands_.acks()[1].outcome, Outcome::done);
}

TEST_F(CoapServer, WhoResetsANotificationObservesNoMore) {
  serve("", {}, {"/valve"});
  pusher_.send(observing("/valve"));
  ASSERT_TRUE(response().has_value());
  commands_.send(ActuatorId{0}, 1);
  const auto note = pusher_.receive();
  ASSERT_TRUE(note.has_value());
  CoapMessage reset;
  reset.type = CoapMessage::kReset;
  reset.id = note->id;
  pusher_.send(reset);
  pusher_.put("/valve", "ping");  // refused, but answered: the reset has been read
  commands_.send(ActuatorId{0}, 2);
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 2; }));
  EXPECT_EQ(commands_.acks()[1].outcome, Outcome::unavailable);
}

TEST_F(CoapServer, BodiesThatNeverEndHoldUpNobody) {
  serve("", {"/list#[0]"});
  std::vector<std::unique_ptr<CoapPusher>> stalled;
  for (int i = 0; i < 70; ++i) {
    CoapMessage part;
    part.code = 3;
    part.id = 1;
    part.set_path("/list");
    part.set_number(CoapMessage::kBlock1, 8u | 2u);
    part.payload = std::string(64, '[');
    stalled.push_back(std::make_unique<CoapPusher>(port_));
    stalled.back()->send(part);
    const auto answer = stalled.back()->receive();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->code, 2 << 5 | 31);  // 2.31: go on
  }
  EXPECT_EQ(pusher_.put("/list", "[7]", 50), "2.04");
  EXPECT_TRUE(has(0, 7));
}

TEST_F(CoapServer, APortThatIsTakenIsTriedAgain) {
  auto taken = std::make_unique<CoapDevice>();
  taken->start();
  start(fmt::format("listen: coap://127.0.0.1:{}\n", taken->port()), {"/a"});
  ASSERT_TRUE(eventually([&] { return connector_->stats().errors > 0; }));
  EXPECT_NE(connector_->last_error().find("can not listen"), std::string::npos) << connector_->last_error();
  taken.reset();
  EXPECT_TRUE(eventually([&] { return connected(); }));
}

}  // namespace
}  // namespace alara::contract
