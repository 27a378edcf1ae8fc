// SPDX-License-Identifier: Apache-2.0
// Frames as text: candump's logs and slcan's line.
#include <gtest/gtest.h>

#include "wire/can/frame.hpp"

namespace alara::wire::can {
namespace {

Frame frame(std::uint32_t id, bool extended, std::initializer_list<std::uint8_t> data) {
  Frame out;
  out.id = id;
  out.extended = extended;
  for (const std::uint8_t byte : data) out.data[out.size++] = byte;
  return out;
}

TEST(Candump, ReadsLogsAndScreens) {
  const auto log = parse_candump("(1436509052.249713) vcan0 044#2A366C2BBA");
  ASSERT_TRUE(log.has_value()) << log.error().text();
  EXPECT_EQ(log->frame, frame(0x44, false, {0x2A, 0x36, 0x6C, 0x2B, 0xBA}));
  EXPECT_EQ(*log->time, 1436509052 * kSecond + 249'713'000);
  EXPECT_EQ(parse_candump("  can0  18FEF100   [3]  01 02 FF")->frame, frame(0x18FEF100, true, {1, 2, 0xFF}));
  EXPECT_FALSE(parse_candump("can0 123#")->time.has_value());
  EXPECT_EQ(parse_candump(" (0.5)  can0  123   [0]")->time, kSecond / 2);
}

TEST(Candump, ReadsRemoteAndFdFrames) {
  const auto remote = parse_candump("can0 123#R4");
  EXPECT_TRUE(remote->frame.remote);
  EXPECT_EQ(remote->frame.size, 4);
  EXPECT_TRUE(remote->frame.bytes().empty());
  const auto fd = parse_candump("(1.0) can0 123##3000102030405060708090A0B");
  ASSERT_TRUE(fd.has_value()) << fd.error().text();
  EXPECT_TRUE(fd->frame.fd);
  EXPECT_EQ(fd->frame.size, 12);
  EXPECT_EQ(fd->frame.data[11], 11);
}

TEST(Candump, SaysWhatIsWrong) {
  EXPECT_EQ(parse_candump("").error().kind, ErrorKind::not_found);
  EXPECT_EQ(parse_candump("(1.0) can0 20000004#0004000000000000").error().kind, ErrorKind::not_found) << "error frame";
  for (const char* bad :
       {"can0", "can0 12#00", "can0 FFF#00", "can0 123#0", "can0 123#001122334455667788", "can0 123#R9",
        "can0 123 [3] 01 02", "can0 123 3 01", "(x) can0 123#00", "(34649075137) can0 123#00", "(1.0 can0 123#00",
        "can0 123##", "can0 123##3001122334455667788", "can0 123 [99] 00", "can0 123 [2] 0 00"})
    EXPECT_EQ(parse_candump(bad).error().kind, ErrorKind::corrupt) << bad;
}

TEST(Candump, WritesWhatItReads) {
  for (const Frame& each : {frame(0x123, false, {1, 2}), frame(0x18FEF100, true, {}), frame(0x7FF, false, {0xFF})}) {
    const auto again = parse_candump(candump_line(each, 5 * kSecond + 7 * kMicrosecond, "can0"));
    ASSERT_TRUE(again.has_value()) << again.error().text();
    EXPECT_EQ(again->frame, each);
    EXPECT_EQ(*again->time, 5 * kSecond + 7 * kMicrosecond);
  }
}

std::vector<SlcanReader::Item> read(std::string_view text, std::size_t portion = 1000) {
  SlcanReader reader;
  std::vector<SlcanReader::Item> items;
  for (std::size_t at = 0; at < text.size(); at += portion) {
    const std::string_view part = text.substr(at, portion);
    std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(part.data()), part.size());
    while (const auto item = reader.next(bytes)) items.push_back(*item);
  }
  return items;
}

using Kind = SlcanReader::Kind;

TEST(Slcan, ReadsFramesInAnyPortions) {
  for (const std::size_t portion : {1u, 3u, 100u}) {
    const auto items = read("t1232AABB\rT18FEF1001FF\rr1234\rt1232AABB1F2E\r", portion);
    ASSERT_EQ(items.size(), 4u);
    EXPECT_EQ(items[0].frame, frame(0x123, false, {0xAA, 0xBB}));
    EXPECT_EQ(items[1].frame, frame(0x18FEF100, true, {0xFF}));
    EXPECT_TRUE(items[2].frame.remote);
    EXPECT_EQ(items[3].frame, items[0].frame) << "with the adapter's time behind it";
  }
}

TEST(Slcan, TellsAnswersFromFramesAndGarbage) {
  const auto items = read("z\r\r\aV1013\rt12\rhello\rtXYZ0\rT18FEF1009\rt1232AAB\r\a");
  std::vector<Kind> kinds;
  for (const auto& item : items) kinds.push_back(item.kind);
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::sent, Kind::done, Kind::refused, Kind::other, Kind::garbage, Kind::garbage,
                                      Kind::garbage, Kind::garbage, Kind::garbage, Kind::refused}));
}

TEST(Slcan, AnEndlessLineIsOneGarbageAndTheNextIsRead) {
  const auto items = read(std::string(100'000, 't') + "\rt0010\r");
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].kind, Kind::garbage);
  EXPECT_EQ(items[1].frame, frame(1, false, {}));
}

TEST(Slcan, WritesWhatItReads) {
  for (const Frame& each : {frame(0x123, false, {1, 2}), frame(0x18FEF100, true, {1, 2, 3, 4, 5, 6, 7, 8})}) {
    const auto items = read(*slcan_line(each));
    ASSERT_EQ(items.size(), 1u);
    EXPECT_EQ(items[0].frame, each);
  }
  Frame fd = frame(1, false, {});
  fd.fd = true;
  EXPECT_FALSE(slcan_line(fd).has_value());
}

}  // namespace
}  // namespace alara::wire::can
