// SPDX-License-Identifier: Apache-2.0
// For tests: a progress that asks to stop after a number of steps.
#pragma once

#include "base/progress.hpp"

namespace alara::learn::test {

class StopAt final : public Progress {
 public:
  explicit StopAt(std::size_t step) : step_(step) {}
  void begin(std::string_view, std::size_t) override {}
  void step(std::size_t done, std::string_view) override { done_ = done; }
  [[nodiscard]] bool stopped() const override { return done_ >= step_; }

 private:
  std::size_t step_, done_ = 0;
};

}  // namespace alara::learn::test
