// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace alara::graph {
namespace {

constexpr int kSmallestExponent = -140;  // the smallest numbers land in the bins beside zero

struct Extent {
  float min = std::numeric_limits<float>::infinity();
  float max = -std::numeric_limits<float>::infinity();
  std::uint64_t finite = 0;
  std::uint64_t zeros = 0;
};

Extent extent_of(std::span<const float> numbers) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  Extent out;
  std::uint32_t finite = 0, zeros = 0;
  std::size_t i = 0;
  for (const float x : numbers) {
    const bool good = std::fabs(x) <= kLargest;  // false for NaN
    out.min = good && x < out.min ? x : out.min;
    out.max = good && x > out.max ? x : out.max;
    finite += good ? 1 : 0;
    zeros += x == 0 ? 1 : 0;
    if (++i % (std::size_t{1} << 30) == 0) {
      out.finite += std::exchange(finite, 0);
      out.zeros += std::exchange(zeros, 0);
    }
  }
  out.finite += finite;
  out.zeros += zeros;
  return out;
}

// The smallest exponent whose kHalf bins reach beyond |x|.
int exponent_for(float x) {
  int exponent = 0;
  std::frexp(x, &exponent);  // |x| < 2^exponent
  return exponent - std::countr_zero(static_cast<unsigned>(ValueHistogram::kHalf));
}

}  // namespace

ValueHistogram::ValueHistogram()
    : counts_(std::make_unique<Counts>()), exponent_(kSmallestExponent), min_(0), max_(0) {}

double ValueHistogram::width() const { return std::ldexp(1.0, exponent_); }

void ValueHistogram::widen(int exponent) {
  const int shift = std::min(exponent - exponent_, 30);
  if (shift <= 0) return;
  exponent_ = exponent;
  Counts merged{};
  for (int i = 0; i < 2 * kHalf; ++i) merged[((i - kHalf) >> shift) + kHalf] += (*counts_)[i];
  *counts_ = merged;
}

void ValueHistogram::add(std::span<const float> numbers) {
  const Extent extent = extent_of(numbers);
  not_finite_ += numbers.size() - extent.finite;
  if (extent.finite == 0) return;
  min_ = count_ == 0 ? extent.min : std::min(min_, extent.min);
  max_ = count_ == 0 ? extent.max : std::max(max_, extent.max);
  count_ += extent.finite;
  zeros_ += extent.zeros;
  const float largest = std::max(std::fabs(extent.min), std::fabs(extent.max));
  if (largest > 0) widen(exponent_for(largest));

  const double scale = std::ldexp(1.0, -exponent_);
  const auto place = [&](float x) { (*counts_)[static_cast<int>(std::floor(x * scale)) + kHalf] += 1; };
  if (extent.finite == numbers.size()) {
    for (const float x : numbers) place(x);
  } else {
    for (const float x : numbers)
      if (std::isfinite(x)) place(x);
  }
}

std::vector<ValueHistogram::Bin> ValueHistogram::bins() const {
  std::vector<Bin> out;
  for (int i = 0; i < 2 * kHalf; ++i) {
    std::uint64_t count = (*counts_)[i];
    if (i == kHalf && zeros_ > 0) {
      out.push_back({0, static_cast<double>(zeros_)});
      count -= zeros_;
    }
    if (count > 0) out.push_back({(i - kHalf + 0.5) * width(), static_cast<double>(count)});
  }
  return out;
}

bool operator==(const ValueHistogram& a, const ValueHistogram& b) {
  return a.exponent_ == b.exponent_ && a.count_ == b.count_ && a.zeros_ == b.zeros_ && a.not_finite_ == b.not_finite_ &&
         a.min_ == b.min_ && a.max_ == b.max_ && *a.counts_ == *b.counts_;
}

}  // namespace alara::graph
