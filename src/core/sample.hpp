// SPDX-License-Identifier: Apache-2.0
// Samples and batches: what connectors hand to the engine. A batch is columnar and borrowed: whoever receives one
// copies what it keeps before returning.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.hpp"

namespace alara {

// Dense numbers given when a site file is loaded; stable over a reload for names that stay.
enum class SignalId : std::uint32_t {};
enum class AssetId : std::uint32_t {};
enum class ActuatorId : std::uint32_t {};
enum class OutletId : std::uint32_t {};  // a place where a value of the node appears for others
enum class ConnectorId : std::uint32_t {};
enum class PipelineId : std::uint32_t {};

template <typename Id>
constexpr std::uint32_t index_of(Id id) {
  return static_cast<std::uint32_t>(id);
}

// As OPC UA (Part 8): higher is worse, so the quality of a result is the maximum over its inputs.
enum class Quality : std::uint8_t { good = 0, uncertain = 1, bad = 2 };

// How a signal is stored at its source. Inside the engine every value is a double: exact for all of these but
// 64-bit integers beyond 2^53, which lose their lowest bits.
enum class SignalType : std::uint8_t { boolean, int16, uint16, int32, uint32, int64, uint64, float32, float64 };

[[nodiscard]] std::string_view name_of(SignalType type);
[[nodiscard]] std::optional<SignalType> signal_type_named(std::string_view name);
[[nodiscard]] std::string_view name_of(Quality quality);

// A run of samples. Two shapes:
//   rows  - `signal` has one id per sample (a poll of many registers, an MQTT array);
//   block - `signal` is empty and all samples belong to `block_signal` (a waveform, a file column).
// `time` (event time, wall nanoseconds) is empty when regular: sample i is at time0 + i * step.
// `quality` is empty when all samples are good.
struct Batch {
  std::span<const SignalId> signal;
  SignalId block_signal{};
  std::span<const double> value;
  std::span<const Nanos> time;
  Nanos time0 = 0;
  Nanos step = 0;
  std::span<const Quality> quality;
  Nanos arrival = 0;  // monotonic instant at which the bytes arrived

  [[nodiscard]] std::size_t size() const { return value.size(); }
  [[nodiscard]] bool is_block() const { return signal.empty(); }
  [[nodiscard]] SignalId signal_at(std::size_t i) const { return is_block() ? block_signal : signal[i]; }
  [[nodiscard]] Nanos time_at(std::size_t i) const {
    return time.empty() ? time0 + static_cast<Nanos>(i) * step : time[i];
  }
  [[nodiscard]] Quality quality_at(std::size_t i) const { return quality.empty() ? Quality::good : quality[i]; }
};

}  // namespace alara
