// SPDX-License-Identifier: Apache-2.0
#include "base/io_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <future>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace alara {
namespace {

constexpr int kEventsPerTurn = 64;
constexpr std::size_t kStaleEntriesKept = 64;

// Timers live in slots that are used again, and a heap of entries orders them; a cancelled timer leaves a stale entry
// behind, told by its generation. So a timer costs no allocation once slots and heap have grown.
struct TimerSlot {
  std::function<void()> callback;
  std::uint32_t generation = 1;
  bool armed = false;
};

struct TimerEntry {
  Nanos instant;
  std::uint64_t order;  // timers of one instant fire in the order in which they were set
  std::uint32_t slot;
  std::uint32_t generation;
  // For the heap functions of <algorithm>, which put the greatest first.
  bool operator<(const TimerEntry& other) const {
    return instant != other.instant ? instant > other.instant : order > other.order;
  }
};

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
  std::vector<TimerSlot> slots;
  std::vector<std::uint32_t> free_slots;
  std::vector<TimerEntry> heap;
  std::uint64_t next_order = 0;
  Nanos armed = kNever;

  std::mutex mutex;  // guards `posted`
  std::vector<std::function<void()>> posted;
  std::atomic<std::thread::id> thread;         // that turns it
  std::vector<std::function<void()>> running;  // the loop's thread; keeps its memory from turn to turn

  [[nodiscard]] bool stale(const TimerEntry& entry) const { return slots[entry.slot].generation != entry.generation; }
  void release(std::uint32_t slot);
  void pop_entry();
  void forget_stale();
  void arm();
  void run_timers();
  void run_posted();
};

void IoLoop::State::release(std::uint32_t slot) {
  slots[slot].callback = nullptr;
  slots[slot].armed = false;
  ++slots[slot].generation;
  free_slots.push_back(slot);
}

void IoLoop::State::pop_entry() {
  std::pop_heap(heap.begin(), heap.end());
  heap.pop_back();
}

void IoLoop::State::forget_stale() {
  const std::size_t live = slots.size() - free_slots.size();
  if (heap.size() > 2 * live + kStaleEntriesKept) {
    std::erase_if(heap, [this](const TimerEntry& entry) { return stale(entry); });
    std::make_heap(heap.begin(), heap.end());
  }
  while (!heap.empty() && stale(heap.front())) pop_entry();
}

void IoLoop::State::arm() {
  forget_stale();
  const Nanos first = heap.empty() ? kNever : heap.front().instant;
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
  while (!heap.empty() && heap.front().instant <= now) {
    const TimerEntry entry = heap.front();
    pop_entry();
    if (stale(entry)) continue;
    const std::function<void()> callback = std::move(slots[entry.slot].callback);
    release(entry.slot);
    callback();
  }
}

void IoLoop::State::run_posted() {
  {
    const std::lock_guard lock(mutex);
    running.swap(posted);
  }
  for (auto& task : running) task();
  running.clear();
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
  State& state = *state_;
  if (state.free_slots.empty()) {
    state.free_slots.push_back(static_cast<std::uint32_t>(state.slots.size()));
    state.slots.emplace_back();
  }
  const std::uint32_t slot = state.free_slots.back();
  state.free_slots.pop_back();
  TimerSlot& timer = state.slots[slot];
  timer.callback = std::move(callback);
  timer.armed = true;
  state.heap.push_back({instant, state.next_order++, slot, timer.generation});
  std::push_heap(state.heap.begin(), state.heap.end());
  return static_cast<TimerId>((static_cast<std::uint64_t>(timer.generation) << 32) | slot);
}

void IoLoop::cancel(TimerId timer) {
  const auto slot = static_cast<std::uint32_t>(timer);
  const auto generation = static_cast<std::uint32_t>(static_cast<std::uint64_t>(timer) >> 32);
  if (slot >= state_->slots.size() || !state_->slots[slot].armed) return;
  if (state_->slots[slot].generation == generation) state_->release(slot);
}

void IoLoop::post(std::function<void()> task) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->posted.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  static_cast<void>(!write(state_->wake_fd, &one, sizeof one));
}

bool IoLoop::call(std::function<void()> task, Nanos most) {
  if (state_->thread.load() == std::this_thread::get_id()) {
    task();
    return true;
  }
  auto done = std::make_shared<std::promise<void>>();
  auto waiting = done->get_future();
  post([task = std::move(task), done] {
    task();
    done->set_value();
  });
  return waiting.wait_for(std::chrono::nanoseconds(most)) == std::future_status::ready;
}

void IoLoop::run(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] { post([] {}); });
  while (!stop.stop_requested()) run_once(kNever);
  state_->run_posted();
}

void IoLoop::run_once(Nanos wait_at_most) {
  state_->thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
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
