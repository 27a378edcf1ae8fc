// SPDX-License-Identifier: Apache-2.0
#include "flow/window/kernels.hpp"

#include <algorithm>
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

// Windows of eight, or of `window` where that is less.
template <typename T>
ALARA_INLINE void first_extremes(const T* __restrict x, T* __restrict low, T* __restrict high, std::size_t n,
                                 std::size_t width) {
  const std::size_t last = width - 1;
  const std::size_t a = std::min<std::size_t>(1, last), b = std::min<std::size_t>(2, last),
                    c = std::min<std::size_t>(3, last), d = std::min<std::size_t>(4, last),
                    e = std::min<std::size_t>(5, last), f = std::min<std::size_t>(6, last);
  for (std::size_t i = 0; i < n; ++i) {
    const T* const y = x + i;
    low[i] = smaller(smaller(smaller(y[0], y[a]), smaller(y[b], y[c])),
                     smaller(smaller(y[d], y[e]), smaller(y[f], y[last])));
    high[i] = larger(larger(larger(y[0], y[a]), larger(y[b], y[c])), larger(larger(y[d], y[e]), larger(y[f], y[last])));
  }
}

// From windows of `step` to windows of four times that, in place: element i needs itself and later ones, none of them
// replaced yet.
template <typename T>
ALARA_INLINE void widen_extremes(T* low, T* high, std::size_t n, std::size_t step) {
  ALARA_IVDEP
  for (std::size_t i = 0; i < n; ++i)
    low[i] = smaller(smaller(low[i], low[i + step]), smaller(low[i + 2 * step], low[i + 3 * step]));
  ALARA_IVDEP
  for (std::size_t i = 0; i < n; ++i)
    high[i] = larger(larger(high[i], high[i + step]), larger(high[i + 2 * step], high[i + 3 * step]));
}

template <typename T>
ALARA_INLINE void extremes_any(const T* x, T* room_low, T* room_high, std::size_t window, std::size_t rows,
                               double* __restrict low, double* __restrict high) {
  std::size_t width = std::min<std::size_t>(8, window);
  std::size_t n = window + rows - width;  // windows of `width` that lie behind the first old value, which is in none
  first_extremes(x + 1, room_low, room_high, n, width);
  for (; width * 4 <= window; width *= 4) {
    n -= 3 * width;
    widen_extremes(room_low, room_high, n, width);
  }
  // Four of `width`, overlapping as they must, cover a window.
  const std::size_t c = window - width, a = std::min(width, c), b = std::min(2 * width, c);
  const T* __restrict l = room_low;
  for (std::size_t i = 0; i < rows; ++i)
    low[i] = static_cast<double>(smaller(smaller(l[i], l[i + a]), smaller(l[i + b], l[i + c])));
  const T* __restrict h = room_high;
  for (std::size_t i = 0; i < rows; ++i)
    high[i] = static_cast<double>(larger(larger(h[i], h[i + a]), larger(h[i + b], h[i + c])));
}

// Sums of the first `window` values' deviations and of their squares, in eight chains.
template <typename T>
ALARA_INLINE void whole_sums(const T* x, std::size_t window, double shift, double& sum, double& squares) {
  double s1[8] = {}, s2[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= window; i += 8)
    for (std::size_t k = 0; k < 8; ++k) {
      const double d = static_cast<double>(x[i + k]) - shift;
      s1[k] += d;
      s2[k] += d * d;
    }
  for (; i < window; ++i) {
    const double d = static_cast<double>(x[i]) - shift;
    s1[0] += d;
    s2[0] += d * d;
  }
  sum = ((s1[0] + s1[1]) + (s1[2] + s1[3])) + ((s1[4] + s1[5]) + (s1[6] + s1[7]));
  squares = ((s2[0] + s2[1]) + (s2[2] + s2[3])) + ((s2[4] + s2[5]) + (s2[6] + s2[7]));
}

// Four doubles that the compiler keeps in whatever registers the target has.
using Four = double __attribute__((vector_size(32)));

