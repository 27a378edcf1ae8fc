// SPDX-License-Identifier: Apache-2.0
// CAN: a real `alara run` on an slcan adapter (a pseudo terminal whose other end a forked process serves) that hears
// 8,000 frames a second, all eight signals of each decoded by a DBC file.
#include <fcntl.h>
#include <pty.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include <poll.h>
#include <array>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/child_process.hpp"
#include "base/clock.hpp"
#include "bench/connectors.hpp"
#include "bench/node_process.hpp"
#include "wire/can/frame.hpp"

namespace alara::bench {
namespace {

constexpr std::uint32_t kMessages = 80;
constexpr std::uint32_t kFirstId = 0x100;
constexpr int kSignalsPerMessage = 8;
constexpr int kFramesPerTick = 16;
constexpr Nanos kTick = 2 * kMillisecond;  // 8,000 frames a second
constexpr double kSeconds = 20, kQuickSeconds = 2, kSettle = 1;

// Memory shared with the adapter's process.
struct Board {
  std::atomic<bool> opened{false}, over{false}, done{false};
  std::atomic<std::uint64_t> frames{0};
  std::atomic<Nanos> late{0};  // the greatest lateness of a tick
};

// What signal `s` of a message says when it is sent for the `n`th time: each of the eight bytes by itself.
std::uint8_t content(std::uint32_t message, int s, std::uint64_t n) {
  return static_cast<std::uint8_t>(message * 31 + static_cast<std::uint32_t>(s) * 7 + n);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// The adapter: answers the set-up commands, then sends frames on a fixed schedule.
int serve(int master, Board& board) {
  for (std::string line; !board.opened && !board.over;) {
    pollfd poll_fd{master, POLLIN, 0};
    char c = 0;
    if (poll(&poll_fd, 1, 10) != 1 || read(master, &c, 1) != 1) continue;
    if (c != '\r') {
      line += c;
      continue;
    }
    if (!write_all(master, "\r")) return 1;
    if (line == "O") board.opened = true;
    line.clear();
  }
  SystemClock clock;
  std::uint64_t number = 0;
  std::string text;
  for (Nanos next = clock.monotonic() + 100 * kMillisecond; !board.over; next += kTick) {
    clock.sleep_until(next);
    board.late = std::max(board.late.load(), clock.monotonic() - next);
    text.clear();
    for (int i = 0; i < kFramesPerTick; ++i, ++number) {
      const auto message = static_cast<std::uint32_t>(number % kMessages);
      wire::can::Frame frame;
      frame.id = kFirstId + message;
      frame.size = 8;
      for (int s = 0; s < 8; ++s) frame.data[static_cast<std::size_t>(s)] = content(message, s, number / kMessages);
      text += *wire::can::slcan_line(frame);
    }
    if (!write_all(master, text)) return 1;
    board.frames = number;
  }
  board.done = true;
  return 0;
}

std::string dbc_text() {
  std::string text;
  for (std::uint32_t m = 0; m < kMessages; ++m) {
    text += fmt::format("BO_ {} M{:02}: 8 X\n", kFirstId + m, m);
    for (int s = 0; s < kSignalsPerMessage; ++s)
      text += fmt::format(" SG_ S{} : {}|8@1+ (0.5,-10) [0|0] \"\" X\n", s, 8 * s);
  }
  return text;
}

std::string site_text(const std::string& device, const std::string& dbc) {
  return fmt::format(R"(node: can
settings: {{memory: 64MB}}
connectors:
  bus: {{can: {{endpoint: "slcan:{}", dbc: {}}}}}
asset_types:
  unit: {{signals: {{"s{{0..{}}}": {{type: float32}}}}}}
assets:
  unit-{{00..{}}}: {{type: unit, from: {{"s{{0..{}}}": "bus/M{{n/10}}{{n%10}}.S{{s}}"}}}}
pipelines:
  watch: {{for: unit, rule: {{when: s0 > 1000, raise: {{severity: low}}}}}}
)",
                     device, dbc, kSignalsPerMessage - 1, kMessages - 1, kSignalsPerMessage - 1);
}

// Whether the newest value of every signal is that of the last frame that carried it.
Result<bool> latest_agree(const NodeProcess& node, std::uint64_t frames) {
  for (std::uint32_t m = 0; m < kMessages; ++m) {
    const std::uint64_t last = (frames - 1 - m) / kMessages;
    ALARA_TRY(const nlohmann::json page, node.get(fmt::format("/api/v1/signals?name=unit-{:02}.", m)));
    if (page["signals"].size() != kSignalsPerMessage) return false;
    for (const auto& signal : page["signals"]) {
      const std::string name = signal["name"];
      const int s = name.back() - '0';
      if (!signal.contains("value") || signal["value"] != content(m, s, last) * 0.5 - 10) return false;
    }
  }
  return true;
}

class Folder {
 public:
  Folder() : path_((std::filesystem::temp_directory_path() / "alara-bench-XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

Result<bool> measure(const Arguments& arguments, Report& into) {
  const double seconds = arguments.quick ? kQuickSeconds : arguments.seconds > 0 ? arguments.seconds : kSeconds;
  int master = -1, slave = -1;
  if (openpty(&master, &slave, nullptr, nullptr, nullptr) != 0)
    return fail(ErrorKind::unavailable, "can not open a pseudo terminal");
  termios raw{};
  tcgetattr(slave, &raw);
  cfmakeraw(&raw);
  tcsetattr(slave, TCSANOW, &raw);
  const std::string device = ttyname(slave);
  void* memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail(ErrorKind::exhausted, "no shared memory");
  Board& board = *new (memory) Board;
  ALARA_TRY(const auto adapter, ChildProcess::fork([master, &board] { return serve(master, board); }));

  const Folder folder;
  std::ofstream(folder.file("plant.dbc")) << dbc_text();
  ALARA_TRY(const auto node, NodeProcess::start(arguments.program, site_text(device, folder.file("plant.dbc"))));
  ALARA_CHECK(node->wait_connected(10));
  SystemClock clock;
  const auto rest = [&clock](double s) { clock.sleep_until(clock.monotonic() + static_cast<Nanos>(s * 1e9)); };
  for (int i = 0; i < 1000 && !board.opened; ++i) rest(0.01);
  rest(kSettle);
  const double cpu = process_cpu_seconds(node->pid()), begun = seconds_now();
  const std::uint64_t frames_before = board.frames;
  rest(seconds);
  const double cores = (process_cpu_seconds(node->pid()) - cpu) / (seconds_now() - begun);
  const double rate = static_cast<double>(board.frames - frames_before) / (seconds_now() - begun);
  board.over = true;
  for (int i = 0; i < 500 && !board.done; ++i) rest(0.01);
  const auto sent = static_cast<double>(board.frames.load()) * kSignalsPerMessage;
  ALARA_TRY(const PointAccount account, node->settled_account(sent));
  ALARA_TRY(const bool agree, latest_agree(*node, board.frames));
  into.figures["can_cores"] = cores;
  into.figures["can_frames_per_second"] = rate;
  into.figures["can_points_per_second"] = rate * kSignalsPerMessage;
  into.figures["can_unaccounted"] = account.unaccounted + std::abs(sent - account.accepted - account.rejected);
  into.figures["can_rejected"] = account.rejected;
  into.baseline["can_sender_late_ms"] = static_cast<double>(board.late.load()) / 1e6;
  close(slave);
  close(master);
  munmap(memory, sizeof(Board));
  return agree && account.rejected == 0;
}

}  // namespace

extern const ConnectorPart kCanPart{"can",
                                    "8,000 frames a second from an slcan adapter (a pseudo terminal), eight signals of "
                                    "each decoded by a DBC file, through "
                                    "the whole node; cores are the node's.",
                                    measure};

}  // namespace alara::bench
