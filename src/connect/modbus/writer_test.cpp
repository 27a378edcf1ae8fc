// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/writer.hpp"

#include <deque>
#include <limits>

#include <gtest/gtest.h>

#include "connect/modbus/register_bank.hpp"

namespace alara::modbus {
namespace {

using wire::ModbusFunction;

class CommandList final : public CommandInbox {
 public:
  bool pop(Command& command) override {
    if (waiting.empty()) return false;
    command = waiting.front();
    waiting.pop_front();
    return true;
  }
  int event_fd() const override { return -1; }
  void acknowledge(const Ack& ack) override { acks.push_back(ack); }

  std::deque<Command> waiting;
  std::vector<Ack> acks;
};

class WriterTest : public testing::Test {
 protected:
  void make(std::vector<std::string> addresses) {
    std::vector<Actuator> actuators;
    for (const std::string& text : addresses)
      actuators.push_back({ActuatorId{static_cast<std::uint32_t>(actuators.size())}, *parse_address(text, {})});
    writer_ = std::make_unique<Writer>(std::move(actuators), settings_, telemetry_);
    writer_->begin(&inbox_);
    writer_->set_connected(true);
  }

  void command(std::uint32_t actuator, double value, bool verify = false) {
    inbox_.waiting.push_back(
        {.id = CommandId{++last_id_}, .actuator = ActuatorId{actuator}, .value = value, .verify = verify});
    writer_->take(0);
  }

  // Lets the bank answer all that is to be sent; the functions used, in order.
  std::vector<ModbusFunction> answer_all() {
    std::vector<ModbusFunction> functions;
    Write write;
    while (writer_->next(write)) {
      const wire::ModbusRequest request = write.request();
      functions.push_back(request.function);
      std::vector<std::uint8_t> payload(
          wire::is_read(request.function) ? wire::payload_bytes(request.function, request.count) : 0);
      wire::ModbusAnswer answer;
      answer.exception = bank_.serve(request, payload);
      answer.kind = answer.exception == wire::ModbusException::none ? wire::ModbusAnswer::Kind::good
                                                                    : wire::ModbusAnswer::Kind::exception;
      answer.payload = payload;
      writer_->answered(write, answer, 42);
    }
    return functions;
  }

  Outcome last_outcome() const { return inbox_.acks.empty() ? Outcome::unavailable : inbox_.acks.back().outcome; }

