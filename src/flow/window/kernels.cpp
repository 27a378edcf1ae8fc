// SPDX-License-Identifier: Apache-2.0
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3", "no-math-errno", "no-trapping-math")
#endif

#include "flow/window/kernels.hpp"

#include <cmath>

#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ALARA_CLONES __attribute__((target_clones("default", "avx2", "arch=skylake-avx512")))
#else
#define ALARA_CLONES
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

template <typename T>
ALARA_INLINE void begin(const SlideScratch<T>& s, std::size_t n, double shift) {
  const T* __restrict x = s.x;
  T* __restrict low = s.low;
  T* __restrict high = s.high;
  double* __restrict s1 = s.s1;
  double* __restrict s2 = s.s2;
  for (std::size_t i = 0; i < n; ++i) {
    const double d = static_cast<double>(x[i]) - shift;
    low[i] = high[i] = x[i];
    s1[i] = d;
    s2[i] = d * d;
  }
}

// From windows of `width` to windows of twice that, in place: element i needs i and i + width, both not yet replaced.
template <typename T>
ALARA_INLINE void widen(const SlideScratch<T>& s, std::size_t n, std::size_t width) {
  T* low = s.low;
  T* high = s.high;
  double* s1 = s.s1;
  double* s2 = s.s2;
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) low[i] = smaller(low[i], low[i + width]);
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) high[i] = larger(high[i], high[i + width]);
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) s1[i] += s1[i + width];
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) s2[i] += s2[i + width];
}

ALARA_INLINE void gather(const double* __restrict from1, const double* __restrict from2, double* __restrict sum1,
                         double* __restrict sum2, std::size_t rows, bool first) {
  if (first) {
    for (std::size_t i = 0; i < rows; ++i) sum1[i] = from1[i];
    for (std::size_t i = 0; i < rows; ++i) sum2[i] = from2[i];
  } else {
    for (std::size_t i = 0; i < rows; ++i) sum1[i] += from1[i];
    for (std::size_t i = 0; i < rows; ++i) sum2[i] += from2[i];
  }
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
  std::size_t width = 1;   // of the windows that the arrays hold now
  std::size_t covered = 0; // samples of each window already in sum1, sum2
  while (true) {
    if (window & width) {
      gather(s.s1 + covered, s.s2 + covered, s.sum1, s.sum2, rows, covered == 0);
      covered += width;
    }
    if (width * 2 > window) break;
    widen(s, n + 1 - 2 * width, width);
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

ALARA_CLONES void root(const double* in, double* out, std::size_t n) {
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) out[i] = std::sqrt(in[i]);
}

ALARA_CLONES void root_mean_square(const double* mean, const double* variance, double* out, std::size_t n) {
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) out[i] = std::sqrt(variance[i] + mean[i] * mean[i]);
}

ALARA_CLONES void product(const double* a, const double* b, double* out, std::size_t n) {
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) out[i] = a[i] * b[i];
}

ALARA_CLONES void difference(const double* a, const double* b, double* out, std::size_t n) {
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) out[i] = a[i] - b[i];
}

}  // namespace alara::flow::kernels
