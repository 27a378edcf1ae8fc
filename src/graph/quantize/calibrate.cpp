// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/calibrate.hpp"

#include <algorithm>
#include <limits>

namespace alara::graph {

Status ChannelStatistics::add(const TensorView& tensor) {
  const std::size_t rank = tensor.shape.size();
  if (rank == 0) return fail(ErrorKind::bad_input, "a value without dimensions has no channels");
  const std::size_t axis = axis_ == ChannelAxis::last || rank == 1 ? rank - 1 : 1;
  const auto channels = static_cast<std::size_t>(tensor.shape[axis]);
  if (sum_.empty()) {
    sum_.resize(channels);
    min_.resize(channels, std::numeric_limits<double>::infinity());
    max_.resize(channels, -std::numeric_limits<double>::infinity());
  }
  if (channels != sum_.size())
    return fail(ErrorKind::bad_input, "a value has {} channels in one sample and {} in another", sum_.size(), channels);
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < rank; ++i) inner *= static_cast<std::size_t>(tensor.shape[i]);
  const auto numbers = tensor.values<float>();
  for (std::size_t at = 0, channel = 0; at < numbers.size(); at += inner, channel = (channel + 1) % channels) {
    double sum = 0;
    float least = std::numeric_limits<float>::infinity(), most = -least;
    for (const float x : numbers.subspan(at, inner)) {
      sum += static_cast<double>(x);
      least = std::min(least, x);
      most = std::max(most, x);
    }
    sum_[channel] += sum;
    min_[channel] = std::min(min_[channel], static_cast<double>(least));
    max_[channel] = std::max(max_[channel], static_cast<double>(most));
  }
  if (channels > 0) count_ += numbers.size() / channels;
  return {};
}

double ChannelStatistics::mean(std::size_t channel) const {
  return count_ == 0 ? 0 : sum_[channel] / static_cast<double>(count_);
}

double ChannelStatistics::min(std::size_t channel) const { return count_ == 0 ? 0 : min_[channel]; }
double ChannelStatistics::max(std::size_t channel) const { return count_ == 0 ? 0 : max_[channel]; }

Result<Calibration> calibrate(const Model& model, SampleSource& samples, const ExecutorFactory& executors,
                              const CalibrationRequest& request, Progress& progress) {
  std::vector<std::string> wanted = request.histograms;
  for (const auto& [value, axis] : request.channels) wanted.push_back(value);
  Calibration out;
  if (wanted.empty()) return out;
  ALARA_TRY(const std::unique_ptr<Executor> executor, executors(model, wanted, {}));
  std::vector<ValueHistogram*> histograms;
  std::vector<ChannelStatistics*> channels;
  for (const std::string& value : request.histograms) histograms.push_back(&out.histograms[value]);
  for (const auto& [value, axis] : request.channels)
    channels.push_back(&out.channels.emplace(value, ChannelStatistics(axis)).first->second);

  const auto count = [&](std::span<const TensorView> values) -> Status {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (values[i].type != DataType::float32)
        return fail(ErrorKind::bad_input, "value '{}' is {}, only float32 can be calibrated", wanted[i],
                    name_of(values[i].type));
      if (i < histograms.size())
        histograms[i]->add(values[i].values<float>());
      else
        ALARA_CHECK(channels[i - histograms.size()]->add(values[i]));
    }
    return {};
  };
  ALARA_CHECK(for_each_run(samples, request.max_samples, *executor, "calibrating", progress, count));
  out.samples = std::min(request.max_samples, samples.size());
  for (const auto& [value, histogram] : out.histograms)
    if (histogram.count() == 0 && histogram.not_finite() > 0)
      return fail(ErrorKind::bad_input, "value '{}' is never a finite number on the calibration data", value);
  return out;
}

}  // namespace alara::graph
