// SPDX-License-Identifier: Apache-2.0
// The loops worth vectorising: compiled for the x86-64 baseline, AVX2 and AVX-512, chosen when the program starts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/sample.hpp"

namespace alara::flow::kernels {

// How many of `values` are not within ±limit (NaN included), and how many of `quality` are not good.
[[nodiscard]] std::size_t count_unusable(const double* values, std::size_t n, double limit);
[[nodiscard]] std::size_t count_not_good(const Quality* quality, std::size_t n);

// Working memory for slide(): each array holds window + rows elements.
template <typename T>
struct SlideScratch {
  T* x;               // in: window - 1 old values, then `rows` new ones
  T *low, *high;
  double *s1, *s2;
  double *sum1, *sum2;
};

// Results for the `rows` windows of `window` samples that end at each new value: sums by quadrupling (each partial sum of
// 4^k neighbours from four of 4^(k-1)), extremes by two overlapping partial windows; no subtraction anywhere. False when
// the squares about x[window - 1] drown the variance of a window (it is below loss * the sum of squares).
[[nodiscard]] bool slide(const SlideScratch<float>& scratch, std::size_t window, std::size_t rows, double loss, double* mean,
                         double* variance, double* low, double* high);
[[nodiscard]] bool slide(const SlideScratch<double>& scratch, std::size_t window, std::size_t rows, double loss,
                         double* mean, double* variance, double* low, double* high);

void convert(const double* in, float* out, std::size_t n);
void convert(const double* in, double* out, std::size_t n);
void root(const double* in, double* out, std::size_t n);  // out may be in
void root_mean_square(const double* mean, const double* variance, double* out, std::size_t n);
void product(const double* a, const double* b, double* out, std::size_t n);
void difference(const double* a, const double* b, double* out, std::size_t n);

}  // namespace alara::flow::kernels
