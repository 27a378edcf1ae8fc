// SPDX-License-Identifier: Apache-2.0
#include "flow/publish/publish.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/document.hpp"

namespace alara::flow {
namespace {

class Recorder final : public Decisions {
 public:
  bool send(const Command&) override { return false; }
  CommandId next_command_id() override { return {}; }
  void publish(Event&&) override {}
  bool hand_out(const OutletSample& sample) override {
    if (!full) samples.push_back(sample);
    return !full;
  }
  void audit(std::string_view, const Command&, std::string_view) override {}
  std::vector<OutletSample> samples;
  bool full = false;
};

class Book final : public OutletBook {
 public:
  Result<OutletId> outlet(const Node& address, std::size_t slot, const ValueInfo& value) override {
    if (address.scalar.empty()) return fail_at(address.where, "no address");
    asked.push_back(fmt::format("{} {} {}", address.scalar, slot, value.name));
    return static_cast<OutletId>(slot);
  }
  std::vector<std::string> asked;
};

class PublishTest : public ::testing::Test {
 protected:
  void make(const std::string& options) {
    node = parse_document(options, "site.yaml").value();
    std::vector<Error> errors;
    publish_kind().schema().check(node, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text();
    OperatorContext context;
    context.assets = assets;
    context.decisions = &decisions;
    context.outlets = &book;
    const std::vector<ValueInfo> inputs{{.name = "temperature", .unit = {}, .rate_hz = 1}};
    auto made = publish_kind().make(node, inputs, context);
    ASSERT_TRUE(made.has_value()) << made.error().text();
    code = std::move(made->code);
  }
  void row(Nanos now, double value, std::uint32_t slot = 0, Quality quality = Quality::good) {
    const std::span<const double> column(&value, 1);
    Frame frame;
    frame.only_slot = slot;
    frame.time = {&now, 1};
    frame.quality = {&quality, 1};
    frame.columns = {&column, 1};
    frame.now = now;
    frame.arrival = 7;
    code->process(frame, out);
  }
  void pass(Nanos now) { code->advance(now, now, out); }
  [[nodiscard]] std::vector<double> values() const {
    std::vector<double> all;
    for (const OutletSample& sample : decisions.samples) all.push_back(sample.value);
    return all;
  }
  [[nodiscard]] std::uint64_t counter(std::string_view name) const {
    std::vector<Operator::Counter> all;
    code->counters(all);
    for (const auto& each : all)
      if (each.name == name) return each.value;
    return 999;
  }

  const std::vector<AssetId> assets{AssetId{3}, AssetId{4}};
  Node node;
  Recorder decisions;
  Book book;
  std::unique_ptr<Operator> code;
  FrameBuilder out{0};
};

using Values = std::vector<double>;

TEST_F(PublishTest, HandsOutEachSampleWithItsTimeQualityAndArrival) {
  make(R"({values: [temperature], to: "cloud/{asset}/{value}"})");
  EXPECT_EQ(book.asked,
            (std::vector<std::string>{"cloud/{asset}/{value} 0 temperature", "cloud/{asset}/{value} 1 temperature"}));
  row(10, 21);
  row(11, 21, 1, Quality::uncertain);
  ASSERT_EQ(decisions.samples.size(), 2u);
  EXPECT_EQ(decisions.samples[0].outlet, OutletId{0});
  EXPECT_EQ(decisions.samples[0].time, 10);
  EXPECT_EQ(decisions.samples[0].arrival, 7);
  EXPECT_EQ(decisions.samples[1].outlet, OutletId{1});
  EXPECT_EQ(decisions.samples[1].quality, Quality::uncertain);
  EXPECT_EQ(code->next_due(), kNever);
}

TEST_F(PublishTest, SendsTheNewestOncePerInterval) {
  make(R"({values: temperature, to: "cloud/x", every: 1s})");
  row(kSecond, 1);
  row(kSecond + 1, 2);
  row(kSecond + 2, 3);
  row(kSecond + 3, 9, 1);  // the other asset has an interval of its own
  EXPECT_EQ(values(), (Values{1, 9}));
  EXPECT_EQ(code->next_due(), 2 * kSecond);
  pass(2 * kSecond - 1);
  EXPECT_EQ(values(), (Values{1, 9}));
  pass(2 * kSecond);
  EXPECT_EQ(values(), (Values{1, 9, 3}));
  EXPECT_EQ(counter("replaced"), 1u);
  EXPECT_EQ(code->next_due(), kNever);
  row(3 * kSecond, 4);
  EXPECT_EQ(values(), (Values{1, 9, 3, 4}));
}

TEST_F(PublishTest, AClockThatIsSetBackHoldsNothingForLonger) {
  make(R"({values: temperature, to: "cloud/x", every: 1s})");
  row(kHour, 1);
  row(kHour + 1, 2);
  pass(10 * kSecond);  // set back by almost an hour
  EXPECT_EQ(code->next_due(), 11 * kSecond);
  pass(11 * kSecond);
  EXPECT_EQ(values(), (Values{1, 2}));
  row(12 * kSecond, 3);
  EXPECT_EQ(values(), (Values{1, 2, 3}));
}

TEST_F(PublishTest, LeavesOutWhatDidNotChange) {
  make(R"({values: temperature, to: "cloud/x", only: changes})");
  row(1, 5);
  row(2, 5);
  row(3, 5, 0, Quality::bad);
  row(4, std::nan(""));
  row(5, std::nan(""));
  row(6, 5);
  ASSERT_EQ(decisions.samples.size(), 4u);
  EXPECT_EQ(decisions.samples[1].quality, Quality::bad);
  EXPECT_EQ(counter("unchanged"), 2u);
}

TEST_F(PublishTest, AChangeThatGoesBackWhileItWaitsIsNone) {
  make(R"({values: temperature, to: "cloud/x", only: changes, every: 1s})");
  row(kSecond, 5);
  row(kSecond + 1, 6);
  row(kSecond + 2, 5);
  pass(2 * kSecond);
  EXPECT_EQ(values(), Values{5});
}

TEST_F(PublishTest, CountsWhatFoundNoRoom) {
  make(R"({values: temperature, to: "cloud/x"})");
  decisions.full = true;
  row(1, 5);
  EXPECT_EQ(counter("queue_full"), 1u);
  EXPECT_EQ(counter("published"), 0u);
}

}  // namespace
}  // namespace alara::flow
