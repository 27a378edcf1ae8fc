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

// Below, `x` holds `window` old values, then `rows` new ones; result i is that of the window that ends at new value i.
// `n` elements of room means window + rows.

// Into low and high; room_low and room_high have room for n elements each.
void extremes(const float* x, float* room_low, float* room_high, std::size_t window, std::size_t rows, double* low,
              double* high);
void extremes(const double* x, double* room_low, double* room_high, std::size_t window, std::size_t rows, double* low,
              double* high);

struct Moments {
  double *mean, *variance;
  double *std, *rms;  // nullptr: not wanted; only running_moments() writes them
};

// From running sums: the new value comes in, the oldest goes. False, with results not to be used, when rounding may
// have taken the variance's digits: it is below loss * the largest sum of squares on the way.
[[nodiscard]] bool running_moments(const float* x, std::size_t window, std::size_t rows, double loss,
                                   const Moments& out);
[[nodiscard]] bool running_moments(const double* x, std::size_t window, std::size_t rows, double loss,
                                   const Moments& out);

// Sums built for each window by quadrupling (each partial sum of 4^k neighbours from four of 4^(k-1)), no subtraction:
// slower, but what left the window leaves no trace. False when the squares about the first new value drown the variance
// of a window (it is below loss * the sum of squares). Each of `room` has room for n elements.
[[nodiscard]] bool separate_moments(const float* x, double* const room[4], std::size_t window, std::size_t rows,
                                    double loss, const Moments& out);
[[nodiscard]] bool separate_moments(const double* x, double* const room[4], std::size_t window, std::size_t rows,
                                    double loss, const Moments& out);

void convert(const double* in, float* out, std::size_t n);
void convert(const double* in, double* out, std::size_t n);
void root(const double* in, double* out, std::size_t n);  // out may be in
void root_mean_square(const double* mean, const double* variance, double* out, std::size_t n);
void product(const double* a, const double* b, double* out, std::size_t n);
void difference(const double* a, const double* b, double* out, std::size_t n);

}  // namespace alara::flow::kernels
