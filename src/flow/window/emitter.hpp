// SPDX-License-Identifier: Apache-2.0
// Turns finished windows into rows of an operator's output: one column for each aggregate, in the order of `use`, and
// one more for late samples where they were asked for. NaN in a column means "no value in this row".
#pragma once

#include <vector>

#include "core/frame.hpp"
#include "flow/window/aggregate.hpp"

namespace alara::flow {

class Emitter {
 public:
  Emitter(std::vector<Wanted> use, bool late_column);

  void to(FrameBuilder& out) { out_ = &out; }
  void result(std::uint32_t slot, Nanos time, Quality quality, const Summary& summary);
  void late(std::uint32_t slot, Nanos time, Quality quality, double value);  // nothing without a late column

  [[nodiscard]] const std::vector<Wanted>& use() const { return use_; }
  [[nodiscard]] bool late_column() const { return late_column_; }

 private:
  std::vector<Wanted> use_;
  bool late_column_;
  std::vector<double> row_;
  FrameBuilder* out_ = nullptr;
};

}  // namespace alara::flow
