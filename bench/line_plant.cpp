// SPDX-License-Identifier: Apache-2.0
#include "bench/line_plant.hpp"

#include <arpa/inet.h>
#include <mosquitto.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <thread>
#include <vector>

#include "connect/modbus/server.hpp"
#include "wire/payload_array.hpp"

namespace alara::bench {
namespace {

constexpr double kQuiet = 20;  // amperes
constexpr double kTripped = 41;
constexpr std::size_t kRegisters = 100;

// One device: 50 float32 in 100 holding registers, one coil. Register 0 is the current that trips.
class TripDevice final : public modbus::Responder {
 public:
  TripDevice(LineBoard& board, SystemClock& clock, Nanos trip_every, Nanos phase)
      : board_(board), clock_(clock), trip_every_(trip_every), phase_(phase) {
    set_current(kQuiet);
  }

  wire::ModbusException serve(const wire::ModbusRequest& request, std::span<std::uint8_t> payload) override {
    const Nanos now = clock_.monotonic();
    if (request.function == wire::ModbusFunction::write_coil) {
      answered(now);
      return wire::ModbusException::none;
    }
    begin_trips(now);
    note_poll(now);
    if (raised_at_ != 0 && !carried_at_) carried_at_ = now;
    const std::size_t first = static_cast<std::size_t>(request.first) * 2;
    if (first + payload.size() > memory_.size()) return wire::ModbusException::illegal_address;
    std::copy_n(memory_.begin() + static_cast<std::ptrdiff_t>(first), payload.size(), payload.begin());
    board_.polls.fetch_add(1, std::memory_order_relaxed);
    return wire::ModbusException::none;
  }

  void finish() {
    if (raised_at_ != 0 && clock_.monotonic() - raised_at_ > kSecond) board_.unanswered.fetch_add(1);
  }

 private:
  void set_current(double amperes) {
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(amperes));
    for (int i = 0; i < 4; ++i) memory_[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(bits >> (24 - 8 * i));
  }

  // The schedule is the device's own, whether or not the last trip has been answered: open loop.
  void begin_trips(Nanos now) {
    if (!board_.tripping.load(std::memory_order_relaxed)) return;
    if (next_trip_ == 0) next_trip_ = now + phase_;
    if (now < next_trip_) return;
    if (raised_at_ == 0) {
      raised_at_ = next_trip_;
      carried_at_ = 0;
      set_current(kTripped);
    }
    while (next_trip_ <= now) next_trip_ += trip_every_;
  }

  // The client polls at start + k * period. The start is estimated by the earliest poll seen, modulo the period.
  void note_poll(Nanos now) {
    if (grid_ == 0) grid_ = now;
    Nanos offset = (now - grid_) % kLinePoll;
    if (offset > kLinePoll / 2) offset -= kLinePoll;
    if (offset < 0) grid_ += offset;
  }

  void answered(Nanos now) {
    if (raised_at_ == 0 || !carried_at_) return;
    const Nanos slots = (raised_at_ - grid_ + kLinePoll - 1) / kLinePoll;
    const Nanos slot = grid_ + slots * kLinePoll;
    const std::size_t at = board_.trips.load(std::memory_order_relaxed);
    if (at < kMaxTrips) {
      board_.from_slot[at] = now - slot;
      board_.from_poll[at] = now - carried_at_;
      board_.trips.store(at + 1, std::memory_order_release);
    }
    raised_at_ = 0;
    set_current(kQuiet);
  }

