// SPDX-License-Identifier: Apache-2.0
// Private to infer: the running side of the step `model`.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/operator.hpp"
#include "infer/slot.hpp"

namespace alara::infer {

struct Fallback {
  enum class Kind : std::uint8_t { bad, hold_last, values };
  Kind kind = Kind::bad;
  std::vector<double> values = {};  // one per output column, for Kind::values
};

struct ModelOptions {
  std::size_t values = 1;
  std::size_t history = 1;
  std::size_t max_rows = 100;
  Nanos wait = 0;
  Fallback fallback = {};
  std::vector<double> mean = {};          // empty: as they come
  std::vector<double> scale = {};         // 1 / standard deviation
  std::vector<std::size_t> columns = {};  // output column k is the runner's column columns[k]
  std::size_t slots = 1;
};

// Rows go into the model's input tensor as they come; a flush runs the model and emits one row per row, in their order.
// A row is due when the batch is full, every asset has one in it, or the wait is over. A row without all its values
// is not shown to the model: it is silent until its asset has been complete once, later it takes the fallback.
class ModelOperator final : public Operator {
 public:
  ModelOperator(ModelOptions options, std::unique_ptr<ModelSlot::Seat> seat);

  void process(const Frame& in, FrameBuilder& out) override;
  void advance(Nanos now, Nanos monotonic, FrameBuilder& out) override;
  [[nodiscard]] Nanos next_due() const override;
  [[nodiscard]] std::size_t memory_bytes() const override;
  void counters(std::vector<Counter>& out) const override;

  [[nodiscard]] const std::shared_ptr<ModelSlot>& slot() const { return seat_->slot(); }

 private:
  static constexpr std::uint32_t kNotRun = UINT32_MAX;
  static constexpr Nanos kUnset = INT64_MIN;

  struct Pending {
    std::uint32_t slot;
    std::uint32_t model_row;  // kNotRun: takes the fallback
    Quality quality;
    Nanos time;
  };
  struct Asset {
    std::uint64_t in_batch = 0;  // number of the newest batch it has a row in
    std::uint32_t rows = 0;      // of history gathered, up to `history`
    std::uint32_t newest = 0;    // place of the newest row in its ring
    bool complete = false;       // has been, once
  };

  void take(const Frame& in, std::size_t row, FrameBuilder& out);
  bool gather(const Frame& in, std::size_t row);
  bool put_model_row(Asset& asset, std::uint32_t slot);
  void flush(FrameBuilder& out);
  void emit(const Pending& pending, bool ran, FrameBuilder& out);
  void fall_back(const Pending& pending, FrameBuilder& out);
  [[nodiscard]] std::span<double> last_of(std::uint32_t slot) {
    return std::span(last_).subspan(slot * options_.columns.size(), options_.columns.size());
  }

  const ModelOptions options_;
  const std::unique_ptr<ModelSlot::Seat> seat_;
  std::vector<Asset> assets_;
  std::vector<double> history_;  // [slot][history][values], a ring per slot; empty when history is 1
  std::vector<double> last_;     // [slot][column], for hold_last
  std::vector<Pending> pending_;
  std::vector<double> row_;     // one row's values
  std::vector<double> window_;  // one row with its history, oldest first
  std::vector<double> raw_;     // one row as the runner gives it
  std::vector<double> result_;  // one row in the order of our columns
  std::uint32_t model_rows_ = 0;
  std::size_t assets_in_batch_ = 0;
  std::uint64_t batch_ = 1;
  Nanos due_ = kUnset;

  std::uint64_t rows_ = 0;
  std::uint64_t runs_ = 0;
  std::uint64_t failed_runs_ = 0;
  std::uint64_t not_finite_ = 0;
  std::uint64_t incomplete_ = 0;
  std::uint64_t fallbacks_ = 0;
};

}  // namespace alara::infer
