// SPDX-License-Identifier: Apache-2.0
// The whole on one machine: 10,000 signals at 100 readings a second through a real mosquitto, windows over all of them,
// twenty Modbus devices polled every 10 ms beside it, and the time from a tripping read to the acknowledged coil write.
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/clock.hpp"
#include "bench/bench.hpp"
#include "bench/line_plant.hpp"
#include "bench/node_process.hpp"
#include "node/local_broker.hpp"

namespace alara::bench {
namespace {

constexpr int kSensors = 10'000;
constexpr int kPointsPerMessage = 100;
constexpr Nanos kTick =
    9'990 * kMicrosecond;  // a thousandth faster than 100/s, so that cutting a run between ticks can not show less
constexpr Nanos kTripEvery = 250 * kMillisecond;
constexpr Nanos kPingEvery = 5 * kMillisecond;
constexpr int kWindow = 100;
constexpr int kCheckedSensors = 20;
constexpr double kSettleSeconds = 3;  // warm-up before the measured time, not counted

std::string site_text(int broker_port, const LineBoard& board) {
  std::string site = fmt::format(R"(node: line
settings: {{memory: 200MB, ring: 1MB, when_full: drop_oldest}}
connectors:
  broker: {{mqtt: {{endpoint: "mqtt://127.0.0.1:{}", format: array}}}}
)",
                                 broker_port);
  for (int i = 0; i < kLineDevices; ++i)
    site += fmt::format("  plc-{}: {{modbus: {{endpoint: \"tcp://127.0.0.1:{}\", unit: 1, poll: 10ms}}}}\n", i,
                        board.ports[static_cast<std::size_t>(i)].load());
  site += fmt::format(R"(asset_types:
  sensor: {{signals: {{value: {{type: float32, rate: 100Hz}}}}}}
  device: {{signals: {{current: {{unit: A, type: float32, rate: 100Hz}}, "spare_{{01..49}}": {{type: float32}}}}}}
assets:
  sensor-{{0000..{}}}: {{type: sensor, from: {{value: "broker/line/gw-{{n/100}}#[{{n%100}}]"}}}}
  device-{{00..{:02}}}:
    type: device
    from:
      current: "plc-{{n}}/holding/0:float32be"
      spare_{{01..49}}: "plc-{{n}}/holding/{{2*s}}:float32be"
pipelines:
  watch:
    for: sensor
    lane: slow
    steps:
      load: {{window: {{of: value, kind: sliding, count: {}, use: [mean, min, max, std, rms]}}}}
      high: {{rule: {{when: load.mean > 1000, raise: {{severity: high, text: "{{asset}} is high"}}}}}}
  trip:
    for: device
    rule: {{when: "current > 38[A]", until: "current < 30[A]", do: {{write: "plc-{{n}}/coil/0", value: 1}}, deadline: 10ms}}
)",
                      kSensors - 1, kLineDevices - 1, kWindow);
  return site;
}

double millis_at(std::vector<Nanos> values, double fraction) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const auto rank = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(values.size())));
  return static_cast<double>(values[std::clamp<std::size_t>(rank, 1, values.size()) - 1]) / 1e6;
}

struct Points {
  double accepted = 0, unaccounted = 0, dropped = 0, rejected = 0;
};

// The MQTT connector's account, by the node's own page.
Result<Points> points_of(const NodeProcess& node) {
  ALARA_TRY(const nlohmann::json page, node.get("/api/v1/connectors"));
  Points points;
  for (const auto& connector : page["connectors"]) {
    const auto& p = connector["points"];
    double dropped = 0, rejected = 0;
    for (const auto& [reason, count] : p["dropped"].items()) dropped += count.get<double>();
    for (const auto& [reason, count] : p["rejected"].items()) rejected += count.get<double>();
    points.unaccounted +=
        std::abs(p["accepted"].get<double>() - p["delivered"].get<double>() - p["buffered"].get<double>() - dropped);
    points.dropped += dropped;
    points.rejected += rejected;
    if (connector["protocol"] == "mqtt") points.accepted = p["accepted"].get<double>();
  }
  return points;
}

// The windows' results after the last tick against what they must be, for a few sensors.
Result<bool> windows_agree(const NodeProcess& node, std::uint64_t last_tick) {
  for (int i = 0; i < kCheckedSensors; ++i) {
    const auto sensor = static_cast<std::uint32_t>(i * (kSensors / kCheckedSensors) + i);
    double sum = 0, least = INFINITY, most = -INFINITY;
    for (std::uint64_t t = last_tick - kWindow + 1; t <= last_tick; ++t) {
      const double value = line_value(sensor, t);
      sum += value;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    ALARA_TRY(const nlohmann::json page, node.get(fmt::format("/api/v1/results?name=sensor-{:04}", sensor)));
    std::map<std::string, double> got;
    for (const auto& result : page["results"])
      if (result.contains("value") && result["value"].is_number()) got[result["name"]] = result["value"];
    const std::string prefix = fmt::format("sensor-{:04}.watch.load.", sensor);
    if (std::abs(got[prefix + "mean"] - sum / kWindow) > 1e-6 || got[prefix + "min"] != least ||
        got[prefix + "max"] != most)
      return false;
  }
  return true;
}

void add_latencies(const LineBoard& board, Report& report) {
  const std::vector<Nanos> slot(board.from_slot.begin(),
                                board.from_slot.begin() + static_cast<std::ptrdiff_t>(board.trips.load()));
  const std::vector<Nanos> poll(board.from_poll.begin(),
                                board.from_poll.begin() + static_cast<std::ptrdiff_t>(board.trips.load()));
  report.figures["trips"] = static_cast<double>(slot.size());
  report.figures["trips_unanswered"] = static_cast<double>(board.unanswered.load());
  report.figures["trip_p50_ms"] = millis_at(slot, 0.5);
  report.figures["trip_p99_ms"] = millis_at(slot, 0.99);
  report.figures["trip_p999_ms"] = millis_at(slot, 0.999);
  report.figures["trip_max_ms"] = millis_at(slot, 1);
  report.figures["trip_uncorrected_p999_ms"] = millis_at(poll, 0.999);
  const std::vector<Nanos> pings(board.round_trips.begin(),
                                 board.round_trips.begin() + static_cast<std::ptrdiff_t>(board.pings.load()));
  report.baseline["ping_pong_p50_ms"] = millis_at(pings, 0.5);
  report.baseline["ping_pong_p99_ms"] = millis_at(pings, 0.99);
  report.baseline["ping_pong_p999_ms"] = millis_at(pings, 0.999);
  report.baseline["ping_pong_max_ms"] = millis_at(pings, 1);
}

}  // namespace