  LineBoard& board_;
  SystemClock& clock_;
  const Nanos trip_every_, phase_;
  std::array<std::uint8_t, kRegisters * 2> memory_{};
  Nanos grid_ = 0, next_trip_ = 0, raised_at_ = 0, carried_at_ = 0;
};

}  // namespace

Result<std::shared_ptr<LineBoard>> make_line_board() {
  void* memory = mmap(nullptr, sizeof(LineBoard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail(ErrorKind::exhausted, "no shared memory for the benchmark");
  return std::shared_ptr<LineBoard>(new (memory) LineBoard, [](LineBoard* board) { munmap(board, sizeof(LineBoard)); });
}

int run_line_devices(LineBoard& board, Nanos trip_every) {
  SystemClock clock;
  auto server = modbus::ServerThread::create(clock);
  if (!server) return 1;
  std::vector<std::unique_ptr<TripDevice>> devices;
  for (int i = 0; i < kLineDevices; ++i) {
    devices.push_back(std::make_unique<TripDevice>(board, clock, trip_every, kSecond + i * trip_every / kLineDevices));
    const auto port = (*server)->listen(0, *devices.back());
    if (!port) return 1;
    board.ports[static_cast<std::size_t>(i)].store(*port);
  }
  while (!board.over.load()) clock.sleep_until(clock.monotonic() + 50 * kMillisecond);
  server->reset();
  for (auto& device : devices) device->finish();
  return 0;
}

double line_value(std::uint32_t sensor, std::uint64_t tick) {
  return static_cast<double>((tick * 7 + sensor * 13) % 101) * 0.5;
}

int run_line_sender(LineBoard& board, int broker_port, int sensors, int points_per_message, Nanos tick_every) {
  SystemClock clock;
  mosquitto_lib_init();
  mosquitto* client = mosquitto_new("alara-line-sender", true, nullptr);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  if (mosquitto_connect(client, "127.0.0.1", broker_port, 60) != MOSQ_ERR_SUCCESS) return 1;
  mosquitto_loop_start(client);
  while (!board.sending.load() && !board.over.load()) clock.sleep_until(clock.monotonic() + kMillisecond);
  std::vector<std::string> topics;
  for (int g = 0; g < sensors / points_per_message; ++g) topics.push_back(fmt::format("line/gw-{}", g));
  std::vector<double> values(static_cast<std::size_t>(points_per_message));
  std::vector<std::uint8_t> payload;
  Nanos due = clock.monotonic();
  for (std::uint64_t tick = 1; board.sending.load(std::memory_order_relaxed); ++tick) {
    due += tick_every;
    clock.sleep_until(due);
    board.sender_late.store(std::max(board.sender_late.load(), clock.monotonic() - due));
    const Nanos wall = clock.wall();
    for (std::size_t g = 0; g < topics.size(); ++g) {
      for (std::size_t k = 0; k < values.size(); ++k)
        values[k] = line_value(static_cast<std::uint32_t>(g * values.size() + k), tick);
      wire::write_array({wire::ElementType::float32, wall}, values, payload);
      if (mosquitto_publish(client, nullptr, topics[g].c_str(), static_cast<int>(payload.size()), payload.data(), 0,
                            false) != MOSQ_ERR_SUCCESS)
        return 1;
      board.points_sent.fetch_add(values.size(), std::memory_order_relaxed);
    }
    board.last_tick.store(tick, std::memory_order_relaxed);
  }
  while (mosquitto_want_write(client)) clock.sleep_until(clock.monotonic() + 10 * kMillisecond);
  while (!board.over.load()) clock.sleep_until(clock.monotonic() + 10 * kMillisecond);
  mosquitto_disconnect(client);
  mosquitto_loop_stop(client, true);
  mosquitto_destroy(client);
  return 0;
}

int run_ping_pong(LineBoard& board, Nanos every) {
  SystemClock clock;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 1) != 0) return 1;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const int near = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(near, reinterpret_cast<sockaddr*>(&address), size) != 0) return 1;
  const int far = accept(listener, nullptr, nullptr);
  const int on = 1;
  for (const int fd : {near, far}) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  std::jthread echo([far] {
    char byte = 0;
    while (read(far, &byte, 1) == 1 && write(far, &byte, 1) == 1) {
    }
  });
  Nanos due = clock.monotonic();
  while (!board.over.load()) {
    due += every;
    clock.sleep_until(due);
    const Nanos sent = clock.monotonic();
    char byte = 'p';
    if (write(near, &byte, 1) != 1 || read(near, &byte, 1) != 1) return 1;
    const std::size_t at = board.pings.load(std::memory_order_relaxed);
    if (board.sending.load() && at < kMaxPings) {
      board.round_trips[at] = clock.monotonic() - sent;
      board.pings.store(at + 1, std::memory_order_release);
    }
  }
  shutdown(near, SHUT_RDWR);
  close(near);
  return 0;
}

}  // namespace alara::bench
