// SPDX-License-Identifier: Apache-2.0
#include "infer/model_operator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace alara::infer {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool all_finite(std::span<const double> values) {
  // x - x is 0 for finite x, NaN otherwise: one sum tells all.
  double sum = 0;
  for (const double value : values) sum += value - value;
  return sum == 0;
}

}  // namespace

ModelOperator::ModelOperator(ModelOptions options, std::unique_ptr<ModelSlot::Seat> seat)
    : options_(std::move(options)), seat_(std::move(seat)), assets_(options_.slots) {
  if (options_.history > 1) {
    history_.resize(options_.slots * options_.history * options_.values);
    window_.resize(options_.history * options_.values);
  }
  if (options_.fallback.kind == Fallback::Kind::hold_last) last_.assign(options_.slots * options_.columns.size(), kNaN);
  pending_.reserve(options_.max_rows);
  row_.resize(options_.values);
  raw_.resize(seat_->runner().columns().size());
  result_.resize(options_.columns.size());
}

void ModelOperator::process(const Frame& in, FrameBuilder& out) {
  for (std::size_t i = 0; i < in.size(); ++i) take(in, i, out);
  if (!pending_.empty() && (options_.wait == 0 || assets_in_batch_ == assets_.size())) flush(out);
}

void ModelOperator::advance(Nanos now, Nanos, FrameBuilder& out) {
  if (pending_.empty()) return;
  if (due_ == kUnset) due_ = now + options_.wait;
  if (now >= due_) flush(out);
}

Nanos ModelOperator::next_due() const {
  if (pending_.empty()) return kNever;
  return due_;  // not known before the first advance(): at once
}

void ModelOperator::take(const Frame& in, std::size_t row, FrameBuilder& out) {
  const std::uint32_t slot = in.slot_at(row);
  Asset& asset = assets_[slot];
  if (pending_.empty()) seat_->refresh();
  std::uint32_t model_row = kNotRun;
  if (gather(in, row)) {
    if (!put_model_row(asset, slot)) return;
    model_row = model_rows_++;
  } else {
    ++incomplete_;
    if (!asset.complete) return;
  }
  if (asset.in_batch != batch_) {
    asset.in_batch = batch_;
    ++assets_in_batch_;
  }
  pending_.push_back({slot, model_row, in.quality_at(row), in.time[row]});
  if (pending_.size() == options_.max_rows) flush(out);
}

// The row's values, normalised, into row_; false when one is missing.
bool ModelOperator::gather(const Frame& in, std::size_t row) {
  for (std::size_t k = 0; k < row_.size(); ++k) row_[k] = in.column(k)[row];
  if (!all_finite(row_)) return false;
  if (!options_.mean.empty())
    for (std::size_t k = 0; k < row_.size(); ++k) row_[k] = (row_[k] - options_.mean[k]) * options_.scale[k];
  return true;
}

// Shows row_ (with the rows before it) to the model as its next row; false while the history is too short.
bool ModelOperator::put_model_row(Asset& asset, std::uint32_t slot) {
  const std::size_t depth = options_.history;
  if (depth == 1) {
    asset.complete = true;
    seat_->runner().write(model_rows_, row_);
    return true;
  }
  const std::size_t width = options_.values;
  const std::span<double> ring = std::span(history_).subspan(slot * depth * width, depth * width);
  asset.newest = static_cast<std::uint32_t>((asset.newest + 1) % depth);
  std::copy(row_.begin(), row_.end(), ring.begin() + static_cast<std::ptrdiff_t>(asset.newest * width));
  if (asset.rows < depth) ++asset.rows;
  if (asset.rows < depth) return false;
  asset.complete = true;
  const auto oldest = static_cast<std::ptrdiff_t>((asset.newest + 1) % depth * width);
  std::rotate_copy(ring.begin(), ring.begin() + oldest, ring.end(), window_.begin());
  seat_->runner().write(model_rows_, window_);
  return true;
}

void ModelOperator::flush(FrameBuilder& out) {
  bool ran = true;
  if (model_rows_ > 0) {
    // The clock only feeds the histogram: no result depends on it.
    const SystemClock clock;
    const Nanos start = clock.monotonic();
    ran = seat_->runner().run(model_rows_).has_value();
    seat_->run_times().record(clock.monotonic() - start);
    ++runs_;
    failed_runs_ += ran ? 0 : 1;
  }
  for (const Pending& pending : pending_) emit(pending, ran, out);
  rows_ += pending_.size();
  pending_.clear();
  model_rows_ = 0;
  assets_in_batch_ = 0;
  ++batch_;
  due_ = kUnset;
}

void ModelOperator::emit(const Pending& pending, bool ran, FrameBuilder& out) {
  if (pending.model_row == kNotRun || !ran) return fall_back(pending, out);
  seat_->runner().read(pending.model_row, raw_);
  for (std::size_t k = 0; k < result_.size(); ++k) result_[k] = raw_[options_.columns[k]];
  if (!all_finite(result_)) {
    ++not_finite_;
    return fall_back(pending, out);
  }
  if (!last_.empty()) std::copy(result_.begin(), result_.end(), last_of(pending.slot).begin());
  out.append(pending.slot, pending.time, pending.quality, result_);
}

void ModelOperator::fall_back(const Pending& pending, FrameBuilder& out) {
  ++fallbacks_;
  std::fill(result_.begin(), result_.end(), kNaN);
  if (options_.fallback.kind == Fallback::Kind::values) result_ = options_.fallback.values;
  if (options_.fallback.kind == Fallback::Kind::hold_last) {
    const std::span<const double> last = last_of(pending.slot);
    std::copy(last.begin(), last.end(), result_.begin());
  }
  out.append(pending.slot, pending.time, all_finite(result_) ? Quality::uncertain : Quality::bad, result_);
}

std::size_t ModelOperator::memory_bytes() const {
  const std::size_t numbers =
      history_.size() + window_.size() + last_.size() + row_.size() + raw_.size() + result_.size();
  return sizeof *this + seat_->runner().memory_bytes() + numbers * sizeof(double) + assets_.size() * sizeof(Asset) +
         options_.max_rows * sizeof(Pending);
}

void ModelOperator::counters(std::vector<Counter>& out) const {
  out.push_back({"rows", rows_});
  out.push_back({"runs", runs_});
  out.push_back({"failed_runs", failed_runs_});
  out.push_back({"not_finite", not_finite_});
  out.push_back({"incomplete", incomplete_});
  out.push_back({"fallbacks", fallbacks_});
  out.push_back({"replaced", slot()->replaced()});
}

}  // namespace alara::infer
