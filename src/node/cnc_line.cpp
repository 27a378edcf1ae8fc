// SPDX-License-Identifier: Apache-2.0
#include "node/cnc_line.hpp"

#include <mosquitto.h>

#include <array>
#include <thread>

#include "connect/modbus/server.hpp"
#include "plants/cnc_machine.hpp"
#include "wire/payload_array.hpp"

namespace alara::node {
namespace {

using plants::CncSignal;

constexpr Nanos kStep = 5 * kMillisecond;
constexpr Nanos kWaveformEvery = 100 * kMillisecond;
constexpr Nanos kOperatorTakes = 4 * kSecond;  // until a stopped machine has been cleared and runs again
constexpr Nanos kFirstOverload = 3 * kSecond;
constexpr std::size_t kWaveformSamples = 640;  // of kWaveformEvery at 6400 Hz
constexpr std::array kOrders{wire::ByteOrder::abcd, wire::ByteOrder::cdab, wire::ByteOrder::badc};

// One machine with its controller's registers.
class SimulatedMachine {
 public:
  SimulatedMachine(int number, std::uint64_t seed)
      : order_(kOrders[static_cast<std::size_t>(number) % kOrders.size()]),
        topic_(fmt::format("line/cnc-{:02}/vibration", number + 1)),
        machine_(seed * 1000 + static_cast<std::uint64_t>(number)),
        bank_({.coils = plants::kCncCoils, .discrete = 0, .holding = plants::kCncRegisters, .input = 0}) {
    step(kStep);
  }

  modbus::RegisterBank& bank() { return bank_; }
  [[nodiscard]] wire::ByteOrder order() const { return order_; }
  [[nodiscard]] const std::string& topic() const { return topic_; }

  // Takes over what a client has written, moves the machine, shows its new values.
  void step(Nanos dt) {
    for (const plants::CncActuatorInfo& actuator : plants::cnc_actuators()) {
      const plants::CncSignalInfo& info = info_of(actuator.signal);
      const double wished = info.home == plants::Home::coil
                                ? (bank_.bit(modbus::Table::coil, info.place) ? 1.0 : 0.0)
                                : bank_.value(modbus::Table::holding, info.place, format_of(info));
      if (shown_once_ && wished != machine_.value(actuator.signal) && !machine_.write(actuator.actuator, wished))
        continue;  // out of limits: ignored, as a controller would
    }
    machine_.step(dt);
    show();
  }

  void jam() {
    static_cast<void>(machine_.inject({.kind = plants::CncFaultKind::overload}));
    jammed_ = true;
  }
  void wear(Nanos after, Nanos growth) {
    static_cast<void>(machine_.inject({.kind = plants::CncFaultKind::bearing_wear, .after = after, .growth = growth}));
    worn_ = true;
  }
  [[nodiscard]] bool stopped() const { return machine_.value(CncSignal::stop) != 0; }
  [[nodiscard]] bool jammed() const { return jammed_; }

  // The operator clears the jam and starts the machine again.
  void restart() {
    if (!worn_) machine_.repair();
    jammed_ = false;
    bank_.set_bit(modbus::Table::coil, info_of(CncSignal::stop).place, false);
  }
  void waveform(std::span<double> out) { machine_.waveform(out); }

 private:
  static const plants::CncSignalInfo& info_of(CncSignal signal) {
    return plants::cnc_signals()[static_cast<std::size_t>(signal)];
  }
  [[nodiscard]] wire::RegisterFormat format_of(const plants::CncSignalInfo& info) const {
    wire::RegisterFormat format;
    format.type = info.home == plants::Home::holding_int16 ? wire::RegisterType::int16 : wire::RegisterType::float32;
    format.order = order_;
    return format;
  }
  void show() {
    for (const plants::CncSignalInfo& info : plants::cnc_signals()) {
      const double value = machine_.value(info.signal);
      switch (info.home) {
        case plants::Home::holding_float32:
        case plants::Home::holding_int16:
          bank_.set_value(modbus::Table::holding, info.place, format_of(info), value);
          break;
        case plants::Home::coil:
          bank_.set_bit(modbus::Table::coil, info.place, value != 0);
          break;
        case plants::Home::mqtt:
          break;
      }
    }
    shown_once_ = true;
  }