  Settings settings_;
  Telemetry telemetry_;
  CommandList inbox_;
  RegisterBank bank_{{.coils = 16, .discrete = 0, .holding = 64, .input = 0}};
  std::unique_ptr<Writer> writer_;
  std::uint64_t last_id_ = 0;
};

TEST_F(WriterTest, ChoosesTheFunctionForTheTarget) {
  make({"coil/3", "holding/5", "holding/6:float32CDAB", "holding/9.3"});
  for (std::uint32_t actuator = 0; actuator < 4; ++actuator) command(actuator, 1);
  EXPECT_EQ(answer_all(), (std::vector{ModbusFunction::write_coil, ModbusFunction::write_register,
                                       ModbusFunction::write_registers, ModbusFunction::mask_register}));
  EXPECT_TRUE(bank_.bit(Table::coil, 3));
  EXPECT_EQ(bank_.register_at(Table::holding, 5), 1);
  EXPECT_EQ(bank_.value(Table::holding, 6, {.type = wire::RegisterType::float32, .order = wire::ByteOrder::cdab}), 1);
  EXPECT_EQ(bank_.register_at(Table::holding, 9), 8);
  ASSERT_EQ(inbox_.acks.size(), 4u);
  for (const Ack& ack : inbox_.acks) {
    EXPECT_EQ(ack.outcome, Outcome::done);
    EXPECT_EQ(ack.at, 42);
  }
}

TEST_F(WriterTest, WritesMultipleWhereADeviceWantsThat) {
  settings_.write_single = false;
  make({"coil/3", "holding/5"});
  command(0, 1);
  command(1, 77);
  EXPECT_EQ(answer_all(), (std::vector{ModbusFunction::write_coils, ModbusFunction::write_registers}));
  EXPECT_TRUE(bank_.bit(Table::coil, 3));
  EXPECT_EQ(bank_.register_at(Table::holding, 5), 77);
}

TEST_F(WriterTest, LeavesTheOtherBitsOfARegisterAlone) {
  bank_.set_register(Table::holding, 9, 0b1010'0000'0000'0001);
  make({"holding/9.15", "holding/9.1"});
  command(0, 0);
  command(1, 1);
  answer_all();
  EXPECT_EQ(bank_.register_at(Table::holding, 9), 0b0010'0000'0000'0011);
}

TEST_F(WriterTest, ReadsBackWhatItWrote) {
  make({"holding/5:int16*0.1", "coil/2"});
  command(0, 12.5, true);
  command(1, 1, true);
  EXPECT_EQ(answer_all(), (std::vector{ModbusFunction::write_register, ModbusFunction::read_holding,
                                       ModbusFunction::write_coil, ModbusFunction::read_coils}))
      << "the read-back goes before the next write";
  ASSERT_EQ(inbox_.acks.size(), 2u);
  EXPECT_EQ(inbox_.acks[0].outcome, Outcome::done);
  EXPECT_DOUBLE_EQ(inbox_.acks[0].read_back, 12.5);
}

TEST_F(WriterTest, SaysWhenTheDeviceKeptAnotherValue) {
  make({"holding/5"});
  command(0, 9, true);
  Write write;
  ASSERT_TRUE(writer_->next(write));
  wire::ModbusAnswer echo;
  echo.kind = wire::ModbusAnswer::Kind::good;
  writer_->answered(write, echo, 1);
  ASSERT_TRUE(writer_->next(write));
  const std::array<std::uint8_t, 2> other{0, 8};
  echo.payload = other;
  writer_->answered(write, echo, 2);
  EXPECT_EQ(last_outcome(), Outcome::mismatch);
  EXPECT_EQ(inbox_.acks.back().read_back, 8);
}

TEST_F(WriterTest, RefusesValuesThatDoNotFit) {
  make({"holding/5", "coil/1"});
  command(0, 70000);
  EXPECT_EQ(last_outcome(), Outcome::refused_rule);
  command(1, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(inbox_.acks.size(), 2u);
  EXPECT_EQ(last_outcome(), Outcome::refused_rule);
  EXPECT_TRUE(answer_all().empty());
}

TEST_F(WriterTest, PassesOnTheDevicesRefusal) {
  bank_.refuse(Table::holding, 5, 1, wire::ModbusException::illegal_value);
  make({"holding/5"});
  command(0, 1);
  answer_all();
  EXPECT_EQ(last_outcome(), Outcome::refused_device);
}

TEST_F(WriterTest, NeverKeepsACommandForLaterWhenNotConnected) {
  make({"holding/5"});
  command(0, 1);
  writer_->set_connected(false);
  writer_->drop_queued(7);
  EXPECT_EQ(last_outcome(), Outcome::unavailable);
  command(0, 1);
  EXPECT_EQ(inbox_.acks.size(), 2u);
  EXPECT_EQ(last_outcome(), Outcome::unavailable);
  writer_->set_connected(true);
  EXPECT_TRUE(answer_all().empty());
}

TEST_F(WriterTest, AcknowledgesEveryCommandWhenTheQueueOverflows) {
  make({"holding/5"});
  for (std::size_t i = 0; i < Writer::kMostQueued + 10; ++i) command(0, 1);
  EXPECT_EQ(inbox_.acks.size(), 10u);
  answer_all();
  EXPECT_EQ(inbox_.acks.size(), Writer::kMostQueued + 10);
}

}  // namespace
}  // namespace alara::modbus
