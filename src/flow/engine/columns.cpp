// SPDX-License-Identifier: Apache-2.0
// Vectorised at this file's own optimisation level: at -O2 GCC leaves loops of unknown length scalar.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif
#include "flow/engine/columns.hpp"

// The resolvers of target_clones do not stand a sanitizer's start-up.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define ALARA_CLONES __attribute__((target_clones("default", "avx2", "arch=skylake-avx512")))
#else
#define ALARA_CLONES
#endif

namespace alara::flow {
namespace {

ALARA_CLONES std::uint32_t greatest(const SignalId* ids, std::size_t n) {
  std::uint32_t most = 0;
  for (std::size_t i = 0; i < n; ++i) most = index_of(ids[i]) > most ? index_of(ids[i]) : most;
  return most;
}

ALARA_CLONES Nanos greatest(const Nanos* times, std::size_t n) {
  Nanos most = INT64_MIN;
  for (std::size_t i = 0; i < n; ++i) most = times[i] > most ? times[i] : most;
  return most;
}

ALARA_CLONES std::uint64_t nans(const double* values, std::size_t n) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < n; ++i) count += values[i] != values[i] ? 1 : 0;
  return count;
}

ALARA_CLONES void regular(Nanos time0, Nanos step, Nanos* times, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) times[i] = time0 + static_cast<Nanos>(i) * step;
}

}  // namespace

std::uint32_t greatest_id(std::span<const SignalId> ids) { return greatest(ids.data(), ids.size()); }
Nanos greatest_time(std::span<const Nanos> times) { return greatest(times.data(), times.size()); }
std::uint64_t count_nan(std::span<const double> values) { return nans(values.data(), values.size()); }
void fill_times(Nanos time0, Nanos step, std::span<Nanos> times) { regular(time0, step, times.data(), times.size()); }

}  // namespace alara::flow
