// SPDX-License-Identifier: Apache-2.0
#include "base/io_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace alara {
namespace {

class IoLoopTest : public testing::Test {
 protected:
  FakeClock clock_;
  std::unique_ptr<IoLoop> loop_ = std::move(*IoLoop::create(clock_));
};

TEST_F(IoLoopTest, RunsTimersInTheOrderOfTheirInstants) {
  std::vector<int> ran;
  const Nanos now = clock_.monotonic();
  loop_->at(now + 30, [&] { ran.push_back(3); });
  loop_->at(now + 10, [&] { ran.push_back(1); });
  loop_->at(now + 30, [&] { ran.push_back(4); });
  loop_->at(now + 20, [&] { ran.push_back(2); });
  loop_->run_once(0);
  EXPECT_TRUE(ran.empty());
  clock_.advance(20);
  loop_->run_once(0);
  EXPECT_EQ(ran, (std::vector{1, 2}));
  clock_.advance(10);
  loop_->run_once(0);
  EXPECT_EQ(ran, (std::vector{1, 2, 3, 4}));
}

TEST_F(IoLoopTest, NeverRunsACancelledTimerNorItsSuccessorInTheSameSlot) {
  int ran = 0;
  const auto first = loop_->at(clock_.monotonic() + 1, [&] { ran += 1; });
  loop_->cancel(first);
  const auto second = loop_->at(clock_.monotonic() + 1, [&] { ran += 10; });
  EXPECT_NE(first, second);
  loop_->cancel(first);  // a number that is out of use
  clock_.advance(5);
  loop_->run_once(0);
  EXPECT_EQ(ran, 10);
}

TEST_F(IoLoopTest, StaysSmallWhenTimersAreSetAndCancelledForEver) {
  int ran = 0;
  for (int i = 0; i < 100'000; ++i) {
    loop_->cancel(loop_->at(clock_.monotonic() + kHour, [&] { ran += 1; }));
    if (i % 1000 == 0) loop_->run_once(0);
  }
  loop_->at(clock_.monotonic(), [&] { ran += 1; });
  loop_->run_once(0);
  EXPECT_EQ(ran, 1);
}

TEST_F(IoLoopTest, ATimerMaySetAndCancelTimers) {
  std::vector<int> ran;
  IoLoop::TimerId doomed = loop_->at(clock_.monotonic() + 2, [&] { ran.push_back(99); });
  loop_->at(clock_.monotonic() + 1, [&] {
    ran.push_back(1);
    loop_->cancel(doomed);
    loop_->at(clock_.monotonic(), [&] { ran.push_back(2); });
  });
  clock_.advance(3);
  loop_->run_once(0);
  EXPECT_EQ(ran, (std::vector{1, 2}));
}

TEST_F(IoLoopTest, DispatchesReadableDescriptorsUntilUnwatched) {
  const int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
  int seen = 0;
  ASSERT_TRUE(loop_->watch(fd, EPOLLIN, [&](std::uint32_t) {
    ++seen;
    loop_->unwatch(fd);
  }));
  loop_->run_once(0);
  loop_->run_once(0);
  EXPECT_EQ(seen, 1);
  close(fd);
}

TEST(IoLoop, RunsWhatOtherThreadsPostAndStops) {
  SystemClock clock;
  auto loop = std::move(*IoLoop::create(clock));
  std::atomic<int> ran{0};
  {
    std::jthread runner([&](std::stop_token stop) { loop->run(stop); });
    for (int i = 0; i < 100; ++i) loop->post([&] { ++ran; });
  }
  EXPECT_EQ(ran.load(), 100);
}

TEST(IoLoopCall, RunsTheTaskOnTheLoopsThreadAndWaitsForIt) {
  SystemClock clock;
  const auto loop = std::move(*IoLoop::create(clock));
  std::jthread running([&loop](const std::stop_token& stop) { loop->run(stop); });
  std::thread::id outer, inner;
  EXPECT_TRUE(loop->call(
      [&] {
        outer = std::this_thread::get_id();
        EXPECT_TRUE(loop->call([&] { inner = std::this_thread::get_id(); }, 0));  // at once: it waits for nobody
      },
      5 * kSecond));
  EXPECT_EQ(outer, running.get_id());
  EXPECT_EQ(inner, running.get_id());
}

TEST(IoLoopCall, GivesUpOnALoopThatDoesNotRun) {
  SystemClock clock;
  const auto loop = std::move(*IoLoop::create(clock));
  auto ran = std::make_shared<bool>(false);
  EXPECT_FALSE(loop->call([ran] { *ran = true; }, kMillisecond));
  EXPECT_FALSE(*ran);
}

}  // namespace
}  // namespace alara
