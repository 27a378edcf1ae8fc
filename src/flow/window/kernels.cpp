// SPDX-License-Identifier: Apache-2.0
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3", "no-math-errno", "no-trapping-math")
#endif

#include "flow/window/kernels.hpp"

#include <cmath>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ALARA_CLONES __attribute__((target_clones("default", "avx2", "arch=skylake-avx512")))
#else
#define ALARA_CLONES
#endif
#if defined(__clang__)
#define ALARA_IVDEP
#else
#define ALARA_IVDEP _Pragma("GCC ivdep")  // what a loop writes it does not read again
#endif
#define ALARA_INLINE __attribute__((always_inline)) inline

namespace alara::flow::kernels {
namespace {

template <typename T>
ALARA_INLINE T smaller(T a, T b) {
  return a < b ? a : b;
}
template <typename T>
ALARA_INLINE T larger(T a, T b) {
  return a > b ? a : b;
}

// The first level: deviations from the shift and their squares, in windows of one.
template <typename T>
ALARA_INLINE void begin(const SlideScratch<T>& s, std::size_t n, double shift) {
  const T* __restrict x = s.x;
  T* __restrict low = s.low;
  T* __restrict high = s.high;
  double* __restrict s1 = s.s1;
  double* __restrict s2 = s.s2;
  for (std::size_t i = 0; i < n; ++i) low[i] = high[i] = x[i];
  for (std::size_t i = 0; i < n; ++i) {
    const double d = static_cast<double>(x[i]) - shift;
    s1[i] = d;
    s2[i] = d * d;
  }
}

// From windows of `width` to windows of four times that, in place: element i needs itself and later ones, none of them
// replaced yet.
ALARA_INLINE void widen_sum(double* s, std::size_t n, std::size_t width) {
ALARA_IVDEP
  for (std::size_t i = 0; i < n; ++i) s[i] = (s[i] + s[i + width]) + (s[i + 2 * width] + s[i + 3 * width]);
}

// The same for extremes, where windows may overlap: four of them, `step` apart.
template <typename T>
ALARA_INLINE void widen_low(T* low, std::size_t n, std::size_t step) {
ALARA_IVDEP
  for (std::size_t i = 0; i < n; ++i)
    low[i] = smaller(smaller(low[i], low[i + step]), smaller(low[i + 2 * step], low[i + 3 * step]));
}
template <typename T>
ALARA_INLINE void widen_high(T* high, std::size_t n, std::size_t step) {
ALARA_IVDEP
  for (std::size_t i = 0; i < n; ++i)
    high[i] = larger(larger(high[i], high[i + step]), larger(high[i + 2 * step], high[i + 3 * step]));
}

// sum += `times` (1 to 3) neighbouring windows of `width`; the first time sum is set.
ALARA_INLINE void gather(const double* __restrict from, double* __restrict sum, std::size_t rows, std::size_t width,
                         std::size_t times, bool first) {
  if (first)
    for (std::size_t i = 0; i < rows; ++i) sum[i] = 0;
  if (times == 1)
    for (std::size_t i = 0; i < rows; ++i) sum[i] += from[i];
  else if (times == 2)
    for (std::size_t i = 0; i < rows; ++i) sum[i] += from[i] + from[i + width];
  else
    for (std::size_t i = 0; i < rows; ++i) sum[i] += (from[i] + from[i + width]) + from[i + 2 * width];
}

template <typename T>
ALARA_INLINE bool finish(const SlideScratch<T>& s, std::size_t window, std::size_t width, std::size_t rows, double loss,
                         double shift, double* __restrict mean, double* __restrict variance, double* __restrict low,
                         double* __restrict high) {
  const double share = 1.0 / static_cast<double>(window);
  const double* __restrict sum1 = s.sum1;
  const double* __restrict sum2 = s.sum2;
  const T* __restrict from_low = s.low;
  const T* __restrict from_high = s.high;
  const std::size_t second = window - width;
  std::int64_t drowned = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const double offset = sum1[i] * share;
    const double spread = sum2[i] - sum1[i] * offset;
    drowned += spread < loss * sum2[i] ? 1 : 0;
    mean[i] = shift + offset;
    variance[i] = larger(spread, 0.0) * share;
  }
  for (std::size_t i = 0; i < rows; ++i) low[i] = static_cast<double>(smaller(from_low[i], from_low[i + second]));
  for (std::size_t i = 0; i < rows; ++i) high[i] = static_cast<double>(larger(from_high[i], from_high[i + second]));
  return drowned == 0;
}

template <typename T>
ALARA_INLINE bool slide_any(const SlideScratch<T>& s, std::size_t window, std::size_t rows, double loss, double* mean,
                            double* variance, double* low, double* high) {
  const std::size_t n = window - 1 + rows;
  const double shift = static_cast<double>(s.x[window - 1]);
  begin(s, n, shift);
  std::size_t width = 1;    // of the windows that the arrays hold now
  std::size_t covered = 0;  // samples of each window already in sum1, sum2: the low digits of `window` to base 4
  while (true) {
    if (const std::size_t times = window / width % 4; times > 0) {
      gather(s.s1 + covered, s.sum1, rows, width, times, covered == 0);
      gather(s.s2 + covered, s.sum2, rows, width, times, covered == 0);
      covered += times * width;
    }
    if (width * 4 > window) break;
    const std::size_t left = n + 1 - 4 * width;
    widen_sum(s.s1, left, width);
    widen_sum(s.s2, left, width);
    widen_low(s.low, left, width);
    widen_high(s.high, left, width);
    width *= 4;
  }
  if (width * 2 <= window) {  // so that two windows cover the whole
    const std::size_t left = n + 1 - 2 * width;
ALARA_IVDEP
    for (std::size_t i = 0; i < left; ++i) s.low[i] = smaller(s.low[i], s.low[i + width]);
ALARA_IVDEP
    for (std::size_t i = 0; i < left; ++i) s.high[i] = larger(s.high[i], s.high[i + width]);
    width *= 2;
  }
  return finish(s, window, width, rows, loss, shift, mean, variance, low, high);
}

}  // namespace

