// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/server.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace alara::modbus {
namespace {

using wire::ModbusException;
using wire::ModbusFunction;
using Bytes = std::vector<std::uint8_t>;

// A client without any cleverness: sends bytes, receives bytes.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void say(const Bytes& bytes) const {
    EXPECT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  [[nodiscard]] Bytes hear(std::size_t size) const {
    Bytes bytes(size);
    const ssize_t got = recv(fd_, bytes.data(), size, MSG_WAITALL);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }

 private:
  const int fd_;
  bool connected_ = false;
};

Bytes request(std::uint8_t unit, const Bytes& pdu) {
  Bytes frame{0, 9, 0, 0, 0, static_cast<std::uint8_t>(pdu.size() + 1), unit};
  frame.insert(frame.end(), pdu.begin(), pdu.end());
  return frame;
}

class ServerTest : public testing::Test {
 protected:
  SystemClock clock_;
  RegisterBank bank_{{.coils = 16, .discrete = 16, .holding = 200, .input = 16}};
  std::unique_ptr<ServerThread> server_ = std::move(*ServerThread::create(clock_));
};

TEST_F(ServerTest, AnswersReadsAndWrites) {
  bank_.set_register(Table::holding, 2, 0x1234);
  const RawClient client(*server_->listen(0, bank_));
  client.say(request(1, {3, 0, 2, 0, 1}));
  EXPECT_EQ(client.hear(11), (Bytes{0, 9, 0, 0, 0, 5, 1, 3, 2, 0x12, 0x34}));
  client.say(request(1, {5, 0, 4, 0xFF, 0}));
  EXPECT_EQ(client.hear(12), request(1, {5, 0, 4, 0xFF, 0}));
  EXPECT_TRUE(bank_.bit(Table::coil, 4));
}

TEST_F(ServerTest, AnswersPipelinedRequestsInTheirOrder) {
  const RawClient client(*server_->listen(0, bank_));
  Bytes all;
  for (std::uint16_t i = 0; i < 100; ++i) {
    bank_.set_register(Table::holding, i, i);
    const Bytes one = request(1, {3, 0, static_cast<std::uint8_t>(i), 0, 1});
    all.insert(all.end(), one.begin(), one.end());
  }
  client.say(all);
  for (std::uint16_t i = 0; i < 100; ++i) EXPECT_EQ(client.hear(11).back(), i);
}

TEST_F(ServerTest, RefusesWhatIsNotThere) {
  const RawClient client(*server_->listen(0, bank_));
  client.say(request(1, {3, 0, 199, 0, 2}));
  EXPECT_EQ(client.hear(9), (Bytes{0, 9, 0, 0, 0, 3, 1, 0x83, 2}));
  client.say(request(1, {0x2B, 14, 1, 0}));
  EXPECT_EQ(client.hear(9), (Bytes{0, 9, 0, 0, 0, 3, 1, 0xAB, 1}));
  client.say(request(1, {3, 0, 0, 0, 126}));
  EXPECT_EQ(client.hear(9), (Bytes{0, 9, 0, 0, 0, 3, 1, 0x83, 3}));
  EXPECT_EQ(server_->stats().exceptions, 3u);
}

TEST_F(ServerTest, KeepsUnitsApart) {
  RegisterBank other({.coils = 0, .discrete = 0, .holding = 4, .input = 0});
  other.set_register(Table::holding, 0, 22);
  bank_.set_register(Table::holding, 0, 11);
  Result<std::uint16_t> port = std::uint16_t{0};
  server_->call([&](Server& server) { port = server.listen("127.0.0.1", 0, {{1, &bank_}, {2, &other}}); });
  const RawClient client(*port);
  client.say(request(1, {3, 0, 0, 0, 1}));
  EXPECT_EQ(client.hear(11).back(), 11);
  client.say(request(2, {3, 0, 0, 0, 1}));
  EXPECT_EQ(client.hear(11).back(), 22);
  client.say(request(3, {3, 0, 0, 0, 1}));
  EXPECT_EQ(client.hear(9).back(), static_cast<std::uint8_t>(ModbusException::gateway_target));
}

TEST_F(ServerTest, SendsClientsAwayThatSpeakSomethingElse) {
  const RawClient client(*server_->listen(0, bank_));
  client.say({'G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P'});
  EXPECT_TRUE(client.hear(1).empty());
  EXPECT_EQ(server_->stats().corrupt, 1u);
}

TEST_F(ServerTest, LimitsWhatASilentReaderCanMakeItKeep) {
  const std::uint16_t port = *server_->listen(0, bank_);
  const RawClient greedy(port);
  const Bytes one = request(1, {3, 0, 0, 0, 125});
  Bytes many;
  for (int i = 0; i < 20'000; ++i) many.insert(many.end(), one.begin(), one.end());
  std::jthread sender([&] { greedy.say(many); });
  const RawClient other(port);  // is served meanwhile
  other.say(request(1, {3, 0, 0, 0, 1}));
  EXPECT_EQ(other.hear(11).size(), 11u);
  std::size_t heard = 0;
  while (heard < 20'000u * 259u) {
    const Bytes part = greedy.hear(259);
    ASSERT_EQ(part.size(), 259u);
    heard += part.size();
  }
}

TEST_F(ServerTest, ListensAgainOnThePortOfAServerThatEnded) {
  const std::uint16_t port = *server_->listen(0, bank_);
  const RawClient client(port);
  server_ = std::move(*ServerThread::create(clock_));
  EXPECT_TRUE(server_->listen(port, bank_));
  EXPECT_TRUE(RawClient(port).connected());
  EXPECT_FALSE(server_->listen(port, bank_)) << "a port that is taken";
}

TEST(RegisterBank, TellsWhatWasWritten) {
  std::vector<std::tuple<Table, int, int>> written;
  RegisterBank bank(
      {.coils = 8, .discrete = 0, .holding = 8, .input = 0},
      [&](Table table, std::uint16_t first, std::uint16_t count) { written.emplace_back(table, first, count); });
  const Bytes data{0, 1, 0, 2};
  EXPECT_EQ(bank.serve({ModbusFunction::write_registers, 3, 2, data}, {}), ModbusException::none);
  EXPECT_EQ(bank.serve({ModbusFunction::write_registers, 7, 2, data}, {}), ModbusException::illegal_address);
  EXPECT_EQ(written, (std::vector<std::tuple<Table, int, int>>{{Table::holding, 3, 2}}));
  EXPECT_EQ(bank.register_at(Table::holding, 4), 2);
}

TEST(RegisterBank, MasksARegisterAsTheSpecificationSays) {
  RegisterBank bank({.coils = 0, .discrete = 0, .holding = 8, .input = 0});
  bank.set_register(Table::holding, 4, 0x12);
  const Bytes masks{0x00, 0xF2, 0x00, 0x25};
  EXPECT_EQ(bank.serve({ModbusFunction::mask_register, 4, 1, masks}, {}), ModbusException::none);
  EXPECT_EQ(bank.register_at(Table::holding, 4), 0x17);  // the example of section 6.16
}

}  // namespace
}  // namespace alara::modbus
