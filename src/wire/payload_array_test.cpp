// SPDX-License-Identifier: Apache-2.0
#include "wire/payload_array.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace alara::wire {
namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr Nanos kTime = 1'600'000'000 * kSecond;

Bytes golden() {  // the example of docs/formats/array.md
  return {0xA1, 0xED, 0x09, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0xA0, 0xD8,
          0x85, 0x57, 0x34, 0x16, 0x00, 0x00, 0xC0, 0x3F, 0x00, 0x00, 0x00, 0xC0};
}

std::vector<double> decoded(const ArrayView& view) {
  std::vector<double> values(view.count);
  decode_elements(view, values);
  return values;
}

PayloadFault fault_of(const Bytes& bytes, const PayloadLimits& limits = {}) {
  ArrayView view;
  return read_array(bytes, limits, view);
}

TEST(PayloadArray, ReadsTheGoldenBytes) {
  ArrayView view;
  const Bytes bytes = golden();
  ASSERT_EQ(read_array(bytes, {}, view), PayloadFault::none);
  EXPECT_EQ(view.type, ElementType::float32);
  EXPECT_EQ(view.time, kTime);
  EXPECT_EQ(view.step, 0);
  EXPECT_EQ(decoded(view), (std::vector<double>{1.5, -2}));
}

TEST(PayloadArray, WritesTheGoldenBytes) {
  Bytes bytes;
  write_array({ElementType::float32, kTime, 0}, std::vector<double>{1.5, -2}, bytes);
  EXPECT_EQ(bytes, golden());
}

TEST(PayloadArray, AHundredFloatsTake416Bytes) {
  Bytes bytes;
  write_array({ElementType::float32, kTime, 0}, std::vector<double>(100, 1.0), bytes);
  EXPECT_EQ(bytes.size(), 416u);
}

TEST(PayloadArray, EveryTypeReadsBackWhatItWrote) {
  for (int type = 1; type <= 10; ++type) {
    const auto element = static_cast<ElementType>(type);
    EXPECT_EQ(element_type_named(name_of(element)), element);
    Bytes bytes;
    write_array({element, std::nullopt, 50 * kMicrosecond}, std::vector<double>{0, 1, 100}, bytes);
    ArrayView view;
    ASSERT_EQ(read_array(bytes, {}, view), PayloadFault::none) << name_of(element);
    EXPECT_FALSE(view.time.has_value());
    EXPECT_EQ(view.step, 50 * kMicrosecond);
    EXPECT_EQ(decoded(view), (std::vector<double>{0, 1, 100})) << name_of(element);
  }
}

TEST(PayloadArray, WritingClampsToTheRangeOfTheType) {
  Bytes bytes;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  write_array({ElementType::int16, std::nullopt, 0}, std::vector<double>{1e9, -1e9, nan}, bytes);
  ArrayView view;
  ASSERT_EQ(read_array(bytes, {}, view), PayloadFault::none);
  EXPECT_EQ(decoded(view), (std::vector<double>{32767, -32768, 0}));
  write_array({ElementType::uint64, std::nullopt, 0}, std::vector<double>{1e30, -1}, bytes);
  ASSERT_EQ(read_array(bytes, {}, view), PayloadFault::none);
  EXPECT_EQ(decoded(view), (std::vector<double>{18446744073709551615.0, 0}));
}

TEST(PayloadArray, CountsWhatIsNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();
  for (const ElementType type : {ElementType::float32, ElementType::float64}) {
    Bytes bytes;
    write_array({type, kTime, 0}, std::vector<double>{1, nan, 3, -infinite, infinite}, bytes);
    ArrayView view;
    ASSERT_EQ(read_array(bytes, {}, view), PayloadFault::none);
    std::vector<double> values(view.count);
    EXPECT_EQ(decode_elements(view, values), 3u);
    EXPECT_EQ(values[2], 3);
  }
}

TEST(PayloadArray, EveryTruncationIsSeen) {
  for (std::size_t size = 0; size < golden().size(); ++size) {
    Bytes bytes = golden();
    bytes.resize(size);
    EXPECT_EQ(fault_of(bytes), PayloadFault::truncated) << size;
  }
}

TEST(PayloadArray, BadHeadersAreRefusedByKind) {
  Bytes bytes = golden();
  bytes[0] = 0;
  EXPECT_EQ(fault_of(bytes), PayloadFault::malformed);
  bytes = golden();
  bytes[2] = 11;
  EXPECT_EQ(fault_of(bytes), PayloadFault::wrong_type);
  bytes = golden();
  bytes[3] = 0x80;
  EXPECT_EQ(fault_of(bytes), PayloadFault::malformed);
  bytes = golden();
  bytes[15] = 0xFF;  // a negative time
  EXPECT_EQ(fault_of(bytes), PayloadFault::bad_time);
  bytes = golden();
  bytes.push_back(0);
  EXPECT_EQ(fault_of(bytes), PayloadFault::malformed);
  bytes = golden();
  bytes[4] = bytes[5] = bytes[6] = bytes[7] = 0xFF;  // four billion elements
  EXPECT_EQ(fault_of(bytes), PayloadFault::too_many);
}

TEST(PayloadArray, LimitsHoldExactly) {
  PayloadLimits limits;
  limits.bytes = golden().size();
  limits.count = 2;
  EXPECT_EQ(fault_of(golden(), limits), PayloadFault::none);
  limits.bytes -= 1;
  EXPECT_EQ(fault_of(golden(), limits), PayloadFault::too_large);
  limits.bytes += 1;
  limits.count = 1;
  EXPECT_EQ(fault_of(golden(), limits), PayloadFault::too_many);
}

TEST(PayloadArray, StepsThatMakeNoWaveformAreRefused) {
  Bytes bytes;
  write_array({ElementType::int8, kNever - 5, 10}, std::vector<double>{1, 2}, bytes);
  EXPECT_EQ(fault_of(bytes), PayloadFault::bad_time);
  write_array({ElementType::int8, kTime, 2 * kHour}, std::vector<double>{1, 2}, bytes);
  EXPECT_EQ(fault_of(bytes), PayloadFault::malformed);
}

TEST(PayloadArray, BareElementsNeedAWholeNumberOfThem) {
  const Bytes bytes{0x01, 0x00, 0xFF, 0xFF, 0x07};
  ArrayView view;
  EXPECT_EQ(read_bare_array(bytes, ElementType::int16, {}, view), PayloadFault::truncated);
  EXPECT_EQ(read_bare_array({}, ElementType::int16, {}, view), PayloadFault::truncated);
  ASSERT_EQ(read_bare_array(std::span(bytes).first(4), ElementType::int16, {}, view), PayloadFault::none);
  EXPECT_EQ(decoded(view), (std::vector<double>{1, -1}));
}

}  // namespace
}  // namespace alara::wire
