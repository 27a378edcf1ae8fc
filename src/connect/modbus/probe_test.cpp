// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/probe.hpp"

#include <gtest/gtest.h>

#include "connect/modbus/server.hpp"

namespace alara::modbus {
namespace {

class ProbeTest : public testing::Test {
 protected:
  Result<Probe> ask(std::string_view address) {
    Settings settings;
    settings.endpoint = {"127.0.0.1", port_};
    return probe(settings, *parse_address(address, {}), clock_);
  }

  SystemClock clock_;
  RegisterBank bank_{{.coils = 20, .discrete = 0, .holding = 20, .input = 0}};
  std::unique_ptr<ServerThread> server_ = std::move(*ServerThread::create(clock_));
  std::uint16_t port_ = *server_->listen(0, bank_);
};

TEST_F(ProbeTest, ShowsARegisterInEveryTypeAndOrder) {
  bank_.set_value(Table::holding, 4, {.type = wire::RegisterType::float32, .order = wire::ByteOrder::cdab}, 123.456F);
  const auto found = ask("holding/4");
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->bytes.size(), 16u);
  ASSERT_EQ(found->rows.size(), 11u);
  const std::string table = format_probe(*found);
  EXPECT_NE(table.find("123.456"), std::string::npos) << table;
  EXPECT_NE(table.find("E979 42F6"), std::string::npos) << table;
}

TEST_F(ProbeTest, TakesLessWhereThereIsLess) {
  bank_.set_register(Table::holding, 19, 77);
  const auto found = ask("holding/19");
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->bytes.size(), 2u);
  EXPECT_EQ(found->rows.size(), 3u);
  EXPECT_EQ(found->rows[0].value[0], 77);
}

TEST_F(ProbeTest, ShowsBits) {
  bank_.set_bit(Table::coil, 3, true);
  const auto found = ask("coil/2");
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->bytes.size(), 16u);
  EXPECT_EQ(found->bytes[1], 1);
  EXPECT_NE(format_probe(*found).find("coil/3  1"), std::string::npos);
}

TEST_F(ProbeTest, SaysWhyThereIsNothing) {
  const auto beyond = ask("holding/20");
  ASSERT_FALSE(beyond);
  EXPECT_NE(beyond.error().message.find("illegal address"), std::string::npos) << beyond.error().message;
  server_.reset();
  const auto gone = ask("holding/0");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::unavailable);
}

}  // namespace
}  // namespace alara::modbus
