// SPDX-License-Identifier: Apache-2.0
#include "learn/data/preprocessing.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.hpp"

namespace alara::learn {
namespace {

using graph::DataType;
using graph::Tensor;

std::string joined(std::span<const float> numbers) {
  std::string out;
  for (const float number : numbers) out += fmt::format("{}{}", out.empty() ? "" : ",", number);
  return out;
}

template <typename T>
Result<T> number_in(std::string_view key, std::string_view text) {
  T number = {};
  const auto [last, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || last != text.data() + text.size())
    return fail(ErrorKind::bad_input, "preprocessing: '{}' of {} is no number", text, key);
  return number;
}

Result<std::vector<float>> numbers_in(std::string_view key, std::string_view text) {
  std::vector<float> out;
  for (const std::string_view part : split(text, ',')) {
    ALARA_TRY(const float number, number_in<float>(key, part));
    if (!std::isfinite(number)) return fail(ErrorKind::bad_input, "preprocessing: {} must be finite", key);
    out.push_back(number);
  }
  return out;
}

Result<PictureSize> size_in(std::string_view text) {
  const std::size_t cross = text.find('x');
  if (cross == std::string_view::npos)
    return fail(ErrorKind::bad_input, "preprocessing: size '{}' is not like 320x240 (width x height)", text);
  PictureSize size;
  ALARA_TRY(size.width, number_in<std::int64_t>("size", text.substr(0, cross)));
  ALARA_TRY(size.height, number_in<std::int64_t>("size", text.substr(cross + 1)));
  if (size.width < 1 || size.height < 1) return fail(ErrorKind::bad_input, "preprocessing: size '{}' is empty", text);
  return size;
}

Status read_entry(std::string_view key, std::string_view value, Preprocessing& out) {
  if (key == "scale") {
    ALARA_TRY(out.scale, number_in<float>(key, value));
  } else if (key == "mean") {
    ALARA_TRY(out.mean, numbers_in(key, value));
  } else if (key == "deviation") {
    ALARA_TRY(out.deviation, numbers_in(key, value));
  } else if (key == "order" && (value == "rgb" || value == "bgr")) {
    out.order = value == "rgb" ? ColourOrder::rgb : ColourOrder::bgr;
  } else if (key == "size") {
    ALARA_TRY(out.size, size_in(value));
  } else {
    return fail(ErrorKind::bad_input, "preprocessing: '{}={}' is unknown; scale, mean, deviation, order and size are",
                key, value);
  }
  return {};
}

// The numbers as integers of T, rounded to nearest and kept in its range.
template <typename T>
Tensor integers_as(const InputForm& form, std::span<const float> numbers) {
  Tensor out = Tensor::zeros(graph::DataTypeOf<T>::value, form.sample);
  const auto values = out.mutable_values<T>();
  constexpr double kLeast = static_cast<double>(std::numeric_limits<T>::min());
  constexpr double kMost = static_cast<double>(std::numeric_limits<T>::max());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double number = std::isnan(numbers[i]) ? 0 : std::nearbyint(static_cast<double>(numbers[i]));
    // The largest int64 is no double: what reaches it is that one.
    values[i] = number >= kMost ? std::numeric_limits<T>::max() : static_cast<T>(std::max(number, kLeast));
  }
  return out;
}

}  // namespace

std::string Preprocessing::text() const {
  std::string out;
  if (scale) out += fmt::format("scale={} ", *scale);
  if (!mean.empty()) out += fmt::format("mean={} ", joined(mean));
  if (!deviation.empty()) out += fmt::format("deviation={} ", joined(deviation));
  out += order == ColourOrder::rgb ? "order=rgb" : "order=bgr";
  if (size) out += fmt::format(" size={}x{}", size->width, size->height);
  return out;
}

Result<Preprocessing> parse_preprocessing(std::string_view text) {
  Preprocessing out;
  for (const std::string_view entry : split(text, ' ')) {
    if (entry.empty()) continue;
    const std::size_t equals = std::min(entry.find('='), entry.size());
    ALARA_CHECK(read_entry(entry.substr(0, equals), entry.substr(std::min(equals + 1, entry.size())), out));
  }
  return out;
}

Result<Preprocessing> preprocessing_of(const graph::Model& model) {
  const auto found = model.metadata.find(std::string(kPreprocessingKey));
  return found == model.metadata.end() ? Preprocessing{} : parse_preprocessing(found->second);
}

std::int64_t InputForm::elements() const {
  std::int64_t out = 1;
  for (const std::int64_t size : sample) out *= size;  // form_of has checked the product
  return out;
}

std::string Preprocessing::summary() const {
  return scale ? text() : text() + " (bytes of pictures by 255, other numbers as they are)";
}

std::string InputForm::text() const {
  return fmt::format("{}: {}{}", name, graph::name_of(type), graph::text_of(sample));
}

