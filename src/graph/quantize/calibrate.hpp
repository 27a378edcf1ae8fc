// SPDX-License-Identifier: Apache-2.0
// What the values of a graph take while samples run through it: histograms for ranges, means of channels for
// corrections of biases. Constant memory per value, whatever the number, batch and shape of samples.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/executor.hpp"
#include "graph/quantize/histogram.hpp"
#include "graph/quantize/stream.hpp"

namespace alara::graph {

enum class ChannelAxis : std::uint8_t { second, last };  // [N, C, …] as Conv and Gemm have it; […, C] as MatMul

// Mean, smallest and largest number of each channel over all samples and places.
class ChannelStatistics {
 public:
  explicit ChannelStatistics(ChannelAxis axis = ChannelAxis::second) : axis_(axis) {}
  Status add(const TensorView& tensor);

  [[nodiscard]] std::size_t channels() const { return sum_.size(); }
  [[nodiscard]] double mean(std::size_t channel) const;
  [[nodiscard]] double min(std::size_t channel) const;
  [[nodiscard]] double max(std::size_t channel) const;

 private:
  ChannelAxis axis_;
  std::vector<double> sum_, min_, max_;
  std::uint64_t count_ = 0;  // numbers per channel
};

struct CalibrationRequest {
  std::vector<std::string> histograms;          // of these float32 values
  std::map<std::string, ChannelAxis> channels;  // of these
  std::size_t max_samples = kAllSamples;
};

struct Calibration {
  std::map<std::string, ValueHistogram> histograms;
  std::map<std::string, ChannelStatistics> channels;
  std::size_t samples = 0;
};

// Errors: bad_input (no samples, samples that do not fit, a value that is never finite).
[[nodiscard]] Result<Calibration> calibrate(const Model& model, SampleSource& samples, const ExecutorFactory& executors,
                                            const CalibrationRequest& request, Progress& progress);

}  // namespace alara::graph
