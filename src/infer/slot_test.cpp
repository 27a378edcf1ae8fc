// SPDX-License-Identifier: Apache-2.0
#include "infer/slot.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "infer/model_fixture.hpp"
#include "infer/model_operator.hpp"

namespace alara::infer {
namespace {

using test::FakeSession;

// Paths are numbers: the session of "7" answers 7 * x. "bad" can not be loaded, "wide" has two outputs.
Result<std::shared_ptr<const Session>> load_fake(const std::string& path) {
  if (path == "bad") return fail(ErrorKind::corrupt, "model 'bad' is bad");
  const double factor = std::atof(path.c_str());
  return std::make_shared<const FakeSession>(path, path == "wide" ? 2 : 1,
                                             [factor](std::span<const double> in, std::span<double> out) {
                                               for (double& value : out) value = factor * in[0];
                                             });
}

std::shared_ptr<ModelSlot> open_fake(std::size_t max_rows = 4) {
  auto slot = ModelSlot::open(load_fake("1").value(), {1, 1, max_rows, {}}, load_fake);
  EXPECT_TRUE(slot);
  return std::move(*slot);
}

double answer(ModelSlot::Seat& seat, double x) {
  seat.refresh();
  seat.runner().write(0, std::vector<double>{x});
  EXPECT_TRUE(seat.runner().run(1));
  std::vector<double> out(1);
  seat.runner().read(0, out);
  return out[0];
}

TEST(ModelSlot, GivesANewModelToEverySeat) {
  const auto slot = open_fake();
  const auto one = slot->take_seat().value();
  const auto two = slot->take_seat().value();
  EXPECT_EQ(answer(*one, 3), 3);
  ASSERT_TRUE(slot->replace("5"));
  EXPECT_EQ(answer(*one, 3), 15);
  EXPECT_EQ(answer(*two, 3), 15);
  EXPECT_EQ(slot->session()->path(), "5");
  EXPECT_EQ(slot->replaced(), 1u);
  const auto late = slot->take_seat().value();
  EXPECT_EQ(answer(*late, 3), 15);
}

TEST(ModelSlot, KeepsTheOldModelWhenTheNewOneIsNoGood) {
  const auto slot = open_fake();
  const auto seat = slot->take_seat().value();
  EXPECT_EQ(slot->replace("bad").error().kind, ErrorKind::corrupt);
  const Status wide = slot->replace("wide");
  ASSERT_FALSE(wide);
  EXPECT_NE(wide.error().message.find("gives 2 numbers per row, the one in use gives 1"), std::string::npos);
  EXPECT_EQ(slot->replace("6", "sha256:00").error().kind, ErrorKind::refused);
  EXPECT_EQ(answer(*seat, 3), 3);
  EXPECT_EQ(slot->replaced(), 0u);
}

TEST(ModelSlot, ForgetsAModelThatNobodyTookOver) {
  const auto slot = open_fake();
  const auto seat = slot->take_seat().value();
  ASSERT_TRUE(slot->replace("2"));
  const std::weak_ptr<const Session> skipped = slot->session();
  ASSERT_TRUE(slot->replace("3"));
  EXPECT_TRUE(skipped.expired());
  EXPECT_EQ(answer(*seat, 1), 3);
}

TEST(ModelSlot, FreesTheOldModelOffTheOperatorsThread) {
  const auto slot = open_fake();
  const std::weak_ptr<const Session> old = slot->session();
  const auto seat = slot->take_seat().value();
  ASSERT_TRUE(slot->replace("2"));
  seat->refresh();
  EXPECT_FALSE(old.expired());  // let go, but not freed by refresh()
  slot->free_retired();
  EXPECT_TRUE(old.expired());
}

TEST(ModelSlot, ExternalWeightsAreNotCoveredByADigest) {
  auto session = std::make_shared<FakeSession>("m", 1, nullptr);
  session->info().digest = "sha256:aa";
  EXPECT_TRUE(check_digest(*session, "sha256:aa"));
  session->info().external_data = true;
  EXPECT_FALSE(check_digest(*session, "sha256:aa"));
}

// Rows flow through an operator while another thread replaces its model again and again.
TEST(ModelSlot, ReplacingWhileRowsFlowLosesNone) {
  constexpr int kModels = 40;
  const auto slot = open_fake(8);
  ModelOptions options;
  options.max_rows = 8;
  options.columns = {0};
  options.slots = 3;
  ModelOperator code(options, slot->take_seat().value());

  std::atomic<bool> done{false};
  std::atomic<bool> flowing{false};
  std::thread replacing([&] {
    while (!flowing) std::this_thread::yield();
    for (int i = 2; i <= kModels; ++i) {
      EXPECT_TRUE(slot->replace(std::to_string(i)));
      EXPECT_FALSE(slot->replace("bad"));
    }
    done = true;
  });

  FrameBuilder out(1);
  test::Rows rows(1);
  for (std::uint32_t i = 0; i < 20; ++i) rows.add(i % 3, i, {1 + i * 1.0});
  double newest = 1;
  std::uint64_t pushed = 0;
  for (int more = 100; more > 0; more -= done ? 1 : 0) {  // some frames after the last replacement
    out.clear();
    code.process(rows.frame(), out);
    flowing = true;
    pushed += rows.time.size();
    ASSERT_EQ(out.size(), rows.time.size());
    const Frame frame = out.view(0);
    for (std::size_t i = 0; i < frame.size(); ++i) {
      ASSERT_EQ(frame.time[i], rows.time[i]);
      const double model = frame.column(0)[i] / rows.columns[0][i];
      ASSERT_GE(std::round(model), newest) << "an older model answered after a newer one";
      newest = std::round(model);
    }
  }
  replacing.join();
  EXPECT_EQ(newest, kModels);
  EXPECT_EQ(test::counter(code, "rows"), pushed);
  EXPECT_EQ(test::counter(code, "fallbacks"), 0u);
}

}  // namespace
}  // namespace alara::infer
