// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "connect/file/input.hpp"
#include "connect/file/npy.hpp"
#include "connect/file/source.hpp"

namespace alara::file {
namespace {

constexpr std::size_t kMaxReadBytes = 4u << 20;  // of one block, gaps between its samples included

class NpySource final : public Source {
 public:
  NpySource(const Settings& settings, std::span<const SignalBinding> signals)
      : settings_(settings), signals_(signals) {}

  Status open() override;
  Result<bool> play(Player& player, const SourceReport& report) override;

 private:
  Status check_axes() const;
  Result<bool> deliver(std::size_t which, std::uint64_t record, std::uint64_t sample, std::size_t count,
                       Player& player);

  const Settings& settings_;
  std::span<const SignalBinding> signals_;
  std::unique_ptr<FileInput> input_;
  NpyHeader header_;
  std::vector<NpySeries> series_;  // by signal; all run over the same axes
  double step_ns_ = 0;
  double record_ns_ = 0;
  std::vector<char> bytes_;
  std::vector<double> values_;
  std::vector<Quality> qualities_;
};

Status NpySource::open() {
  const auto placed = [this](Error error) {
    error.where = {settings_.path, 0, 0};
    return tl::unexpected<Error>(std::move(error));
  };
  ALARA_TRY(input_, FileInput::open(settings_.path));
  ALARA_TRY(const std::uint64_t size, input_->size());
  std::vector<char> start(std::min<std::uint64_t>(size, kMaxNpyHeader));
  ALARA_CHECK(input_->read_at(0, start));
  auto header = parse_series_header(start, size);
  if (!header) return placed(std::move(header).error());
  header_ = std::move(*header);
  series_.clear();
  double rate = settings_.rate_hz;
  for (const SignalBinding& signal : signals_) {
    auto series = parse_npy_address(signal.address, header_.shape);
    if (!series) return placed(std::move(series).error());
    series_.push_back(*series);
    if (rate <= 0) rate = signal.rate_hz;
  }
  if (rate <= 0)
    return placed({ErrorKind::bad_input,
                   "an .npy file does not tell its rate; add rate: 12kHz, or declare the signal's",
                   {},
                   {}});
  step_ns_ = 1e9 / rate;
  if (const Status axes = check_axes(); !axes) return placed(axes.error());
  if (!series_.empty())
    record_ns_ = settings_.record_every > 0 ? static_cast<double>(settings_.record_every)
                                            : step_ns_ * static_cast<double>(series_[0].samples);
  return {};
}

Status NpySource::check_axes() const {
  for (const NpySeries& series : series_)
    if (series.records != series_[0].records || series.samples != series_[0].samples)
      return fail(ErrorKind::bad_input, "the addresses {} and {} run over different axes", signals_[0].address,
                  signals_[static_cast<std::size_t>(&series - series_.data())].address);
  return {};
}

Result<bool> NpySource::play(Player& player, const SourceReport& report) {
  if (series_.empty()) return true;
  const std::uint64_t samples = series_[0].samples;
  const std::size_t stride_bytes = series_[0].sample_stride * header_.item_size;
  const std::size_t most =
      std::max<std::size_t>(1, std::min(player.block_size(static_cast<Nanos>(step_ns_)), kMaxReadBytes / stride_bytes));
  for (std::uint64_t record = 0; record < series_[0].records; ++record) {
    for (std::uint64_t sample = 0; sample < samples; sample += most) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(most, samples - sample));
      for (std::size_t which = 0; which < series_.size(); ++which) {
        ALARA_TRY(const bool on, deliver(which, record, sample, count, player));
        if (!on) return false;
        report.stats.bytes_in.fetch_add(bytes_.size(), std::memory_order_relaxed);
      }
    }
  }
  return true;
}

Result<bool> NpySource::deliver(std::size_t which, std::uint64_t record, std::uint64_t sample, std::size_t count,
                                Player& player) {
  const NpySeries& series = series_[which];
  const std::uint64_t first = series.first + record * series.record_stride + sample * series.sample_stride;
  const std::size_t stride_bytes = series.sample_stride * header_.item_size;
  bytes_.resize((count - 1) * stride_bytes + header_.item_size);
  ALARA_CHECK(input_->read_at(header_.data_offset + first * header_.item_size, bytes_));
  values_.resize(count);
  const std::size_t bad = decode_npy(bytes_, header_.type, stride_bytes, values_);
  qualities_.clear();
  if (bad > 0)
    for (const double value : values_) qualities_.push_back(std::isfinite(value) ? Quality::good : Quality::bad);
  // From the start of the recording, not from block to block: rounding does not add up.
  const double offset = static_cast<double>(record) * record_ns_ + static_cast<double>(sample) * step_ns_;
  const Nanos time = later(settings_.start, std::round(offset));
  return player.wave(signals_[which].signal, values_, qualities_, time, static_cast<Nanos>(std::llround(step_ns_)));
}

}  // namespace

std::unique_ptr<Source> make_npy_source(const Settings& settings, std::span<const SignalBinding> signals) {
  return std::make_unique<NpySource>(settings, signals);
}

}  // namespace alara::file