template <typename T>
ALARA_INLINE void load(const T* from, double shift, Four& to) {
  T __attribute__((vector_size(4 * sizeof(T)))) part;
  std::memcpy(&part, from, sizeof part);
  to = __builtin_convertvector(part, Four) - shift;
}

// What the four changes add up to from `total` on; the next four wait for one addition only.
ALARA_INLINE void accumulate(Four& change, Four& total) {
  const Four zero{};
  change += __builtin_shufflevector(zero, change, 0, 4, 5, 6);
  change += __builtin_shufflevector(zero, change, 0, 1, 4, 5);
  const Four all = __builtin_shufflevector(change, change, 3, 3, 3, 3);
  change += total;
  total += all;
}

struct Running {
  Four sum, squares;  // each the same four times
  Four peak;          // of each fourth sum of squares
};

// The sums of the windows that end at fresh[0] …; `old` leaves.
template <typename T>
ALARA_INLINE void run_strip(const T* old, const T* fresh, std::size_t rows, double shift, Running& running, double* s1,
                            double* s2) {
  Running r = running;
  std::size_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    Four gone, in;
    load(old + i, shift, gone);
    load(fresh + i, shift, in);
    Four change1 = in - gone;
    Four change2 = in * in - gone * gone;
    accumulate(change1, r.sum);
    accumulate(change2, r.squares);
    std::memcpy(s1 + i, &change1, sizeof change1);
    std::memcpy(s2 + i, &change2, sizeof change2);
    r.peak = change2 > r.peak ? change2 : r.peak;
  }
  for (; i < rows; ++i) {
    const double in = static_cast<double>(fresh[i]) - shift;
    const double gone = static_cast<double>(old[i]) - shift;
    r.sum += in - gone;
    r.squares += in * in - gone * gone;
    s1[i] = r.sum[0];
    s2[i] = r.squares[0];
    r.peak = r.squares > r.peak ? r.squares : r.peak;
  }
  running = r;
}

constexpr std::size_t kStrip = 32;  // rows that pass through the loops below together: the processor overlaps strips

// The strip's sums become its results. Whether a variance lost its digits is counted, not asked: the loop has no
// branch.
template <bool kStd, bool kRms>
ALARA_INLINE std::int64_t finish_strip(const double* __restrict sum, const double* __restrict squares, std::size_t rows,
                                       double share, double shift, double least, const Moments& out, std::size_t at) {
  double* __restrict mean = out.mean + at;
  double* __restrict variance = out.variance + at;
  double* __restrict deviation = out.std + (kStd ? at : 0);
  double* __restrict rms = out.rms + (kRms ? at : 0);
  std::int64_t lost = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const double offset = sum[i] * share;
    const double spread = squares[i] - sum[i] * offset;
    lost += spread >= least ? 0 : 1;
    const double m = shift + offset;
    const double v = larger(spread, 0.0) * share;
    mean[i] = m;
    variance[i] = v;
    if constexpr (kStd) deviation[i] = __builtin_sqrt(v);
    if constexpr (kRms) rms[i] = __builtin_sqrt(v + m * m);
  }
  return lost;
}

template <bool kStd, bool kRms, typename T>
ALARA_INLINE bool running_any(const T* x, std::size_t window, std::size_t rows, double loss, const Moments& out) {
  const double share = 1.0 / static_cast<double>(window);
  const double shift = static_cast<double>(x[window]);
  double sum = 0, squares = 0;
  whole_sums(x, window, shift, sum, squares);
  const Four none{};
  Running running{none + sum, none + squares, none + squares};
  double s1[kStrip], s2[kStrip];
  std::int64_t lost = 0;
  for (std::size_t first = 0; first < rows; first += kStrip) {
    const std::size_t n = std::min(kStrip, rows - first);
    run_strip(x + first, x + window + first, n, shift, running, s1, s2);
    const Four top = running.peak;
    const double peak = larger(larger(top[0], top[1]), larger(top[2], top[3]));
    lost += finish_strip<kStd, kRms>(s1, s2, n, share, shift, loss * peak, out, first);
  }
  return lost == 0;
}

