// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "connect/file/source.hpp"
#include "connect/file/text_reader.hpp"
#include "wire/payload_json.hpp"

namespace alara::file {
namespace {

class JsonlSource final : public Source {
 public:
  JsonlSource(const Settings& settings, std::span<const SignalBinding> signals)
      : settings_(settings), signals_(signals) {}

  Status open() override;
  Result<bool> play(Player& player, const SourceReport& report) override;

 private:
  std::optional<Nanos> time_of_line(std::uint64_t index) const;
  bool deliver(const SignalBinding& signal, const wire::JsonRow::Point& point, Nanos time, Player& player,
               const SourceReport& report);

  const Settings& settings_;
  std::span<const SignalBinding> signals_;
  std::unique_ptr<FileInput> input_;
  std::unique_ptr<TextReader> reader_;
  wire::JsonPlan plan_;
  std::vector<std::uint32_t> points_;  // by signal
  wire::JsonRow row_;
  std::vector<Quality> qualities_;
};

Status JsonlSource::open() {
  ALARA_TRY(input_, FileInput::open(settings_.path));
  reader_ = std::make_unique<TextReader>(*input_, settings_.path, TextReader::Kind::lines);
  if (!points_.empty()) return {};
  if (!settings_.time.empty()) ALARA_CHECK(plan_.set_time_path(settings_.time));
  for (const SignalBinding& signal : signals_) {
    ALARA_TRY(const std::uint32_t point, plan_.add(signal.address));
    points_.push_back(point);
  }
  return {};
}

std::optional<Nanos> JsonlSource::time_of_line(std::uint64_t index) const {
  if (row_.timed) return row_.time;
  if (settings_.rate_hz <= 0) return std::nullopt;
  return later(settings_.start, std::round(static_cast<double>(index) * 1e9 / settings_.rate_hz));
}

Result<bool> JsonlSource::play(Player& player, const SourceReport& report) {
  for (std::uint64_t index = 0;; ++index) {
    ALARA_TRY(const bool any, reader_->next());
    if (!any) return true;
    report.stats.bytes_in.fetch_add(reader_->bytes(), std::memory_order_relaxed);
    const wire::PayloadFault fault = plan_.read(reader_->cells().front(), {}, row_);
    if (fault != wire::PayloadFault::none) {
      report.inlet.reject(wire::name_of(fault), signals_.size());
      report.error({ErrorKind::corrupt, fmt::format("the line is {}", wire::name_of(fault)), reader_->where(), {}});
      continue;
    }
    const auto time = time_of_line(index);
    if (!time) {
      report.inlet.reject("bad_time", signals_.size());
      report.error({ErrorKind::corrupt,
                    "the line has no time; say where it is (time:) or the rate (rate:)",
                    reader_->where(),
                    {}});
      continue;
    }
    if (!player.record(*time)) return false;
    for (std::size_t i = 0; i < signals_.size(); ++i)
      if (!deliver(signals_[i], row_.points[points_[i]], *time, player, report)) return false;
  }
}

bool JsonlSource::deliver(const SignalBinding& signal, const wire::JsonRow::Point& point, Nanos time, Player& player,
                          const SourceReport& report) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  if (point.fault == wire::PayloadFault::missing) {
    if (settings_.missing == Missing::bad) {
      player.point(signal.signal, kNaN, Quality::bad);
    } else {
      ++*report.missing;
    }
    return true;
  }
  if (point.fault != wire::PayloadFault::none) {
    report.inlet.reject(wire::name_of(point.fault), 1);
    report.error({ErrorKind::corrupt,
                  fmt::format("'{}' is {}", signal.address, wire::name_of(point.fault)),
                  reader_->where(),
                  {}});
    return true;
  }
  if (!point.list) {
    player.point(signal.signal, point.value, point.quality);
    return true;
  }
  if (signal.rate_hz <= 0) {
    report.inlet.reject("no_rate", point.count);
    report.error({ErrorKind::bad_input,
                  fmt::format("'{}' is a waveform; declare the signal's rate", signal.address),
                  reader_->where(),
                  {}});
    return true;
  }
  const auto samples = std::span<const double>(row_.samples).subspan(point.first, point.count);
  qualities_.resize(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i)
    qualities_[i] = std::isfinite(samples[i]) ? point.quality : Quality::bad;
  return player.wave(signal.signal, samples, qualities_, time, static_cast<Nanos>(std::llround(1e9 / signal.rate_hz)));
}

}  // namespace

std::unique_ptr<Source> make_jsonl_source(const Settings& settings, std::span<const SignalBinding> signals) {
  return std::make_unique<JsonlSource>(settings, signals);
}

}  // namespace alara::file
