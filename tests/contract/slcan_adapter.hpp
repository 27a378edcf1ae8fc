// SPDX-License-Identifier: Apache-2.0
// An slcan adapter for tests, at the other end of a pseudo terminal.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/contract/pseudo_terminal.hpp"
#include "wire/can/frame.hpp"

namespace alara::contract {

class SlcanAdapter {
 public:
  [[nodiscard]] std::string device() const { return line_.device(); }
  [[nodiscard]] std::string file(const std::string& name) const { return line_.file(name); }

  void start() {
    if (line_.started()) return;
    opened_ = false;
    muted_ = false;
    line_.start();
  }
  void stop() { line_.stop(); }
  void mute() { muted_ = true; }
  // Sends a frame as if it had come from the bus; false when nobody has opened the adapter.
  bool send(const wire::can::Frame& each) { return opened_ && !muted_ && write_line(*wire::can::slcan_line(each)); }
  bool write_line(std::string_view text) const { return line_.write_all(text); }
  [[nodiscard]] bool opened() const { return opened_; }
  [[nodiscard]] std::vector<wire::can::Frame> received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  void refuse_frames(bool refuse) { refuses_ = refuse; }
  // Called with every frame written, on the adapter's thread.
  std::function<void(const wire::can::Frame&)> on_frame;

 private:
  void take(std::span<const std::uint8_t> bytes) {
    for (const std::uint8_t byte : bytes) {
      if (byte != '\r') {
        text_ += static_cast<char>(byte);
        continue;
      }
      answer(text_);
      text_.clear();
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

  std::atomic<bool> opened_{false}, muted_{false}, refuses_{false};
  mutable std::mutex mutex_;
  std::vector<wire::can::Frame> received_;
  std::string text_;                                                                   // of an unfinished line
  PseudoTerminal line_{[this](std::span<const std::uint8_t> bytes) { take(bytes); }};  // last: ends first
};

}  // namespace alara::contract
