// SPDX-License-Identifier: Apache-2.0
#include "base/endpoint.hpp"

#include <gtest/gtest.h>

namespace alara {
namespace {

TEST(EndpointTest, ReadsHostAndPort) {
  const auto text = [](std::string_view endpoint) {
    return parse_endpoint(endpoint, "tcp", 502).value_or(Endpoint{"refused", 0}).text();
  };
  EXPECT_EQ(text("tcp://10.0.0.5:5020"), "10.0.0.5:5020");
  EXPECT_EQ(text("tcp://plc.local"), "plc.local:502");
  EXPECT_EQ(text("tcp://[::1]:503"), "[::1]:503");
  EXPECT_EQ(text("tcp://[fe80::1]"), "[fe80::1]:502");
}

TEST(EndpointTest, RefusesNonsenseWithAHint) {
  for (const char* endpoint :
       {"", "10.0.0.5", "http://a", "tcp://", "tcp://:502", "tcp://a:0", "tcp://a:65536", "tcp://a:", "tcp://a:5x",
        "tcp://[::1", "tcp://[::1]502", "tcp://a/b", "tcp://a b", "tcp://user@a"}) {
    const auto refused = parse_endpoint(endpoint, "tcp", 502);
    ASSERT_FALSE(refused) << endpoint;
    EXPECT_NE(refused.error().text().find("tcp://host:port"), std::string::npos);
  }
}

TEST(EndpointTest, TurnsNumbersIntoAddressesAtOnce) {
  EXPECT_EQ(numeric_address({"127.0.0.1", 502})->storage.ss_family, AF_INET);
  EXPECT_EQ(numeric_address({"::1", 502})->storage.ss_family, AF_INET6);
  EXPECT_EQ(numeric_address({"localhost", 502}).error().kind, ErrorKind::not_found);
}

class ResolverTest : public testing::Test {
 protected:
  // Turns the loop until `done` or five seconds are over.
  void turn_until(const bool& done) {
    bool late = false;
    loop_->at(clock_.monotonic() + 5 * kSecond, [&late] { late = true; });
    while (!done && !late) loop_->run_once(kNever);
  }
  SystemClock clock_;
  std::unique_ptr<IoLoop> loop_ = std::move(*IoLoop::create(clock_));
};

TEST_F(ResolverTest, AnswersOnTheLoopAndNeverFromWithinTheQuestion) {
  Resolver resolver(*loop_);
  for (const char* host : {"127.0.0.1", "localhost"}) {
    bool done = false;
    resolver.resolve({host, 502}, [&](const Result<std::vector<SocketAddress>>& addresses) {
      EXPECT_TRUE(addresses && !addresses->empty());
      done = true;
    });
    EXPECT_FALSE(done);
    turn_until(done);
    EXPECT_TRUE(done) << host;
  }
}

TEST_F(ResolverTest, SaysNothingOnceCancelled) {
  bool told = false;
  {
    Resolver resolver(*loop_);
    resolver.resolve({"127.0.0.1", 502}, [&](const Result<std::vector<SocketAddress>>&) { told = true; });
  }
  loop_->run_once(0);
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace alara
