// SPDX-License-Identifier: Apache-2.0
// Fourier transforms with plans made at load time and no allocation afterwards (KissFFT, single precision).
// A plan has scratch memory of its own: one thread at a time.
#pragma once

#include <complex>
#include <cstddef>
#include <memory>
#include <span>

namespace alara::flow {

// True when n has no prime factor above 5: other sizes are slow, and KissFFT would allocate for them.
[[nodiscard]] bool fast_size(std::size_t n);
// The largest even size <= n (or the smallest >= n) that is fast. n >= 2.
[[nodiscard]] std::size_t fast_even_size_below(std::size_t n);
[[nodiscard]] std::size_t fast_even_size_above(std::size_t n);

// X[k] = sum over n of x[n] exp(-2 pi j k n / size), k = 0 … size/2; not scaled.
class RealFft {
 public:
  explicit RealFft(std::size_t size);  // fast and even, else a bug
  ~RealFft();
  RealFft(RealFft&&) noexcept;
  RealFft& operator=(RealFft&&) noexcept;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bins() const { return size_ / 2 + 1; }
  void transform(std::span<const float> in, std::span<std::complex<float>> out) const;
  [[nodiscard]] std::size_t memory_bytes() const { return bytes_; }

 private:
  struct Plan;
  std::size_t size_;
  std::size_t bytes_ = 0;
  std::unique_ptr<Plan> plan_;
};

// x[n] = sum over k of X[k] exp(+2 pi j k n / size); not scaled. `in` and `out` must not overlap.
class InverseFft {
 public:
  explicit InverseFft(std::size_t size);  // fast, else a bug
  ~InverseFft();
  InverseFft(InverseFft&&) noexcept;
  InverseFft& operator=(InverseFft&&) noexcept;

  [[nodiscard]] std::size_t size() const { return size_; }
  void transform(std::span<const std::complex<float>> in, std::span<std::complex<float>> out) const;
  [[nodiscard]] std::size_t memory_bytes() const { return bytes_; }

 private:
  struct Plan;
  std::size_t size_;
  std::size_t bytes_ = 0;
  std::unique_ptr<Plan> plan_;
};

}  // namespace alara::flow
