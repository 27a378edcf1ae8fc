// SPDX-License-Identifier: Apache-2.0
#include "flow/window/sketch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace alara::flow {
namespace {

constexpr double kGamma = (1 + Sketch::kAccuracy) / (1 - Sketch::kAccuracy);
constexpr double kLeastMagnitude = 1e-300;  // smaller ones count as zero
const double kLogGamma = std::log(kGamma);

std::int32_t index_for(double magnitude) {
  return static_cast<std::int32_t>(std::ceil(std::log(magnitude) / kLogGamma));
}

// The value with the least relative error to both edges of the bucket: 2 gamma^i / (gamma + 1).
double middle_of(std::int32_t index) { return 2 * std::exp(index * kLogGamma) / (kGamma + 1); }

}  // namespace

void Sketch::Side::raise(std::int32_t top_index) {
  if (total == 0) {
    top = top_index;
    return;
  }
  const std::int32_t new_bottom = top_index - kBuckets + 1;
  std::uint32_t collapsed = 0;
  for (std::int32_t i = bottom(); i < std::min(new_bottom, top + 1); ++i) {
    collapsed += at(i);
    at(i) = 0;
  }
  top = top_index;
  at(new_bottom) += collapsed;
}

void Sketch::Side::add(std::int32_t index, std::uint32_t count) {
  if (count == 0) return;
  if (total == 0 || index > top) raise(index);
  at(std::max(index, bottom())) += count;
  total += count;
}

void Sketch::Side::remove(std::int32_t index) {
  std::uint32_t& bucket = at(std::max(index, bottom()));
  if (bucket == 0) return;
  --bucket;
  --total;
}

void Sketch::Side::merge(const Side& other) {
  if (other.total == 0) return;
  if (total == 0 || other.top > top) raise(other.top);
  for (std::int32_t i = other.bottom(); i <= other.top; ++i) add(i, other.at(i));
}

void Sketch::add(double value) {
  if (std::abs(value) < kLeastMagnitude)
    ++zeros_;
  else if (value > 0)
    positive_.add(index_for(value), 1);
  else
    negative_.add(index_for(-value), 1);
}

void Sketch::remove(double value) {
  if (std::abs(value) < kLeastMagnitude)
    zeros_ -= zeros_ > 0 ? 1 : 0;
  else if (value > 0)
    positive_.remove(index_for(value));
  else
    negative_.remove(index_for(-value));
}

void Sketch::merge(const Sketch& other) {
  positive_.merge(other.positive_);
  negative_.merge(other.negative_);
  zeros_ += other.zeros_;
}

double Sketch::quantile(double fraction) const {
  const std::uint64_t all = count();
  if (all == 0) return std::numeric_limits<double>::quiet_NaN();
  const auto rank = static_cast<std::uint64_t>(fraction * static_cast<double>(all - 1));
  std::uint64_t below = 0;
  if (rank < negative_.total) {
    for (std::int32_t i = negative_.top; i >= negative_.bottom(); --i)
      if ((below += negative_.at(i)) > rank) return -middle_of(i);
  }
  below = negative_.total + zeros_;
  if (rank < below) return 0;
  for (std::int32_t i = positive_.bottom(); i <= positive_.top; ++i)
    if ((below += positive_.at(i)) > rank) return middle_of(i);
  return middle_of(positive_.top);
}

}  // namespace alara::flow
