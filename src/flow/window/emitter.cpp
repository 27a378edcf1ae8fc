// SPDX-License-Identifier: Apache-2.0
#include "flow/window/emitter.hpp"

#include <algorithm>
#include <utility>

namespace alara::flow {

Emitter::Emitter(std::vector<Wanted> use, bool late_column)
    : use_(std::move(use)), late_column_(late_column), row_(use_.size() + (late_column ? 1 : 0), Summary::kNone) {}

void Emitter::result(std::uint32_t slot, Nanos time, Quality quality, const Summary& summary) {
  for (std::size_t k = 0; k < use_.size(); ++k) row_[k] = value_of(use_[k], summary);
  if (late_column_) row_.back() = Summary::kNone;
  out_->append(slot, time, quality, row_);
}

void Emitter::late(std::uint32_t slot, Nanos time, Quality quality, double value) {
  if (!late_column_) return;
  std::fill(row_.begin(), row_.end(), Summary::kNone);
  row_.back() = value;
  out_->append(slot, time, quality, row_);
}

}  // namespace alara::flow
