// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/fft.hpp"

#include <kissfft/kiss_fft.h>
#include <kissfft/kiss_fftr.h>

#include "base/result.hpp"

namespace alara::flow {

// KissFFT's complex number is two floats, as std::complex<float> is guaranteed to be ([complex.numbers.general]).
static_assert(sizeof(kiss_fft_cpx) == sizeof(std::complex<float>));

bool fast_size(std::size_t n) {
  if (n == 0) return false;
  for (const std::size_t factor : {2u, 3u, 5u})
    while (n % factor == 0) n /= factor;
  return n == 1;
}

std::size_t fast_even_size_below(std::size_t n) {
  n -= n % 2;
  while (n > 2 && !fast_size(n)) n -= 2;
  return n;
}

std::size_t fast_even_size_above(std::size_t n) {
  n += n % 2;
  while (!fast_size(n)) n += 2;
  return n;
}

struct RealFft::Plan {
  kiss_fftr_cfg config;
  explicit Plan(std::size_t n) : config(kiss_fftr_alloc(static_cast<int>(n), 0, nullptr, nullptr)) {}
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan() { kiss_fftr_free(config); }
};

RealFft::RealFft(std::size_t size) : size_(size) {
  ALARA_ASSERT(size % 2 == 0 && fast_size(size), "a real transform needs an even size of factors 2, 3 and 5");
  kiss_fftr_alloc(static_cast<int>(size), 0, nullptr, &bytes_);
  plan_ = std::make_unique<Plan>(size);
  ALARA_ASSERT(plan_->config != nullptr, "no memory for a transform plan");
}
RealFft::~RealFft() = default;
RealFft::RealFft(RealFft&&) noexcept = default;
RealFft& RealFft::operator=(RealFft&&) noexcept = default;

void RealFft::transform(std::span<const float> in, std::span<std::complex<float>> out) const {
  ALARA_ASSERT(in.size() == size_ && out.size() >= bins(), "transform of another size");
  kiss_fftr(plan_->config, in.data(), reinterpret_cast<kiss_fft_cpx*>(out.data()));
}

struct InverseFft::Plan {
  kiss_fft_cfg config;
  explicit Plan(std::size_t n) : config(kiss_fft_alloc(static_cast<int>(n), 1, nullptr, nullptr)) {}
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan() { kiss_fft_free(config); }
};

InverseFft::InverseFft(std::size_t size) : size_(size) {
  ALARA_ASSERT(fast_size(size), "a transform needs a size of factors 2, 3 and 5");
  kiss_fft_alloc(static_cast<int>(size), 1, nullptr, &bytes_);
  plan_ = std::make_unique<Plan>(size);
  ALARA_ASSERT(plan_->config != nullptr, "no memory for a transform plan");
}
InverseFft::~InverseFft() = default;
InverseFft::InverseFft(InverseFft&&) noexcept = default;
InverseFft& InverseFft::operator=(InverseFft&&) noexcept = default;

void InverseFft::transform(std::span<const std::complex<float>> in, std::span<std::complex<float>> out) const {
  ALARA_ASSERT(in.size() == size_ && out.size() == size_ && in.data() != out.data(), "transform of another size");
  kiss_fft(plan_->config, reinterpret_cast<const kiss_fft_cpx*>(in.data()),
           reinterpret_cast<kiss_fft_cpx*>(out.data()));
}

}  // namespace alara::flow
