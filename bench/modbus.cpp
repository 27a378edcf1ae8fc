// SPDX-License-Identifier: Apache-2.0
// A hundred Modbus devices polled at 100 Hz by clients that share one loop on one thread. The devices are served by a
// child process (fork), so that only the clients' work is counted here.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/io_loop.hpp"
#include "bench/bench.hpp"
#include "connect/modbus/client.hpp"
#include "connect/modbus/modbus.hpp"
#include "connect/modbus/server.hpp"

namespace alara::bench {
namespace {

constexpr std::uint16_t kDevices = 100;
constexpr std::uint16_t kRegisters = 100;
constexpr Nanos kPeriod = 10 * kMillisecond;
constexpr double kSeconds = 10;
constexpr double kQuickSeconds = 1;
constexpr double kBaselineSeconds = 2;
constexpr Nanos kWarmUp = kSecond;
constexpr Nanos kLongestWait = 10 * kSecond;

std::uint16_t content_of(std::size_t device, std::size_t number) {
  return static_cast<std::uint16_t>(device * 641 + number * 257 + 3);
}

// What parent and child share. The child fills the ports, then says that it is ready.
struct Shared {
  std::atomic<bool> ready;
  std::array<std::uint16_t, kDevices> ports;
};

// The child: all devices on one loop, until the parent ends it or dies.
[[noreturn]] void serve(Shared& shared) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  SystemClock clock;
  auto loop = IoLoop::create(clock);
  if (!loop) _exit(1);
  modbus::Server server(**loop);
  std::vector<std::unique_ptr<modbus::RegisterBank>> banks;
  for (std::size_t device = 0; device < kDevices; ++device) {
    banks.push_back(std::make_unique<modbus::RegisterBank>(modbus::RegisterBank::Sizes{.holding = kRegisters}));
    for (std::uint16_t i = 0; i < kRegisters; ++i)
      banks.back()->set_register(modbus::Table::holding, i, content_of(device, i));
    const auto port = server.listen("127.0.0.1", 0, *banks.back());
    if (!port) _exit(1);
    shared.ports[device] = *port;
  }
  shared.ready = true;
  (*loop)->run({});
  _exit(0);
}

class Child {
 public:
  Child() {
    void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared_ = new (memory) Shared{};
    pid_ = fork();
    if (pid_ == 0) serve(*shared_);
  }
  ~Child() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    munmap(shared_, sizeof(Shared));
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] bool wait_ready(Clock& clock) const {
    const Nanos end = clock.monotonic() + kLongestWait;
    while (!shared_->ready && clock.monotonic() < end) clock.sleep_until(clock.monotonic() + kMillisecond);
    return shared_->ready;
  }
  [[nodiscard]] std::uint16_t port(std::size_t device) const { return shared_->ports[device]; }
  [[nodiscard]] int pid() const { return pid_; }

 private:
  Shared* shared_ = nullptr;
  pid_t pid_ = -1;
};

// Compares every value with what the register holds.
class CheckingInlet final : public Inlet {
 public:
  explicit CheckingInlet(std::size_t device) : device_(device) {}
  void push(const Batch& batch) override {
    std::uint64_t wrong = 0;
    for (std::size_t i = 0; i < batch.size(); ++i)
      wrong += batch.value[i] != content_of(device_, index_of(batch.signal[i])) || batch.quality_at(i) != Quality::good;
    points.store(points.load(std::memory_order_relaxed) + batch.size(), std::memory_order_relaxed);
    wrong_.store(wrong_.load(std::memory_order_relaxed) + wrong, std::memory_order_relaxed);
  }
  void reject(std::string_view, std::uint64_t amount) override { wrong_ += amount; }
  void finished() override {}
  [[nodiscard]] std::uint64_t wrong() const { return wrong_.load(std::memory_order_relaxed); }

  std::atomic<std::uint64_t> points{0};

 private:
  const std::size_t device_;
  std::atomic<std::uint64_t> wrong_{0};
};

std::vector<SignalBinding> registers(std::uint16_t amount, std::string_view type, std::uint16_t step) {
  std::vector<SignalBinding> signals;
  for (std::uint16_t i = 0; i < amount; ++i) {
    SignalBinding binding;
    binding.signal = SignalId{i};
    binding.name = fmt::format("r{}", i);
    binding.address = fmt::format("holding/{}:{}", i * step, type);
    signals.push_back(std::move(binding));
  }
  return signals;
}

std::size_t requests_for_1300_floats() {
  modbus::Client client("plan", {});
  std::vector<Error> errors;
  client.bind(registers(1300, "float32", 2), {}, errors);
  return errors.empty() ? client.explain().size() - 1 : 0;  // one line each, below the sum
}

struct Device {
  explicit Device(std::size_t number) : inlet(number) {}
  CheckingInlet inlet;
  std::unique_ptr<modbus::Client> client;
};

