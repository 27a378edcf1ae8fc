// SPDX-License-Identifier: Apache-2.0
#include "base/io_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace alara {
namespace {

constexpr int kEventsPerTurn = 64;

}  // namespace

struct IoLoop::State {
  explicit State(Clock& clock_in) : clock(clock_in) {}
  ~State() {
    for (const int fd : {epoll_fd, timer_fd, wake_fd})
      if (fd >= 0) close(fd);
  }

  Clock& clock;
  int epoll_fd = -1;
  int timer_fd = -1;
  int wake_fd = -1;
  // Callbacks are shared so that one that unwatches itself stays alive until it returns.
  std::unordered_map<int, std::shared_ptr<FdCallback>> watched;
  std::map<std::pair<Nanos, std::uint64_t>, std::function<void()>> timers;  // by instant, then by id
  std::unordered_map<std::uint64_t, Nanos> timer_instants;
  std::uint64_t next_timer = 1;
  Nanos armed = kNever;

  std::mutex mutex;                          // guards `posted`
  std::vector<std::function<void()>> posted;

  void arm();
  void run_timers();
  void run_posted();
};

void IoLoop::State::arm() {
  const Nanos first = timers.empty() ? kNever : timers.begin()->first.first;
  if (first == armed) return;
  armed = first;
  itimerspec when{};
  if (first != kNever) {
    const Nanos instant = first > 0 ? first : 1;  // zero would disarm
    when.it_value = {instant / kSecond, instant % kSecond};
  }
  timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, nullptr);
}

void IoLoop::State::run_timers() {
  const Nanos now = clock.monotonic();
  while (!timers.empty() && timers.begin()->first.first <= now) {
    auto node = timers.extract(timers.begin());
    timer_instants.erase(node.key().second);
    node.mapped()();
  }
}

void IoLoop::State::run_posted() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex);
    tasks.swap(posted);
  }
  for (auto& task : tasks) task();
}

IoLoop::IoLoop(std::unique_ptr<State> state) : state_(std::move(state)) {}
IoLoop::~IoLoop() = default;

Result<std::unique_ptr<IoLoop>> IoLoop::create(Clock& clock) {
  auto state = std::make_unique<State>(clock);
  state->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  state->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  state->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (state->epoll_fd < 0 || state->timer_fd < 0 || state->wake_fd < 0)
    return fail(ErrorKind::exhausted, "can not open an event loop: {}", std::strerror(errno));
  for (const int fd : {state->timer_fd, state->wake_fd}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(state->epoll_fd, EPOLL_CTL_ADD, fd, &event);
  }
  return std::unique_ptr<IoLoop>(new IoLoop(std::move(state)));
}

Status IoLoop::watch(int fd, std::uint32_t events, FdCallback callback) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  const bool known = state_->watched.contains(fd);
  if (epoll_ctl(state_->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
    return fail(ErrorKind::exhausted, "can not watch descriptor {}: {}", fd, std::strerror(errno));
  if (callback || !known) state_->watched[fd] = std::make_shared<FdCallback>(std::move(callback));
  return {};
}

Status IoLoop::change(int fd, std::uint32_t events) { return watch(fd, events, nullptr); }

void IoLoop::unwatch(int fd) {
  if (state_->watched.erase(fd) > 0) epoll_ctl(state_->epoll_fd, EPOLL_CTL_DEL, fd, nullptr);
}

IoLoop::TimerId IoLoop::at(Nanos instant, std::function<void()> callback) {
  const std::uint64_t id = state_->next_timer++;
  state_->timers.emplace(std::pair{instant, id}, std::move(callback));
  state_->timer_instants.emplace(id, instant);
  return static_cast<TimerId>(id);
}

void IoLoop::cancel(TimerId timer) {
  const auto found = state_->timer_instants.find(static_cast<std::uint64_t>(timer));
  if (found == state_->timer_instants.end()) return;
  state_->timers.erase({found->second, found->first});
  state_->timer_instants.erase(found);
}

void IoLoop::post(std::function<void()> task) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->posted.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  static_cast<void>(!write(state_->wake_fd, &one, sizeof one));
}

void IoLoop::run(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] { post([] {}); });
  while (!stop.stop_requested()) run_once(kNever);
  state_->run_posted();
}

void IoLoop::run_once(Nanos wait_at_most) {
  state_->arm();
  std::array<epoll_event, kEventsPerTurn> events{};
  const int wait_ms = wait_at_most == kNever ? -1 : static_cast<int>(wait_at_most / kMillisecond);
  const int count = epoll_wait(state_->epoll_fd, events.data(), kEventsPerTurn, wait_ms);
  for (int i = 0; i < count; ++i) {
    const int fd = events[static_cast<std::size_t>(i)].data.fd;
    std::uint64_t ignored = 0;
    if (fd == state_->timer_fd) {
      static_cast<void>(!read(fd, &ignored, sizeof ignored));
      state_->armed = kNever;
    } else if (fd == state_->wake_fd) {
      static_cast<void>(!read(fd, &ignored, sizeof ignored));
    } else if (const auto found = state_->watched.find(fd); found != state_->watched.end()) {
      const auto callback = found->second;
      (*callback)(events[static_cast<std::size_t>(i)].events);
    }
  }
  state_->run_posted();
  state_->run_timers();
}

}  // namespace alara
