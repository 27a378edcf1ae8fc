// SPDX-License-Identifier: Apache-2.0
// What went wrong last, for people: set by a connector's thread, read by any.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

namespace alara {

class LastError {
 public:
  void set_error(std::string text) {
    const std::lock_guard lock(mutex_);
    text_ = std::move(text);
    has_error_.store(!text_.empty(), std::memory_order_relaxed);
  }
  // All is well again. Cheap when it was before.
  void clear_error() {
    if (has_error_.load(std::memory_order_relaxed)) set_error({});
  }
  [[nodiscard]] std::string last_error() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
  std::atomic<bool> has_error_{false};
};

}  // namespace alara