  wire::ByteOrder order_;
  std::string topic_;
  plants::CncMachine machine_;
  modbus::RegisterBank bank_;
  bool shown_once_ = false;
  bool jammed_ = false, worn_ = false;
};

std::string unit_text(std::string_view unit) { return unit.empty() ? "" : fmt::format("unit: \"{}\", ", unit); }

std::string address_of(const plants::CncSignalInfo& info) {
  switch (info.home) {
    case plants::Home::holding_float32:
      return fmt::format("plc-{{n}}/holding/{}:float32", info.place);
    case plants::Home::holding_int16:
      return fmt::format("plc-{{n}}/holding/{}:int16", info.place);
    case plants::Home::coil:
      return fmt::format("plc-{{n}}/coil/{}", info.place);
    case plants::Home::mqtt:
      return fmt::format("broker/line/{{asset}}/{}", info.name);
  }
  return {};
}

constexpr std::string_view kPipelines = R"(
pipelines:
  # Fast lane: a jam is answered within milliseconds. Silence of a controller is answered, too.
  overload:
    for: cnc
    rule:
      when: spindle_current > 38[A]
      until: spindle_current < 10[A]
      unless: door_open
      do: {write: "plc-{n}/coil/STOP", value: 1}
      deadline: 10ms
      raise: {severity: high, text: "{asset} jammed at {spindle_current:.0f} A: stopped"}

  # Slow lane: a bearing that warms faster than work explains.
  bearing:
    for: cnc
    lane: slow
    steps:
      warm: {window: {of: bearing_temperature, kind: hopping, size: 10s, every: 1s, use: [slope, mean]}}
      drift: {rule: {when: "warm.slope > 0.15[K/s] for 3s", raise: {severity: medium, text: "{asset}: bearing at {warm.mean:.1f} degC and rising {warm.slope:.2f} K/s"}}}

  vibration:
    for: cnc
    lane: slow
    steps:
      shape: {features: {of: vibration, samples: 6400, use: [rms, crest, kurtosis]}}
      rough: {rule: {when: "shape.kurtosis > 30 for 3s", raise: {severity: low, text: "{asset}: impacts in the vibration, kurtosis {shape.kurtosis:.0f}"}}}
)";

}  // namespace

struct CncLine::State {
  State(const CncLineOptions& options_in, Clock& clock_in) : options(options_in), clock(clock_in) {}

  const CncLineOptions options;
  Clock& clock;
  std::vector<std::unique_ptr<SimulatedMachine>> machines;
  std::vector<std::uint16_t> ports;
  std::unique_ptr<modbus::ServerThread> server;
  mosquitto* client = nullptr;
  std::atomic<std::uint64_t> overloads{0}, stops{0}, other_stops{0}, messages{0};
  std::jthread thread;

  Status connect_broker();
  void run(const std::stop_token& stop);
  void watch_stops(std::vector<Nanos>& restart_at, Nanos now);
  void publish_waveforms(std::vector<double>& samples, std::vector<std::uint8_t>& payload);
};

Status CncLine::State::connect_broker() {
  mosquitto_lib_init();
  client = mosquitto_new(nullptr, true, nullptr);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  if (const int code = mosquitto_connect(client, "127.0.0.1", options.mqtt_port, 60); code != MOSQ_ERR_SUCCESS)
    return fail(ErrorKind::unavailable, "no MQTT broker at 127.0.0.1:{}: {}", options.mqtt_port,
                mosquitto_strerror(code));
  mosquitto_loop_start(client);
  return {};
}

void CncLine::State::watch_stops(std::vector<Nanos>& restart_at, Nanos now) {
  for (std::size_t i = 0; i < machines.size(); ++i) {
    SimulatedMachine& machine = *machines[i];
    if (machine.stopped() && restart_at[i] == 0) {
      restart_at[i] = now + kOperatorTakes;
      (machine.jammed() ? stops : other_stops).fetch_add(1, std::memory_order_relaxed);
    } else if (restart_at[i] != 0 && now >= restart_at[i]) {
      restart_at[i] = 0;
      machine.restart();
    }
  }
}

void CncLine::State::publish_waveforms(std::vector<double>& samples, std::vector<std::uint8_t>& payload) {
  const Nanos step = static_cast<Nanos>(1e9 / plants::kCncVibrationRateHz);
  for (auto& machine : machines) {
    machine->waveform(samples);
    const Nanos first = clock.wall() - static_cast<Nanos>(samples.size()) * step;
    wire::write_array({wire::ElementType::float32, first, step}, samples, payload);
    if (mosquitto_publish(client, nullptr, machine->topic().c_str(), static_cast<int>(payload.size()), payload.data(),
                          0, false) == MOSQ_ERR_SUCCESS)
      messages.fetch_add(1, std::memory_order_relaxed);
  }
}