ALARA_CLONES bool slide(const SlideScratch<float>& scratch, std::size_t window, std::size_t rows, double loss, double* mean,
                        double* variance, double* low, double* high) {
  return slide_any(scratch, window, rows, loss, mean, variance, low, high);
}

ALARA_CLONES bool slide(const SlideScratch<double>& scratch, std::size_t window, std::size_t rows, double loss, double* mean,
                        double* variance, double* low, double* high) {
  return slide_any(scratch, window, rows, loss, mean, variance, low, high);
}

ALARA_CLONES std::size_t count_unusable(const double* values, std::size_t n, double limit) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < n; ++i) count += std::fabs(values[i]) <= limit ? 0 : 1;
  return static_cast<std::size_t>(count);
}

ALARA_CLONES std::size_t count_not_good(const Quality* quality, std::size_t n) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i) count += quality[i] == Quality::good ? 0 : 1;
  return count;
}

// Spelled out where the instruction is known to be there: a call that might set errno is not vectorised.
void root(const double* in, double* out, std::size_t n) {
  std::size_t i = 0;
#if defined(__SSE2__)
  for (; i + 2 <= n; i += 2) _mm_storeu_pd(out + i, _mm_sqrt_pd(_mm_loadu_pd(in + i)));
#endif
  for (; i < n; ++i) out[i] = std::sqrt(in[i]);
}

void root_mean_square(const double* mean, const double* variance, double* out, std::size_t n) {
  std::size_t i = 0;
#if defined(__SSE2__)
  for (; i + 2 <= n; i += 2) {
    const __m128d m = _mm_loadu_pd(mean + i);
    _mm_storeu_pd(out + i, _mm_sqrt_pd(_mm_add_pd(_mm_loadu_pd(variance + i), _mm_mul_pd(m, m))));
  }
#endif
  for (; i < n; ++i) out[i] = std::sqrt(variance[i] + mean[i] * mean[i]);
}

ALARA_CLONES void convert(const double* in, float* out, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>(in[i]);
}

void convert(const double* in, double* out, std::size_t n) { std::memcpy(out, in, n * sizeof(double)); }

ALARA_CLONES void product(const double* a, const double* b, double* out, std::size_t n) {
ALARA_IVDEP
  for (std::size_t i = 0; i < n; ++i) out[i] = a[i] * b[i];
}

ALARA_CLONES void difference(const double* a, const double* b, double* out, std::size_t n) {
ALARA_IVDEP
  for (std::size_t i = 0; i < n; ++i) out[i] = a[i] - b[i];
}

}  // namespace alara::flow::kernels
