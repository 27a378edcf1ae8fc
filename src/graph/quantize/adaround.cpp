// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/adaround.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

namespace alara::graph {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Array = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// The stretched sigmoid of eq. 23.
constexpr float kStretch = 1.2F, kShift = -0.1F;

// The rows of one group: rounding variables, one per weight, and what they are measured by. Lengths are in steps of
// the weights' grid, and the form is scaled to a mean diagonal of 1, so that the rates below fit every layer.
class Group {
 public:
  Group(const WeightMatrix& weights, const Levels& levels, std::size_t first_row, std::size_t rows,
        const std::vector<float>& form, int largest)
      : exact_(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(weights.columns)), largest_(largest) {
    const auto columns = static_cast<Eigen::Index>(weights.columns);
    form_ = Eigen::Map<const Matrix>(form.data(), columns, columns);
    unit_ = std::max(form_.diagonal().mean(), 1e-30F);
    form_ /= unit_;
    for (Eigen::Index r = 0; r < exact_.rows(); ++r)
      for (Eigen::Index k = 0; k < columns; ++k) {
        const std::size_t row = first_row + static_cast<std::size_t>(r);
        exact_(r, k) = weights.values[row * weights.columns + static_cast<std::size_t>(k)] / levels.scales[row];
      }
    const auto limit = static_cast<float>(largest_);
    floor_ = exact_.floor().max(-limit).min(limit - 1);
    nearest_ = exact_.round().max(-limit).min(limit);
  }

  Array optimise(const AdaRoundOptions& options) const;
  // Flips one weight after the other to the other side of its exact value while that helps.
  void polish(Array& levels) const;
  [[nodiscard]] double error(const Array& levels, Eigen::Index row) const {
    const Eigen::RowVectorXf e = (levels.row(row) - exact_.row(row)).matrix();
    return std::max(0.0, static_cast<double>((e * form_).dot(e) * unit_));
  }
  [[nodiscard]] const Array& nearest() const { return nearest_; }

 private:
  Matrix form_;
  float unit_ = 1;
  Array exact_, floor_, nearest_;
  int largest_;
};

Array Group::optimise(const AdaRoundOptions& options) const {
  constexpr float kDecay1 = 0.9F, kDecay2 = 0.999F, kTiny = 1e-8F;  // of Adam
  constexpr float kWarmUp = 0.2F;                                   // share of the iterations without regulariser
  // Variables whose rectified sigmoid is the fraction of each weight.
  const Array fraction = (exact_ - floor_).max(0.01F).min(0.99F);
  Array v = -((kStretch / (fraction - kShift)) - 1).log();
  Array mean = Array::Zero(v.rows(), v.cols()), square = mean;
  float decayed1 = 1, decayed2 = 1;
  for (int i = 0; i < options.iterations; ++i) {
    const Array sigmoid = 1 / (1 + (-v).exp());
    const Array stretched = sigmoid * kStretch + kShift;
    const Array h = stretched.max(0.0F).min(1.0F);
    const Array open = (stretched > 0.0F && stretched < 1.0F).cast<float>();
    Array gradient = ((floor_ + h - exact_).matrix() * form_).array() * 2;
    const float time = static_cast<float>(i) / static_cast<float>(options.iterations);
    if (time >= kWarmUp) {
      const float power = options.last_power + (options.first_power - options.last_power) * 0.5F *
                                                   (1 + std::cos((time - kWarmUp) / (1 - kWarmUp) * 3.14159265F));
      const Array centred = 2 * h - 1;
      gradient -= options.regulariser * power * 2 * centred.sign() * centred.abs().max(1e-6F).pow(power - 1);
    }
    gradient *= open * sigmoid * (1 - sigmoid) * kStretch;
    mean = kDecay1 * mean + (1 - kDecay1) * gradient;
    square = kDecay2 * square + (1 - kDecay2) * gradient.square();
    decayed1 *= kDecay1;
    decayed2 *= kDecay2;
    v -= options.rate * (mean / (1 - decayed1)) / ((square / (1 - decayed2)).sqrt() + kTiny);
  }
  const Array h = (1 / (1 + (-v).exp()) * kStretch + kShift);
  return floor_ + (h >= 0.5F).cast<float>();
}

void Group::polish(Array& levels) const {
  constexpr int kSweeps = 8;
  for (Eigen::Index r = 0; r < levels.rows(); ++r) {
    Eigen::RowVectorXf pull = (levels.row(r) - exact_.row(r)).matrix() * form_;
    bool moved = true;
    for (int sweep = 0; sweep < kSweeps && moved; ++sweep) {
      moved = false;
      for (Eigen::Index k = 0; k < levels.cols(); ++k) {
        const float step = levels(r, k) == floor_(r, k) ? 1.0F : levels(r, k) == floor_(r, k) + 1 ? -1.0F : 0.0F;
        if (step == 0 || 2 * step * pull(k) + form_(k, k) >= -1e-6F) continue;
        levels(r, k) += step;
        pull += step * form_.row(k);
        moved = true;
      }
    }
  }
}

}  // namespace

Rounding round_adaptively(const WeightMatrix& weights, const InputGram& gram, int largest_level,
                          const AdaRoundOptions& options, Levels& levels) {
  Rounding out;
  const std::size_t rows = weights.rows / gram.groups();
  for (std::size_t g = 0; g < gram.groups(); ++g) {
    const Group group(weights, levels, g * rows, rows, gram.mean(g), largest_level);
    Array chosen = group.optimise(options);
    group.polish(chosen);
    for (std::size_t r = 0; r < rows; ++r) {
      const auto row = static_cast<Eigen::Index>(r);
      const std::size_t number = g * rows + r;
      const double unit = static_cast<double>(levels.scales[number]) * static_cast<double>(levels.scales[number]);
      const double before = group.error(group.nearest(), row) * unit, after = group.error(chosen, row) * unit;
      out.error_nearest += before;
      out.error += std::min(before, after);
      if (after >= before) continue;
      for (std::size_t k = 0; k < weights.columns; ++k)
        levels.values[number * weights.columns + k] =
            static_cast<std::int16_t>(chosen(row, static_cast<Eigen::Index>(k)));
    }
  }
  return out;
}

}  // namespace alara::graph
