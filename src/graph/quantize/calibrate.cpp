// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/calibrate.hpp"

#include <algorithm>
#include <cmath>

namespace alara::graph {

Status ChannelMoments::add(const TensorView& tensor) {
  const std::size_t rank = tensor.shape.size();
  if (rank == 0) return fail(ErrorKind::bad_input, "a value without dimensions has no channels");
  const std::size_t axis = axis_ == ChannelAxis::last || rank == 1 ? rank - 1 : 1;
  const auto channels = static_cast<std::size_t>(tensor.shape[axis]);
  if (sum_.empty()) {
    sum_.resize(channels);
    squares_.resize(channels);
  }
  if (channels != sum_.size())
    return fail(ErrorKind::bad_input, "a value has {} channels in one sample and {} in another", sum_.size(), channels);
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < rank; ++i) inner *= static_cast<std::size_t>(tensor.shape[i]);
  const auto numbers = tensor.values<float>();
  for (std::size_t at = 0, channel = 0; at < numbers.size(); at += inner, channel = (channel + 1) % channels) {
    double sum = 0, squares = 0;
    for (const float x : numbers.subspan(at, inner)) {
      sum += static_cast<double>(x);
      squares += static_cast<double>(x) * static_cast<double>(x);
    }
    sum_[channel] += sum;
    squares_[channel] += squares;
  }
  if (channels > 0) count_ += numbers.size() / channels;
  return {};
}

double ChannelMoments::mean(std::size_t channel) const {
  return count_ == 0 ? 0 : sum_[channel] / static_cast<double>(count_);
}

double ChannelMoments::deviation(std::size_t channel) const {
  if (count_ == 0) return 0;
  const double average = mean(channel);
  return std::sqrt(std::max(0.0, squares_[channel] / static_cast<double>(count_) - average * average));
}

Result<Calibration> calibrate(const Model& model, SampleSource& samples, const ExecutorFactory& executors,
                              const CalibrationRequest& request, Progress& progress) {
  std::vector<std::string> wanted = request.histograms;
  for (const auto& [value, axis] : request.moments) wanted.push_back(value);
  Calibration out;
  if (wanted.empty()) return out;
  ALARA_TRY(const std::unique_ptr<Executor> executor, executors(model, wanted, {}));
  std::vector<ValueHistogram*> histograms;
  std::vector<ChannelMoments*> moments;
  for (const std::string& value : request.histograms) histograms.push_back(&out.histograms[value]);
  for (const auto& [value, axis] : request.moments)
    moments.push_back(&out.moments.emplace(value, ChannelMoments(axis)).first->second);

  const auto count = [&](std::span<const TensorView> values) -> Status {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (values[i].type != DataType::float32)
        return fail(ErrorKind::bad_input, "value '{}' is {}, only float32 can be calibrated", wanted[i],
                    name_of(values[i].type));
      if (i < histograms.size())
        histograms[i]->add(values[i].values<float>());
      else
        ALARA_CHECK(moments[i - histograms.size()]->add(values[i]));
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