void CncLine::State::run(const std::stop_token& stop) {
  std::vector<Nanos> restart_at(machines.size(), 0);
  std::vector<double> samples(kWaveformSamples);
  std::vector<std::uint8_t> payload;
  Nanos due = clock.monotonic();
  Nanos next_waveform = due + kWaveformEvery;
  Nanos next_overload = options.overload_every > 0 ? due + kFirstOverload : kNever;
  std::size_t victim = 0;
  while (!stop.stop_requested()) {
    due += kStep;
    clock.sleep_until(due);
    if (due >= next_overload) {
      next_overload += options.overload_every;
      SimulatedMachine& machine = *machines[(victim += 7) % machines.size()];
      if (!machine.stopped() && !machine.jammed()) {
        machine.jam();
        overloads.fetch_add(1, std::memory_order_relaxed);
      }
    }
    for (auto& machine : machines) machine->step(kStep);
    watch_stops(restart_at, due);
    if (client != nullptr && due >= next_waveform) {
      next_waveform += kWaveformEvery;
      publish_waveforms(samples, payload);
    }
  }
}

CncLine::CncLine(std::unique_ptr<State> state) : state_(std::move(state)) {}

CncLine::~CncLine() {
  state_->thread.request_stop();
  if (state_->thread.joinable()) state_->thread.join();
  if (state_->client != nullptr) {
    mosquitto_disconnect(state_->client);
    mosquitto_loop_stop(state_->client, true);
    mosquitto_destroy(state_->client);
  }
}

Result<std::unique_ptr<CncLine>> CncLine::start(const CncLineOptions& options, Clock& clock) {
  auto state = std::make_unique<State>(options, clock);
  ALARA_TRY(state->server, modbus::ServerThread::create(clock));
  for (int i = 0; i < options.machines; ++i) {
    state->machines.push_back(std::make_unique<SimulatedMachine>(i, options.seed));
    const auto wished = static_cast<std::uint16_t>(options.first_port == 0 ? 0 : options.first_port + i);
    ALARA_TRY(const std::uint16_t port, state->server->listen(wished, state->machines.back()->bank()));
    state->ports.push_back(port);
  }
  if (options.worn_machine > 0 && options.worn_machine <= options.machines)
    state->machines[static_cast<std::size_t>(options.worn_machine - 1)]->wear(options.wear_after, options.wear_growth);
  if (options.mqtt_port != 0) ALARA_CHECK(state->connect_broker());
  state->thread = std::jthread([raw = state.get()](const std::stop_token& stop) { raw->run(stop); });
  return std::unique_ptr<CncLine>(new CncLine(std::move(state)));
}

const std::vector<std::uint16_t>& CncLine::ports() const { return state_->ports; }

CncLineTotals CncLine::totals() const {
  return {state_->overloads.load(), state_->stops.load(), state_->other_stops.load(), state_->messages.load()};
}

std::string CncLine::site_file(const std::string& http) const {
  std::string site = fmt::format(
      "# Made by `alara sim cnc`: {} machines, {} signals.\nnode: line-1\n\nsettings: {{memory: 200MB, http: "
      "\"{}\"}}\n\nconnectors:\n",
      state_->machines.size(), state_->machines.size() * plants::kCncSignals, http);
  for (std::size_t i = 0; i < state_->machines.size(); ++i)
    site +=
        fmt::format("  plc-{}: {{modbus: {{endpoint: \"tcp://127.0.0.1:{}\", unit: 1, poll: 10ms, byte_order: {}}}}}\n",
                    i + 1, state_->ports[i], wire::name_of(state_->machines[i]->order()));
  if (state_->options.mqtt_port != 0)
    site += fmt::format("  broker: {{mqtt: {{endpoint: \"mqtt://127.0.0.1:{}\", format: array}}}}\n",
                        state_->options.mqtt_port);
  site += "\nasset_types:\n  cnc:\n    signals:\n";
  std::string sources;
  for (const plants::CncSignalInfo& info : plants::cnc_signals()) {
    if (info.home == plants::Home::mqtt && state_->options.mqtt_port == 0) continue;
    const std::string rate = info.rate_hz > 0 ? fmt::format("{:g}Hz", info.rate_hz) : "100Hz";
    site +=
        fmt::format("      {}: {{{}type: {}, rate: {}}}\n", info.name, unit_text(info.unit), name_of(info.type), rate);
    sources += fmt::format("      {}: \"{}\"\n", info.name, address_of(info));
  }
  site +=
      fmt::format("\nassets:\n  cnc-{{01..{:02}}}:\n    type: cnc\n    from:\n{}", state_->machines.size(), sources);
  std::string pipelines(kPipelines);
  const std::string stop = fmt::format("{}", plants::cnc_signals()[static_cast<std::size_t>(CncSignal::stop)].place);
  pipelines.replace(pipelines.find("STOP"), 4, stop);
  if (state_->options.mqtt_port == 0) pipelines.erase(pipelines.find("\n  vibration:"));
  site += pipelines;
  if (state_->options.mqtt_port != 0) site += "\nuplink: {to: broker/hub/line-1/insights, summary: 10s}\n";
  return site;
}

}  // namespace alara::node
