// SPDX-License-Identifier: Apache-2.0
// How soon a node decides after its process starts, and what it weighs when idle and on disk.
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <filesystem>
#include <vector>

#include "base/clock.hpp"
#include "bench/bench.hpp"
#include "bench/node_process.hpp"
#include "connect/modbus/server.hpp"

namespace alara::bench {
namespace {

// A device whose register is over the limit from the start, and which notes when its coil is written.
class OverloadedDevice final : public modbus::Responder {
 public:
  explicit OverloadedDevice(SystemClock& clock) : clock_(clock) {}
  wire::ModbusException serve(const wire::ModbusRequest& request, std::span<std::uint8_t> payload) override {
    if (request.function == wire::ModbusFunction::write_coil) {
      Nanos never = 0;
      stopped_at.compare_exchange_strong(never, clock_.monotonic());
      return wire::ModbusException::none;
    }
    const auto bits = std::bit_cast<std::uint32_t>(41.0F);
    for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::uint8_t>(bits >> (24 - 8 * (i % 4)));
    return wire::ModbusException::none;
  }
  std::atomic<Nanos> stopped_at{0};

 private:
  SystemClock& clock_;
};

std::string deciding_site(int port) {
  return fmt::format(R"(node: start
connectors:
  plc: {{modbus: {{endpoint: "tcp://127.0.0.1:{}", unit: 1, poll: 10ms}}}}
asset_types:
  press: {{signals: {{current: {{unit: A, type: float32}}}}}}
assets:
  press-1: {{type: press, from: {{current: "plc/holding/0:float32be"}}}}
pipelines:
  stop: {{for: press, rule: {{when: "current > 38[A]", do: {{write: plc/coil/0, value: 1}}}}}}
)",
                     port);
}

constexpr const char* kIdleSite = "node: idle\n";

Result<double> first_decision_ms(const Arguments& arguments, SystemClock& clock) {
  ALARA_TRY(const auto server, modbus::ServerThread::create(clock));
  OverloadedDevice device(clock);
  ALARA_TRY(const std::uint16_t port, server->listen(0, device));
  const Nanos begun = clock.monotonic();
  ALARA_TRY(const auto node, NodeProcess::start(arguments.program, deciding_site(port)));
  for (const Nanos end = begun + 10 * kSecond; device.stopped_at.load() == 0 && clock.monotonic() < end;)
    clock.sleep_until(clock.monotonic() + kMillisecond);
  if (device.stopped_at.load() == 0)
    return fail(ErrorKind::timed_out, "the node did not stop the device within 10 s: {}", node->output());
  return static_cast<double>(device.stopped_at.load() - begun) / 1e6;
}

// Size of the program without symbols.
Result<double> stripped_mb(const Arguments& arguments) {
  std::string path = (std::filesystem::temp_directory_path() / "alara-stripped-XXXXXX").string();
  const int fd = mkstemp(path.data());
  if (fd < 0) return fail(ErrorKind::unavailable, "can not make a temporary file");
  ALARA_TRY(const auto strip, ChildProcess::start({"strip", "-o", path, arguments.program}));
  const int code = strip->wait(30 * kSecond);
  std::error_code error;
  const auto size = static_cast<double>(std::filesystem::file_size(path, error)) / 1e6;
  std::filesystem::remove(path, error);
  if (code != 0) return fail(ErrorKind::unavailable, "'strip' of binutils is needed to measure the program's size");
  return size;
}

}  // namespace

Result<Report> run_start(const Arguments& arguments) {
  SystemClock clock;
  Report report;
  report.workload =
      "process start to the first coil write at a device that is overloaded from the beginning; resident memory of a "
      "node without connectors; size on disk";
  std::vector<double> times;
  for (int i = 0; i < (arguments.quick ? 1 : 9); ++i) {
    ALARA_TRY(const double ms, first_decision_ms(arguments, clock));
    times.push_back(ms);
  }
  std::ranges::sort(times);
  report.figures["first_decision_ms"] = times[times.size() / 2];
  report.figures["first_decision_worst_ms"] = times.back();

  const double begun = seconds_now();
  ALARA_TRY(const auto version, ChildProcess::start({arguments.program, "--version"}));
  if (version->wait(10 * kSecond) != 0) return fail(ErrorKind::internal, "'alara --version' failed");
  report.baseline["process_start_ms"] = (seconds_now() - begun) * 1000;

  ALARA_TRY(const auto idle, NodeProcess::start(arguments.program, kIdleSite));
  ALARA_CHECK(idle->wait_connected(5));
  clock.sleep_until(clock.monotonic() + 2 * kSecond);
  report.figures["idle_rss_mb"] = process_rss_mb(idle->pid());
  report.checked = idle->stop() == 0;
  ALARA_TRY(report.figures["binary_mb"], stripped_mb(arguments));
  report.notes.push_back("first_decision: median of the runs; the coil write itself is the check");
  return report;
}

}  // namespace alara::bench
