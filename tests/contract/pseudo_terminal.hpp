// SPDX-License-Identifier: Apache-2.0
// A serial line for tests: a pseudo terminal whose other end the connector opens, under a name that stays over
// restarts. What arrives is handed over on a thread of its own. Programs that include this link libutil (openpty).
#pragma once

#include <fcntl.h>
#include <pty.h>
#include <sys/poll.h>
#include <termios.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "base/result.hpp"

namespace alara::contract {

class PseudoTerminal {
 public:
  // Called with what arrives, and about every 10 ms with nothing. The terminal outlives what the function uses.
  using OnBytes = std::function<void(std::span<const std::uint8_t> bytes)>;

  explicit PseudoTerminal(OnBytes on_bytes) : on_bytes_(std::move(on_bytes)) {
    std::string folder = (std::filesystem::temp_directory_path() / "alara-line-XXXXXX").string();
    folder_ = mkdtemp(folder.data());
  }
  ~PseudoTerminal() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;

  [[nodiscard]] std::string device() const { return folder_ + "/line"; }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] bool started() const { return master_ >= 0; }

  void start() {
    if (started()) return;
    int slave = -1;
    ALARA_ASSERT(openpty(&master_, &slave, nullptr, nullptr, nullptr) == 0, "a pseudo terminal");
    fcntl(master_, F_SETFL, O_NONBLOCK);
    fcntl(master_, F_SETFD, FD_CLOEXEC);
    fcntl(slave, F_SETFD, FD_CLOEXEC);
    termios raw{};
    tcgetattr(slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    slave_ = slave;  // kept open: or the terminal hangs up whenever the connector closes it
    std::filesystem::create_symlink(std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", slave)), device());
    reader_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  void stop() {
    reader_.request_stop();
    if (reader_.joinable()) reader_.join();
    if (!started()) return;
    std::filesystem::remove(device());
    close(slave_);
    close(master_);
    master_ = slave_ = -1;
  }
  // Writes all of it: half a line would spoil the next. False when nobody has read for a second.
  bool write_all(std::span<const std::uint8_t> bytes) const {
    const std::lock_guard lock(write_mutex_);
    while (!bytes.empty()) {
      const ssize_t count = write(master_, bytes.data(), bytes.size());
      if (count > 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        continue;
      }
      pollfd poll_fd{master_, POLLOUT, 0};
      if (poll(&poll_fd, 1, 1000) != 1) return false;
    }
    return true;
  }
  bool write_all(std::string_view text) const {
    return write_all(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }

 private:
  void serve(const std::stop_token& stop) const {
    while (!stop.stop_requested()) {
      pollfd poll_fd{master_, POLLIN, 0};
      std::uint8_t bytes[512];
      const ssize_t count = poll(&poll_fd, 1, 10) == 1 ? read(master_, bytes, sizeof bytes) : 0;
      on_bytes_(std::span(bytes, static_cast<std::size_t>(std::max<ssize_t>(count, 0))));
    }
  }

  const OnBytes on_bytes_;
  std::string folder_;
  int master_ = -1, slave_ = -1;
  mutable std::mutex write_mutex_;  // the test's thread sends, and the serving one answers
  std::jthread reader_;
};

}  // namespace alara::contract
