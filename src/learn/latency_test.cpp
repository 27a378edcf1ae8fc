// SPDX-License-Identifier: Apache-2.0
#include "learn/latency.hpp"

#include <gtest/gtest.h>

namespace alara::learn {
namespace {

// Each run takes as long as it is told, on a clock of the test's.
class Sleeper final : public graph::Executor {
 public:
  Sleeper(FakeClock& clock, std::vector<Nanos> times) : clock_(clock), times_(std::move(times)) {}
  [[nodiscard]] Result<std::vector<graph::TensorView>> run(std::span<const graph::TensorView>) override {
    clock_.advance(times_[runs_++ % times_.size()]);
    return std::vector<graph::TensorView>{};
  }
  [[nodiscard]] std::size_t runs() const { return runs_; }

 private:
  FakeClock& clock_;
  std::vector<Nanos> times_;
  std::size_t runs_ = 0;
};

TEST(Latency, LeavesWarmUpsOutAndTakesMedianAndTail) {
  FakeClock clock;
  std::vector<Nanos> slow_once(101, kMillisecond);
  slow_once[0] = 1000 * kMillisecond;  // the warm-up
  for (int i = 50; i < 60; ++i) slow_once[static_cast<std::size_t>(i)] = 9 * kMillisecond;
  Sleeper a(clock, slow_once), b(clock, {2 * kMillisecond});
  const Timed models[] = {{&a, {}}, {&b, {}}};
  Silent silent;
  const auto found = latencies_of(models, 100, 1, clock, silent);
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_DOUBLE_EQ((*found)[0].p50_ms, 1);
  EXPECT_DOUBLE_EQ((*found)[0].p95_ms, 9);
  EXPECT_DOUBLE_EQ((*found)[1].p50_ms, 2);
  EXPECT_EQ(a.runs(), 101U);
  EXPECT_EQ(b.runs(), 101U);
}

}  // namespace
}  // namespace alara::learn
