// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>

#include "learn/data/test_files.hpp"
#include "learn/plan/checkpoint.hpp"
#include "learn/plan/rate_schedule.hpp"
#include "learn/plan/train_options.hpp"

namespace alara::learn {
namespace {

Checkpoint example() {
  Checkpoint out;
  out.fingerprint = "epochs=3 \"quoted\"";
  out.epoch = 2;
  out.batch = 17;
  out.step = 1017;
  out.loss_sum = 0.1 + 0.2;
  out.rows = 12;
  out.right = 7;
  out.best_score = -1.0 / 3;
  out.curve = {{1, 0.1, 2.3, 10, 2.2, 11, 0.5}};
  out.tensors["parameter/w"] = counting({2, 3});
  out.tensors["statistic/m"] = counting({1});
  return out;
}

TEST(Checkpoint, ComesBackExactly) {
  const TestFolder folder;
  const Checkpoint checkpoint = example();
  ASSERT_TRUE(write_checkpoint(checkpoint, folder.path() / "c"));
  const auto read = read_checkpoint(folder.path() / "c");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, checkpoint);
}

TEST(Checkpoint, IsRefusedWhenAnyByteIsChangedOrMissing) {
  const std::string bytes = to_bytes(example());
  const auto kind = [](const std::string& text) {
    const auto checkpoint = parse_checkpoint(std::as_bytes(std::span(text)));
    return checkpoint ? ErrorKind::internal : checkpoint.error().kind;
  };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_EQ(kind(changed), ErrorKind::corrupt) << i;
    EXPECT_EQ(kind(bytes.substr(0, i)), ErrorKind::corrupt) << i;
  }
  EXPECT_EQ(kind(sealed("{}", "")), ErrorKind::corrupt);
}

TEST(Checkpoint, IsRefusedWhenACountIsNone) {
  const std::string whole = to_bytes(example());
  std::uint64_t length = 0;
  std::memcpy(&length, whole.data() + 8, sizeof length);
  const std::string header = whole.substr(16, length);
  const auto complaint = [&](const std::string& from, const std::string& to) {
    std::string changed = header;
    changed.replace(changed.find(from), from.size(), to);
    const std::string file = sealed(changed, std::string(28, '\0'));
    const auto checkpoint = parse_checkpoint(std::as_bytes(std::span(file)));
    return checkpoint ? "" : checkpoint.error().message;
  };
  EXPECT_EQ(complaint("\"batch\":17", "\"batch\":17"), "");
  for (const char* batch : {"-1", "9223372036854775808"})
    EXPECT_EQ(complaint("\"batch\":17", fmt::format("\"batch\":{}", batch)), "the checkpoint has a count out of range");
  EXPECT_EQ(complaint("\"epoch\":2", "\"epoch\":2147483648"), "the checkpoint has a count out of range");
  EXPECT_NE(complaint("\"batch\":17", "\"batch\":1e56").find("can not be read"), std::string::npos);
  EXPECT_NE(complaint("\"shape\":[2,3]", "\"shape\":[2,-3]").find("negative size"), std::string::npos);
}

TEST(LearningCurve, ComesBackFromJson) {
  const LearningCurve curve = example().curve;
  EXPECT_EQ(parse_curve(curve_json(curve)), curve);
  EXPECT_EQ(parse_curve("[{}]").error().kind, ErrorKind::corrupt);
  std::string beyond = curve_json(curve);
  beyond.replace(beyond.find(": 1,"), 4, ": 3000000000,");
  EXPECT_EQ(parse_curve(beyond).error().kind, ErrorKind::corrupt);
}

TEST(RateSchedule, RisesThenFallsAlongACosine) {
  const RateSchedule schedule{.warm_up = 0.1};
  EXPECT_DOUBLE_EQ(schedule.factor_at(0, 100), 0.1);
  EXPECT_DOUBLE_EQ(schedule.factor_at(9, 100), 1);
  EXPECT_DOUBLE_EQ(schedule.factor_at(10, 100), 1);
  EXPECT_NEAR(schedule.factor_at(55, 100), 0.5, 1e-12);
  EXPECT_NEAR(schedule.factor_at(100, 100), 0, 1e-12);
}

TEST(RateSchedule, FallsInSteps) {
  RateSchedule schedule;
  schedule.shape = RateSchedule::Shape::steps;
  schedule.warm_up = 0;
  EXPECT_DOUBLE_EQ(schedule.factor_at(49, 100), 1);
  EXPECT_DOUBLE_EQ(schedule.factor_at(50, 100), 0.1);
  EXPECT_NEAR(schedule.factor_at(80, 100), 0.01, 1e-15);
}

TEST(TrainOptions, SayWhatIsOutOfRange) {
  TrainOptions options;
  EXPECT_TRUE(options.check());
  options.momentum = 1;
  EXPECT_EQ(options.check().error().message, "training: momentum 1 is not within 0 and 0.9999");
}

TEST(TrainOptions, HaveAnotherFingerprintForAnotherResult) {
  TrainOptions options, other;
  other.threads = 2;
  EXPECT_EQ(options.fingerprint(), other.fingerprint());
  other.augmentation.shift = 1;
  EXPECT_NE(options.fingerprint(), other.fingerprint());
}

}  // namespace
}  // namespace alara::learn
