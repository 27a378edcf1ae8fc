// SPDX-License-Identifier: Apache-2.0
// CoAP: a real `alara run` as the server of 100 devices that together PUT 5,000 readings a second, each confirmed. The
// devices are one forked process with a socket each.
#include <arpa/inet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/child_process.hpp"
#include "base/clock.hpp"
#include "bench/connectors.hpp"
#include "bench/node_process.hpp"
#include "tests/contract/coap_message.hpp"

namespace alara::bench {
namespace {

using contract::CoapMessage;

constexpr int kDevices = 100;
constexpr int kRequestsPerTick = 10;
constexpr Nanos kTick = 2 * kMillisecond;  // 5,000 requests a second
constexpr double kSeconds = 20, kQuickSeconds = 2, kSettle = 1;
constexpr std::uint8_t kPut = 3, kChanged = 2 << 5 | 4;

// Memory shared with the devices' process.
struct Board {
  std::atomic<bool> over{false}, done{false};
  std::atomic<std::uint64_t> sent{0}, confirmed{0}, refused{0};
  std::atomic<Nanos> late{0};  // the greatest lateness of a tick
};

// What a device says in its `n`th reading.
double content(int device, std::uint64_t n) { return device + 0.25 * static_cast<double>(n % 1000); }

class Devices {
 public:
  explicit Devices(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int& fd : sockets_) {
      fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd = -1;
    }
  }
  ~Devices() {
    for (const int fd : sockets_) close(fd);
  }
  Devices(const Devices&) = delete;
  Devices& operator=(const Devices&) = delete;

  [[nodiscard]] bool send(std::uint64_t number) {
    const int device = static_cast<int>(number % kDevices);
    CoapMessage message;
    message.code = kPut;
    message.id = static_cast<std::uint16_t>(number / kDevices);
    message.token = "t";
    message.set_path(fmt::format("/unit/{:02}", device));
    message.set_number(CoapMessage::kContentFormat, 50);
    message.payload = fmt::format("{{\"value\":{}}}", content(device, number / kDevices));
    const std::string bytes = message.bytes();
    return ::send(sockets_[static_cast<std::size_t>(device)], bytes.data(), bytes.size(), 0) ==
           static_cast<ssize_t>(bytes.size());
  }
  // Reads the answers that have come.
  void receive(Board& board) const {
    char bytes[256];
    for (const int fd : sockets_) {
      for (ssize_t got = 0; (got = recv(fd, bytes, sizeof bytes, 0)) > 0;) {
        const auto answer = CoapMessage::read({bytes, static_cast<std::size_t>(got)});
        ++(answer && answer->code == kChanged ? board.confirmed : board.refused);
      }
    }
  }

 private:
  std::array<int, kDevices> sockets_{};
};

int push(int port, Board& board) {
  Devices devices(port);
  SystemClock clock;
  std::uint64_t number = 0;
  for (Nanos next = clock.monotonic() + 100 * kMillisecond; !board.over; next += kTick) {
    clock.sleep_until(next);
    board.late = std::max(board.late.load(), clock.monotonic() - next);
    for (int i = 0; i < kRequestsPerTick; ++i, ++number)
      if (!devices.send(number)) return 1;
    board.sent = number;
    devices.receive(board);
  }
  const Nanos patience = clock.monotonic() + 2 * kSecond;
  while (board.confirmed + board.refused < number && clock.monotonic() < patience) {
    clock.sleep_until(clock.monotonic() + kMillisecond);
    devices.receive(board);
  }
  board.done = true;
  return 0;
}

std::string site_text(int port) {
  return fmt::format(R"(node: coap
settings: {{memory: 64MB}}
connectors:
  devices: {{coap: {{listen: "coap://127.0.0.1:{}"}}}}
asset_types:
  unit: {{signals: {{level: {{type: float32}}}}}}
assets:
  unit-{{00..{}}}: {{type: unit, from: {{level: "devices//unit/{{n/10}}{{n%10}}"}}}}
pipelines:
  watch: {{for: unit, rule: {{when: level > 100000, raise: {{severity: low}}}}}}
)",
                     port, kDevices - 1);
}

// Whether the newest value of every signal is that of the device's last reading.
Result<bool> latest_agree(const NodeProcess& node, std::uint64_t sent) {
  ALARA_TRY(const nlohmann::json page, node.get("/api/v1/signals?name=unit-"));
  if (page["signals"].size() != kDevices) return false;
  for (const auto& signal : page["signals"]) {
    const std::string name = signal["name"];
    const int device = std::stoi(name.substr(5, 2));
    const std::uint64_t last = (sent - 1 - static_cast<std::uint64_t>(device)) / kDevices;
    if (!signal.contains("value") || signal["value"] != content(device, last)) return false;
  }
  return true;
}

Result<bool> measure(const Arguments& arguments, Report& into) {
  const double seconds = arguments.quick ? kQuickSeconds : arguments.seconds > 0 ? arguments.seconds : kSeconds;
  const int port = free_loopback_port();
  void* memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail(ErrorKind::exhausted, "no shared memory");
  Board& board = *new (memory) Board;
  ALARA_TRY(const auto node, NodeProcess::start(arguments.program, site_text(port)));
  ALARA_CHECK(node->wait_connected(10));
  ALARA_TRY(const auto devices, ChildProcess::fork([port, &board] { return push(port, board); }));

  SystemClock clock;
  const auto rest = [&clock](double s) { clock.sleep_until(clock.monotonic() + static_cast<Nanos>(s * 1e9)); };
  rest(kSettle);
  const double cpu = process_cpu_seconds(node->pid()), begun = seconds_now();
  const std::uint64_t before = board.confirmed;
  rest(seconds);
  const double cores = (process_cpu_seconds(node->pid()) - cpu) / (seconds_now() - begun);
  const double rate = static_cast<double>(board.confirmed - before) / (seconds_now() - begun);
  board.over = true;
  for (int i = 0; i < 500 && !board.done; ++i) rest(0.01);
  ALARA_TRY(const PointAccount account, node->settled_account(static_cast<double>(board.confirmed.load())));
  ALARA_TRY(const bool agree, latest_agree(*node, board.sent));
  const auto sent = static_cast<double>(board.sent.load());
  into.figures["coap_cores"] = cores;
  into.figures["coap_requests_per_second"] = rate;
  into.figures["coap_unaccounted"] = account.unaccounted + std::abs(sent - account.accepted - account.rejected) +
                                     std::abs(sent - static_cast<double>(board.confirmed.load()));
  into.figures["coap_refused"] = static_cast<double>(board.refused.load());
  into.baseline["coap_sender_late_ms"] = static_cast<double>(board.late.load()) / 1e6;
  munmap(memory, sizeof(Board));
  return agree && account.rejected == 0;
}

}  // namespace

extern const ConnectorPart kCoapPart{"coap",
                                     "5,000 confirmed PUTs a second with a JSON reading each, from 100 devices in a "
                                     "process of their own, to the node as a server; cores are the node's.",
                                     measure};

}  // namespace alara::bench
