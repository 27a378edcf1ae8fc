// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/input_gram.hpp"

#include <Eigen/Core>
#include <algorithm>

namespace alara::graph {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace

std::optional<InputGram> InputGram::of(const Graph& graph, const Node& node) {
  const auto linear = linear_of(graph, node);
  if (!linear || linear->outputs() == 0 || node.is("ConvTranspose")) return std::nullopt;
  const auto columns = static_cast<std::size_t>(linear->weight->elements() / linear->outputs());
  if (columns == 0 || columns > kMaxGramColumns) return std::nullopt;
  InputGram out(static_cast<std::size_t>(linear->groups), columns);
  if (!node.is("Conv")) return out;
  const std::size_t rank = linear->weight->rank();
  if (rank != 3 && rank != 4) return std::nullopt;
  out.read_window(node, *linear->weight);
  return out;
}

void InputGram::read_window(const Node& node, const Tensor& weight) {
  Window window;
  const std::size_t axes = weight.rank() - 2;
  const auto strides = node.integers("strides"), dilations = node.integers("dilations"), pads = node.integers("pads");
  for (std::size_t i = 0; i < axes; ++i) {
    const std::size_t axis = i + 2 - axes;
    window.kernel[axis] = weight.shape[i + 2];
    if (i < strides.size()) window.stride[axis] = strides[i];
    if (i < dilations.size()) window.dilation[axis] = dilations[i];
    if (i < pads.size()) window.begin[axis] = pads[i];
    if (i + axes < pads.size()) window.end[axis] = pads[i + axes];
  }
  const std::string padding = node.text("auto_pad", "NOTSET");
  if (padding == "SAME_UPPER") window.padding = Window::Padding::same_upper;
  if (padding == "SAME_LOWER") window.padding = Window::Padding::same_lower;
  window_ = window;
}

// How many places the window has along an axis; `begin` becomes the padding before the first number.
std::int64_t InputGram::places(int axis, std::int64_t size, std::int64_t& begin) const {
  const Window& w = *window_;
  const std::int64_t reach = (w.kernel[axis] - 1) * w.dilation[axis] + 1;
  if (w.padding == Window::Padding::given) {
    begin = w.begin[axis];
    return std::max<std::int64_t>(0, (size + w.begin[axis] + w.end[axis] - reach) / w.stride[axis] + 1);
  }
  const std::int64_t count = (size + w.stride[axis] - 1) / w.stride[axis];
  const std::int64_t missing = std::max<std::int64_t>(0, (count - 1) * w.stride[axis] + reach - size);
  begin = w.padding == Window::Padding::same_upper ? missing / 2 : missing - missing / 2;
  return count;
}

Status InputGram::add(const TensorView& input) { return window_ ? add_windows(input) : add_rows(input); }

Status InputGram::add_rows(const TensorView& input) {
  const auto numbers = input.values<float>();
  if (input.shape.empty() || static_cast<std::size_t>(input.shape.back()) != columns_)
    return fail(ErrorKind::bad_input, "an input {} does not fit weights of {} rows", text_of(input.shape), columns_);
  const std::size_t rows = numbers.size() / columns_;
  const std::size_t step = std::max<std::size_t>(1, rows / kGramPlacesPerSample);
  std::vector<float> chosen;
  for (std::size_t r = 0; r < rows; r += step)
    chosen.insert(chosen.end(), numbers.begin() + static_cast<std::ptrdiff_t>(r * columns_),
                  numbers.begin() + static_cast<std::ptrdiff_t>((r + 1) * columns_));
  count_ += chosen.size() / columns_;
  add_product(0, chosen);
  return {};
}

Status InputGram::add_windows(const TensorView& input) {
  const std::size_t rank = input.shape.size();
  const Window& w = *window_;
  const auto taps = static_cast<std::size_t>(w.kernel[0] * w.kernel[1]);
  const std::size_t inputs = columns_ / taps;
  if ((rank != 3 && rank != 4) || static_cast<std::size_t>(input.shape[1]) != inputs * groups_)
    return fail(ErrorKind::bad_input, "an input {} does not fit a convolution of {} channels", text_of(input.shape),
                inputs * groups_);
  const std::int64_t height = rank == 4 ? input.shape[2] : 1, width = input.shape[rank - 1];
  std::int64_t top = 0, left = 0;
  const std::int64_t down = places(0, height, top), across = places(1, width, left);
  const std::int64_t all = input.shape[0] * down * across;
  const std::int64_t step = std::max<std::int64_t>(1, all / static_cast<std::int64_t>(kGramPlacesPerSample));
  const float* numbers = input.values<float>().data();
  std::vector<float> rows;
  for (std::size_t group = 0; group < groups_; ++group) {
    rows.clear();
    for (std::int64_t place = 0; place < all; place += step) {
      const std::int64_t image = place / (down * across);
      const std::int64_t y0 = place / across % down * w.stride[0] - top, x0 = place % across * w.stride[1] - left;
      for (std::size_t channel = group * inputs; channel < (group + 1) * inputs; ++channel) {
        const float* plane = numbers + (image * input.shape[1] + static_cast<std::int64_t>(channel)) * height * width;
        for (std::int64_t ky = 0; ky < w.kernel[0]; ++ky)
          for (std::int64_t kx = 0; kx < w.kernel[1]; ++kx) {
            const std::int64_t y = y0 + ky * w.dilation[0], x = x0 + kx * w.dilation[1];
            const bool inside = y >= 0 && y < height && x >= 0 && x < width;
            rows.push_back(inside ? plane[y * width + x] : 0.0F);
          }
      }
    }
    add_product(group, rows);
  }
  count_ += static_cast<std::uint64_t>((all + step - 1) / step);
  return {};
}

void InputGram::add_product(std::size_t group, const std::vector<float>& rows) {
  const auto columns = static_cast<Eigen::Index>(columns_);
  const Eigen::Map<const Matrix> x(rows.data(), static_cast<Eigen::Index>(rows.size()) / columns, columns);
  const Matrix product = x.transpose() * x;
  double* sums = sums_.data() + group * columns_ * columns_;
  for (Eigen::Index i = 0; i < product.size(); ++i) sums[i] += static_cast<double>(product.data()[i]);
}

std::vector<float> InputGram::mean(std::size_t group) const {
  std::vector<float> out(columns_ * columns_);
  const double* sums = sums_.data() + group * columns_ * columns_;
  const double scale = count_ == 0 ? 0 : 1 / static_cast<double>(count_);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(sums[i] * scale);
  return out;
}

}  // namespace alara::graph