struct Totals {
  std::uint64_t done = 0, missed = 0, errors = 0, points = 0, wrong = 0;
  int connected = 0;
};

Totals totals_of(const std::vector<std::unique_ptr<Device>>& devices) {
  Totals totals;
  for (const auto& device : devices) {
    const ConnectorStats& stats = device->client->stats();
    totals.done += stats.polls_done;
    totals.missed += stats.polls_missed;
    totals.errors += stats.errors;
    totals.points += device->inlet.points;
    totals.wrong += device->inlet.wrong();
    totals.connected += stats.connected ? 1 : 0;
  }
  return totals;
}

void add_delays(const std::vector<std::unique_ptr<Device>>& devices, Histogram& delays) {
  for (const auto& device : devices) delays.add(device->client->request_delay());
}

double loop_cpu_seconds(IoLoop& loop) {
  std::atomic<double> seconds{-1};
  loop.post([&seconds] {
    seconds = thread_cpu_seconds();
    seconds.notify_one();
  });
  seconds.wait(-1);
  return seconds;
}

}  // namespace

Result<Report> run_modbus(const Arguments& arguments) {
  Report report;
  report.workload = fmt::format(
      "{} devices of {} registers each, read every {} ms over TCP on 127.0.0.1 by one thread; "
      "the devices are one child process",
      kDevices, kRegisters, kPeriod / kMillisecond);
  const Child child;
  SystemClock clock;
  if (!child.wait_ready(clock)) return fail(ErrorKind::unavailable, "the child process with the devices did not start");
  const double seconds = arguments.seconds > 0 ? arguments.seconds : arguments.quick ? kQuickSeconds : kSeconds;
  report.baseline["sleep_jitter_p99_ms"] = sleep_jitter_p99_ms(arguments.quick ? 0.3 : kBaselineSeconds);

  ALARA_TRY(auto loop, IoLoop::create(clock));
  std::vector<std::unique_ptr<Device>> devices;
  const std::vector<SignalBinding> signals = registers(kRegisters, "uint16", 1);
  for (std::size_t i = 0; i < kDevices; ++i) {
    modbus::Settings settings;
    settings.endpoint = {"127.0.0.1", child.port(i)};
    settings.poll = kPeriod;
    devices.push_back(std::make_unique<Device>(i));
    devices.back()->client = std::make_unique<modbus::Client>(fmt::format("plc-{}", i), settings);
    std::vector<Error> errors;
    devices.back()->client->bind(signals, {}, errors);
    if (!errors.empty()) return tl::unexpected<Error>(errors.front());
  }
  std::jthread runner([&loop](std::stop_token stop) { loop->run(stop); });
  for (const auto& device : devices)
    ALARA_CHECK(device->client->start({.inlet = &device->inlet, .clock = &clock, .loop = loop.get()}));

  // Reference check and warm-up: every device has been read, every value was right.
  clock.sleep_until(clock.monotonic() + kWarmUp);
  const Totals before = totals_of(devices);
  if (before.connected != kDevices || before.wrong != 0 || before.points == 0)
    return fail(ErrorKind::internal, "{} devices connected, {} values wrong", before.connected, before.wrong);
  report.notes.push_back(fmt::format("{} polls missed in the first second, while connecting", before.missed));
  const double cpu_before = loop_cpu_seconds(*loop);
  const double child_before = process_cpu_seconds(child.pid());
  const Nanos start = clock.monotonic();
  clock.sleep_until(start + static_cast<Nanos>(seconds * 1e9));
  const double elapsed = static_cast<double>(clock.monotonic() - start) / 1e9;
  const double cpu = loop_cpu_seconds(*loop) - cpu_before;
  const double child_cpu = process_cpu_seconds(child.pid()) - child_before;
  const Totals after = totals_of(devices);
  Histogram delays;
  add_delays(devices, delays);
  for (const auto& device : devices) device->client->stop();

  const double polls = static_cast<double>(after.done - before.done);
  report.figures["polls_per_second"] = polls / elapsed;
  report.figures["points_per_second"] = static_cast<double>(after.points - before.points) / elapsed;
  report.figures["polls_missed"] = static_cast<double>(after.missed);
  report.figures["errors"] = static_cast<double>(after.errors);
  report.figures["jitter_p50_ms"] = static_cast<double>(delays.quantile(0.5)) / 1e6;
  report.figures["jitter_p99_ms"] = static_cast<double>(delays.quantile(0.99)) / 1e6;
  report.figures["jitter_max_ms"] = static_cast<double>(delays.max()) / 1e6;
  report.figures["client_cores"] = cpu / elapsed;
  report.figures["client_cpu_us_per_poll"] = cpu / polls * 1e6;
  report.figures["server_cores"] = child_cpu / elapsed;
  report.figures["requests_for_1300_float32"] = static_cast<double>(requests_for_1300_floats());
  report.checked = after.wrong == 0 && after.errors == 0;
  return report;
}

}  // namespace alara::bench
