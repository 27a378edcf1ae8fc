// SPDX-License-Identifier: Apache-2.0
// An slcan adapter for tests: the other end of a pseudo terminal, on a thread of its own. Programs that include this
// link libutil (openpty).
#pragma once

#include <fcntl.h>
#include <pty.h>
#include <sys/poll.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "wire/can/frame.hpp"

namespace alara::contract {

// Reached under a name of its own that stays over restarts.
class SlcanAdapter {
 public:
  SlcanAdapter() {
    std::string folder = (std::filesystem::temp_directory_path() / "alara-slcan-XXXXXX").string();
    folder_ = mkdtemp(folder.data());
  }
  ~SlcanAdapter() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  SlcanAdapter(const SlcanAdapter&) = delete;
  SlcanAdapter& operator=(const SlcanAdapter&) = delete;

  [[nodiscard]] std::string device() const { return folder_ + "/adapter"; }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_ + "/" + name; }

  void start() {
    if (master_ >= 0) return;
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
    opened_ = false;
    muted_ = false;
    reader_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  void stop() {
    reader_.request_stop();
    if (reader_.joinable()) reader_.join();
    if (master_ < 0) return;
    std::filesystem::remove(device());
    close(slave_);
    close(master_);
    master_ = slave_ = -1;
  }
  void mute() { muted_ = true; }
  // Sends a frame as if it had come from the bus; false when nobody has opened the adapter.
  bool send(const wire::can::Frame& each) { return opened_ && !muted_ && write_line(*wire::can::slcan_line(each)); }
  // Writes all of it: half a line would spoil the next. False when nobody has read for a second.
  bool write_line(std::string_view text) const {
    const std::lock_guard lock(write_mutex_);
    while (!text.empty()) {
      const ssize_t count = write(master_, text.data(), text.size());
      if (count > 0) {
        text.remove_prefix(static_cast<std::size_t>(count));
        continue;
      }
      pollfd poll_fd{master_, POLLOUT, 0};
      if (poll(&poll_fd, 1, 1000) != 1) return false;
    }
    return true;
  }
  [[nodiscard]] bool opened() const { return opened_; }
  [[nodiscard]] std::vector<wire::can::Frame> received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  void refuse_frames(bool refuse) { refuses_ = refuse; }
  // Called with every frame written, on the adapter's thread.
  std::function<void(const wire::can::Frame&)> on_frame;

 private:
  void serve(const std::stop_token& stop) {
    std::string line;
    while (!stop.stop_requested()) {
      pollfd poll_fd{master_, POLLIN, 0};
      if (poll(&poll_fd, 1, 10) != 1) continue;
      char bytes[512];
      const ssize_t count = read(master_, bytes, sizeof bytes);
      for (ssize_t i = 0; i < count; ++i) {
        if (bytes[i] != '\r') {
          line += bytes[i];
          continue;
        }
        answer(line);
        line.clear();
      }
    }
  }
  void answer(const std::string& line) {
    if (muted_) return;
    if (line == "O") opened_ = true;
    if (line == "C") opened_ = false;
    if (line.starts_with('t') || line.starts_with('T')) {
      wire::can::SlcanReader reader;
      const std::string whole = line + "\r";
      std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(whole.data()), whole.size());
      const auto item = reader.next(bytes);
      if (!item || refuses_) {
        write_line("\a");
        return;
      }
      {
        const std::lock_guard lock(mutex_);
        received_.push_back(item->frame);
      }
      write_line(item->frame.extended ? "Z\r" : "z\r");
      if (on_frame) on_frame(item->frame);
      return;
    }
    write_line("\r");
  }

  std::string folder_;
  int master_ = -1, slave_ = -1;
  std::atomic<bool> opened_{false}, muted_{false}, refuses_{false};
  mutable std::mutex write_mutex_;  // the test's thread sends, the adapter's answers
  mutable std::mutex mutex_;
  std::vector<wire::can::Frame> received_;
  std::jthread reader_;
};

}  // namespace alara::contract
