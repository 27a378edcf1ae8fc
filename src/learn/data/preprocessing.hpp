// SPDX-License-Identifier: Apache-2.0
// What is done to recorded numbers and pictures before a model sees them, and the form in which one of its inputs wants
// them. A trained model carries its preprocessing in its metadata, so that whoever calibrates or measures it later
// feeds it the same way.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "graph/model.hpp"

namespace alara::learn {

enum class ColourOrder : std::uint8_t { rgb, bgr };

struct PictureSize {
  std::int64_t width = 0, height = 0;
  friend bool operator==(const PictureSize&, const PictureSize&) = default;
};

// number = (recorded * scale - mean) / deviation.
struct Preprocessing {
  std::optional<float> scale;    // unset: 1/255 for pictures and bytes of IDX files, 1 for .npy
  std::vector<float> mean;       // one for each channel, or one for all; empty: 0
  std::vector<float> deviation;  // likewise; empty: 1
  ColourOrder order = ColourOrder::rgb;
  std::optional<PictureSize> size;  // where the model leaves height and width open

  // "scale=0.00392157 mean=0.286 deviation=0.353 order=rgb size=320x240", what is unset left out.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string summary() const;  // for people: the text, or what happens without one
  friend bool operator==(const Preprocessing&, const Preprocessing&) = default;
};
[[nodiscard]] Result<Preprocessing> parse_preprocessing(std::string_view text);

inline constexpr std::string_view kPreprocessingKey = "alara.preprocessing";  // of Model::metadata
// What the model's metadata say, or the default.
[[nodiscard]] Result<Preprocessing> preprocessing_of(const graph::Model& model);

// How one input of a model wants a sample.
struct InputForm {
  enum class Layout : std::uint8_t { planes, pixels, flat };  // [channels, …], [height, width, channels], others

  std::string name;
  graph::DataType type = graph::DataType::float32;
  graph::Shape sample;  // with the batch in front: 1 where the model leaves it open
  Layout layout = Layout::flat;
  std::int64_t channels = 1, height = 0, width = 0;  // of pictures and maps; height 0: no picture; columns of tables

  [[nodiscard]] std::int64_t elements() const;
  [[nodiscard]] bool takes_pictures() const { return height > 0 && (channels == 1 || channels == 3); }
  [[nodiscard]] std::string text() const;
};
// Errors: bad_input names the input whose sizes are open, or whose type is no number.
[[nodiscard]] Result<InputForm> form_of(const graph::ValueInfo& input, const Preprocessing& preprocessing);

// y = x * factor + offset for each channel; where the sample's elements find theirs.
class Normaliser {
 public:
  // Errors: as many means as channels, or one; deviations likewise and not 0.
  [[nodiscard]] static Result<Normaliser> make(const InputForm& form, const Preprocessing& preprocessing,
                                               float natural_scale);

  void apply(std::span<float> sample) const;  // of form.elements(), in place
  // The affine map of element i.
  [[nodiscard]] std::size_t channel_of(std::size_t i) const { return i / stride_ % factor_.size(); }
  [[nodiscard]] float factor(std::size_t channel) const { return factor_[channel]; }
  [[nodiscard]] float offset(std::size_t channel) const { return offset_[channel]; }

 private:
  std::vector<float> factor_, offset_;  // of each channel
  std::size_t stride_ = 1;              // elements between one channel and the next
};

// Pixels [height, width, channels], colours red first, in the form's layout and the given order.
[[nodiscard]] std::vector<float> arranged(std::vector<float> pixels, const InputForm& form, ColourOrder order);
// Numbers as a tensor of the form's shape and type: rounded and kept within the range of integers.
[[nodiscard]] Result<graph::Tensor> as_input(const InputForm& form, std::span<const float> numbers);

}  // namespace alara::learn