template <typename T>
ALARA_INLINE bool running_wanted(const T* x, std::size_t window, std::size_t rows, double loss, const Moments& out) {
  if (out.std != nullptr && out.rms != nullptr) return running_any<true, true>(x, window, rows, loss, out);
  if (out.std != nullptr) return running_any<true, false>(x, window, rows, loss, out);
  if (out.rms != nullptr) return running_any<false, true>(x, window, rows, loss, out);
  return running_any<false, false>(x, window, rows, loss, out);
}

// From windows of `width` to windows of four times that, in place.
ALARA_INLINE void widen_sum(double* s, std::size_t n, std::size_t width) {
  ALARA_IVDEP
  for (std::size_t i = 0; i < n; ++i) s[i] = (s[i] + s[i + width]) + (s[i + 2 * width] + s[i + 3 * width]);
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
ALARA_INLINE bool separate_any(const T* values, double* const room[4], std::size_t window, std::size_t rows,
                               double loss, const Moments& out) {
  const T* __restrict x = values + 1;  // the first old value is in no window
  double* __restrict s1 = room[0];
  double* __restrict s2 = room[1];
  double* __restrict sum1 = room[2];
  double* __restrict sum2 = room[3];
  const std::size_t n = window - 1 + rows;
  const double shift = static_cast<double>(x[window - 1]);
  for (std::size_t i = 0; i < n; ++i) {
    const double d = static_cast<double>(x[i]) - shift;
    s1[i] = d;
    s2[i] = d * d;
  }
  std::size_t width = 1;    // of the windows that the arrays hold now
  std::size_t covered = 0;  // samples of each window already in sum1, sum2: the low digits of `window` to base 4
  while (true) {
    if (const std::size_t times = window / width % 4; times > 0) {
      gather(s1 + covered, sum1, rows, width, times, covered == 0);
      gather(s2 + covered, sum2, rows, width, times, covered == 0);
      covered += times * width;
    }
    if (width * 4 > window) break;
    widen_sum(s1, n + 1 - 4 * width, width);
    widen_sum(s2, n + 1 - 4 * width, width);
    width *= 4;
  }
  const double share = 1.0 / static_cast<double>(window);
  double* __restrict mean = out.mean;
  double* __restrict variance = out.variance;
  std::int64_t drowned = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const double offset = sum1[i] * share;
    const double spread = sum2[i] - sum1[i] * offset;
    drowned += spread < loss * sum2[i] ? 1 : 0;
    mean[i] = shift + offset;
    variance[i] = larger(spread, 0.0) * share;
  }
  return drowned == 0;
}

}  // namespace

ALARA_CLONES void extremes(const float* x, float* room_low, float* room_high, std::size_t window, std::size_t rows,
                           double* low, double* high) {
  extremes_any(x, room_low, room_high, window, rows, low, high);
}
ALARA_CLONES void extremes(const double* x, double* room_low, double* room_high, std::size_t window, std::size_t rows,
                           double* low, double* high) {
  extremes_any(x, room_low, room_high, window, rows, low, high);
}

ALARA_CLONES bool running_moments(const float* x, std::size_t window, std::size_t rows, double loss,
                                  const Moments& out) {
  return running_wanted(x, window, rows, loss, out);
}
ALARA_CLONES bool running_moments(const double* x, std::size_t window, std::size_t rows, double loss,
                                  const Moments& out) {
  return running_wanted(x, window, rows, loss, out);
}

ALARA_CLONES bool separate_moments(const float* x, double* const room[4], std::size_t window, std::size_t rows,
                                   double loss, const Moments& out) {
  return separate_any(x, room, window, rows, loss, out);
}
ALARA_CLONES bool separate_moments(const double* x, double* const room[4], std::size_t window, std::size_t rows,
                                   double loss, const Moments& out) {
  return separate_any(x, room, window, rows, loss, out);
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