Result<Report> run_line(const Arguments& arguments) {
  const double seconds = arguments.seconds > 0 ? arguments.seconds : arguments.quick ? 3 : 60;
  Report report;
  report.workload = fmt::format(
      "{} signals at {} readings/s over MQTT ({} points a message, open loop), sliding windows of {} over all, {} "
      "Modbus devices of 50 "
      "float32 polled every 10 ms, each tripping every {} ms; everything on this machine, {:.0f} s",
      kSensors, kSecond / kTick, kPointsPerMessage, kWindow, kLineDevices, kTripEvery / kMillisecond, seconds);
  SystemClock clock;
  const auto nap = [&clock](double s) { clock.sleep_until(clock.monotonic() + static_cast<Nanos>(s * 1e9)); };

  ALARA_TRY(const auto board, make_line_board());
  ALARA_TRY(const auto broker, node::LocalBroker::start());
  ALARA_TRY(const auto devices, ChildProcess::fork([&] { return run_line_devices(*board, kTripEvery); }));
  ALARA_TRY(const auto sender, ChildProcess::fork([&] {
              return run_line_sender(*board, broker->port(), kSensors, kPointsPerMessage, kTick);
            }));
  ALARA_TRY(const auto pings, ChildProcess::fork([&] { return run_ping_pong(*board, kPingEvery); }));
  for (int waited = 0; board->ports.back().load() == 0; ++waited) {
    if (waited > 500) return fail(ErrorKind::timed_out, "the simulated devices did not come up");
    nap(0.01);
  }
  ALARA_TRY(const auto node, NodeProcess::start(arguments.program, site_text(broker->port(), *board)));
  ALARA_CHECK(node->wait_connected(10));

  board->sending.store(true);
  nap(arguments.quick ? 1.5 : kSettleSeconds);
  board->tripping.store(true);
  const double begun = seconds_now();
  const double cpu_before = process_cpu_seconds(node->pid()), broker_before = process_cpu_seconds(broker->pid());
  const double sender_before = process_cpu_seconds(sender->pid()), devices_before = process_cpu_seconds(devices->pid());
  const std::uint64_t sent_before = board->points_sent.load();
  nap(seconds);
  const double took = seconds_now() - begun;
  const double cpu_after = process_cpu_seconds(node->pid());
  report.baseline["broker_cores"] = (process_cpu_seconds(broker->pid()) - broker_before) / took;
  report.baseline["sender_cores"] = (process_cpu_seconds(sender->pid()) - sender_before) / took;
  report.baseline["devices_cores"] = (process_cpu_seconds(devices->pid()) - devices_before) / took;
  report.figures["points_per_second"] = static_cast<double>(board->points_sent.load() - sent_before) / took;
  report.figures["alara_cores"] = (cpu_after - cpu_before) / took;
  report.figures["alara_rss_mb"] = process_rss_mb(node->pid());
  report.baseline["polls_per_second"] = static_cast<double>(board->polls.load()) / (took + kSettleSeconds);
  report.baseline["sender_latest_ms"] = static_cast<double>(board->sender_late.load()) / 1e6;
  board->tripping.store(false);
  nap(0.5);
  board->sending.store(false);

  // Everything that was sent must arrive and be accounted for; give the last messages time.
  const double sent = static_cast<double>(board->points_sent.load());
  ALARA_TRY(Points points, points_of(*node));
  for (int tries = 0; tries < 50 && points.accepted < sent; ++tries) {
    nap(0.1);
    ALARA_TRY(points, points_of(*node));
  }
  nap(0.5);
  ALARA_TRY(points, points_of(*node));
  report.figures["points_offered"] = static_cast<double>(board->points_sent.load());
  report.figures["points_accepted"] = points.accepted;
  report.figures["points_lost"] =
      static_cast<double>(board->points_sent.load()) - points.accepted + points.dropped + points.rejected;
  report.figures["points_unaccounted"] = points.unaccounted;
  ALARA_TRY(report.checked, windows_agree(*node, board->last_tick.load()));
  board->over.store(true);
  add_latencies(*board, report);
  report.notes.push_back(
      "trip_*: from the scheduled poll slot at or after the instant at which the device's value rose, to the arrival "
      "of the coil write at the device");
  if (const std::string said = node->output(); !said.empty()) report.notes.push_back("the node says: " + said);
  for (auto* child : {devices.get(), sender.get(), pings.get()})
    if (child->wait(2 * kSecond) != 0) report.notes.push_back("a helper process did not end well");
  report.figures["node_exit_code"] = node->stop();
  return report;
}

}  // namespace alara::bench