Result<InputForm> form_of(const graph::ValueInfo& input, const Preprocessing& preprocessing) {
  if (graph::bytes_of(input.type) == 0 || input.type == DataType::complex64 || input.type == DataType::complex128)
    return fail(ErrorKind::bad_input, "input {} takes no numbers", input.text());
  if (!input.dims || input.dims->empty())
    return fail(ErrorKind::bad_input, "input {} has no batch dimension", input.text());
  InputForm form;
  form.name = input.name;
  form.type = input.type;
  graph::Dims dims = *input.dims;
  if (!dims[0].known()) dims[0].size = 1;
  const auto few = [](const graph::Dim& dim) { return dim.size == 1 || dim.size == 3; };
  const bool pixels = dims.size() == 4 && !few(dims[1]) && few(dims[3]);
  if (dims.size() == 4 && preprocessing.size) {
    graph::Dim& height = dims[pixels ? 1 : 2];
    graph::Dim& width = dims[pixels ? 2 : 3];
    if (!height.known()) height.size = preprocessing.size->height;
    if (!width.known()) width.size = preprocessing.size->width;
  }
  const auto sample = graph::shape_of(dims);
  if (!sample)
    return fail(ErrorKind::bad_input, "input {} leaves more than the batch open; give the size of the pictures",
                input.text());
  ALARA_TRY(const std::int64_t elements, graph::elements_of(*sample));
  if (elements == 0) return fail(ErrorKind::bad_input, "input {} is empty", input.text());
  form.sample = *sample;
  if (dims.size() == 4) {
    form.layout = pixels ? InputForm::Layout::pixels : InputForm::Layout::planes;
    form.channels = form.sample[pixels ? 3 : 1];
    form.height = form.sample[pixels ? 1 : 2];
    form.width = form.sample[pixels ? 2 : 3];
  } else if (dims.size() == 3) {
    form.layout = InputForm::Layout::planes;
    form.channels = form.sample[1];
    form.width = form.sample[2];
  } else if (dims.size() == 2) {
    form.channels = form.sample[1];  // each number of a table has its own mean
  }
  return form;
}

Result<Normaliser> Normaliser::make(const InputForm& form, const Preprocessing& preprocessing, float natural_scale) {
  const auto channels = static_cast<std::size_t>(form.channels);
  const auto fits = [&](const std::vector<float>& numbers) {
    return numbers.size() <= 1 || numbers.size() == channels;
  };
  if (!fits(preprocessing.mean) || !fits(preprocessing.deviation))
    return fail(ErrorKind::bad_input, "input {} has {} channels, but there are {} means and {} deviations", form.text(),
                channels, preprocessing.mean.size(), preprocessing.deviation.size());
  const auto of = [](const std::vector<float>& numbers, std::size_t c, float otherwise) {
    return numbers.empty() ? otherwise : numbers[numbers.size() == 1 ? 0 : c];
  };
  Normaliser out;
  const float scale = preprocessing.scale.value_or(natural_scale);
  for (std::size_t c = 0; c < channels; ++c) {
    const float deviation = of(preprocessing.deviation, c, 1);
    if (deviation == 0) return fail(ErrorKind::bad_input, "input {}: a deviation of 0 divides by nothing", form.text());
    out.factor_.push_back(scale / deviation);
    out.offset_.push_back(-of(preprocessing.mean, c, 0) / deviation);
  }
  const bool planes = form.layout == InputForm::Layout::planes;
  out.stride_ = planes ? static_cast<std::size_t>(std::max<std::int64_t>(form.height, 1) * form.width) : 1;
  return out;
}

void Normaliser::apply(std::span<float> sample) const {
  for (std::size_t first = 0, channel = 0; first < sample.size(); first += stride_) {
    const float factor = factor_[channel], offset = offset_[channel];
    for (float& number : sample.subspan(first, stride_)) number = number * factor + offset;
    if (++channel == factor_.size()) channel = 0;
  }
}

std::vector<float> arranged(std::vector<float> pixels, const InputForm& form, ColourOrder order) {
  const auto channels = static_cast<std::size_t>(form.channels);
  if (order == ColourOrder::bgr && channels == 3)
    for (std::size_t i = 0; i + 2 < pixels.size(); i += 3) std::swap(pixels[i], pixels[i + 2]);
  if (form.layout != InputForm::Layout::planes || channels == 1) return pixels;
  const std::size_t area = pixels.size() / channels;
  std::vector<float> planes(pixels.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) planes[i % channels * area + i / channels] = pixels[i];
  return planes;
}

Result<Tensor> as_input(const InputForm& form, std::span<const float> numbers) {
  ALARA_ASSERT(static_cast<std::int64_t>(numbers.size()) == form.elements(), "a sample has the form's elements");
  switch (form.type) {
    case DataType::float32:
      return Tensor::of(form.sample, numbers);
    case DataType::uint8:
      return integers_as<std::uint8_t>(form, numbers);
    case DataType::int8:
      return integers_as<std::int8_t>(form, numbers);
    case DataType::uint16:
      return integers_as<std::uint16_t>(form, numbers);
    case DataType::int16:
      return integers_as<std::int16_t>(form, numbers);
    case DataType::int32:
      return integers_as<std::int32_t>(form, numbers);
    case DataType::int64:
      return integers_as<std::int64_t>(form, numbers);
    case DataType::float64: {
      Tensor out = Tensor::zeros(form.type, form.sample);
      std::copy(numbers.begin(), numbers.end(), out.mutable_values<double>().begin());
      return out;
    }
    case DataType::float16: {
      Tensor out = Tensor::zeros(form.type, form.sample);
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        const std::uint16_t half = graph::to_half(numbers[i]);
        std::memcpy(out.bytes.data() + 2 * i, &half, sizeof half);
      }
      return out;
    }
    default:
      return fail(ErrorKind::bad_input, "input {} can not be fed from files", form.text());
  }
}

}  // namespace alara::learn
