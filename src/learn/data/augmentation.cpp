// SPDX-License-Identifier: Apache-2.0
#include "learn/data/augmentation.hpp"

#include <algorithm>

namespace alara::learn {
namespace {

// The sample as planes of lines: element (c, y, x) lies at c * plane + (y * width + x) * step.
struct Grid {
  std::int64_t channels, height, width, plane, step;

  explicit Grid(const InputForm& form)
      : channels(form.channels), height(std::max<std::int64_t>(form.height, 1)), width(form.width) {
    const bool pixels = form.layout == InputForm::Layout::pixels;
    plane = pixels ? 1 : height * width;
    step = pixels ? channels : 1;
  }
  [[nodiscard]] std::size_t at(std::int64_t c, std::int64_t y, std::int64_t x) const {
    return static_cast<std::size_t>(c * plane + (y * width + x) * step);
  }
};

struct Move {
  std::int64_t down = 0, right = 0;
  bool flipped = false;
};

void move(std::span<const float> from, std::span<float> to, const Grid& grid, std::span<const float> outside,
          const Move& by) {
  for (std::int64_t c = 0; c < grid.channels; ++c)
    for (std::int64_t y = 0; y < grid.height; ++y)
      for (std::int64_t x = 0; x < grid.width; ++x) {
        const std::int64_t old_y = y - by.down, moved = x - by.right;
        const std::int64_t old_x = by.flipped ? grid.width - 1 - moved : moved;
        const bool inside = old_y >= 0 && old_y < grid.height && old_x >= 0 && old_x < grid.width;
        to[grid.at(c, y, x)] = inside ? from[grid.at(c, old_y, old_x)] : outside[static_cast<std::size_t>(c)];
      }
}

void erase(std::span<float> sample, const Grid& grid, std::span<const float> outside, std::int64_t side,
           Random& chance) {
  const std::int64_t high = std::min(side, grid.height), wide = std::min(side, grid.width);
  const std::int64_t top = chance.between(0, grid.height - high), left = chance.between(0, grid.width - wide);
  for (std::int64_t c = 0; c < grid.channels; ++c)
    for (std::int64_t y = top; y < top + high; ++y)
      for (std::int64_t x = left; x < left + wide; ++x) sample[grid.at(c, y, x)] = outside[static_cast<std::size_t>(c)];
}

}  // namespace

void vary(std::span<float> sample, std::span<float> scratch, const InputForm& form, std::span<const float> outside,
          const Augmentation& augmentation, Random& chance) {
  const Grid grid(form);
  const std::int64_t down = form.height > 0 ? augmentation.shift : 0;
  const Move by{chance.between(-down, down), chance.between(-augmentation.shift, augmentation.shift),
                chance.uniform() < augmentation.flip};
  std::copy(sample.begin(), sample.end(), scratch.begin());
  move(scratch, sample, grid, outside, by);
  if (augmentation.erase > 0) erase(sample, grid, outside, augmentation.erase, chance);
}

}  // namespace alara::learn
