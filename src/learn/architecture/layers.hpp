// SPDX-License-Identifier: Apache-2.0
// Builds a network layer by layer as an ONNX graph with a free batch: templates and architecture files stand on it.
// Shapes are those of one sample, channels first: [channels, height, width], [channels, length], [features]; sequences
// for recurrent layers are [steps, features]. The first layer that does not fit is remembered; after it every call
// gives its input back, so that a chain of calls needs one look at the end.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "graph/builder.hpp"
#include "learn/data/random.hpp"

namespace alara::learn {

inline constexpr std::int64_t kMaxParameters = std::int64_t{1} << 28;  // of one network
inline constexpr std::size_t kMaxLayerNodes = 20'000;
inline constexpr std::int64_t kMaxWidth = 1 << 20;  // filters, units, and each size of a value

struct Flow {
  std::string value;
  graph::Shape shape;  // of one sample
};

// One size for all spatial dimensions, or one for each.
struct Sizes {
  std::vector<std::int64_t> each;
  Sizes(std::int64_t one) : each{one} {}  // NOLINT(google-explicit-constructor): 3 means 3 x 3
  explicit Sizes(std::vector<std::int64_t> sizes) : each(std::move(sizes)) {}
};

// same: an output of ceil(size / stride), zeros around in equal parts, the odd one behind. Else so many on each side.
struct Padding {
  static constexpr std::int64_t kSame = -1;
  std::int64_t around = kSame;
};
inline constexpr Padding kNoPadding{0};

struct Conv {
  std::int64_t filters = 0;
  Sizes kernel = 3;
  Sizes stride = 1;
  Padding padding = {};
  Sizes dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
};

struct Pool {
  Sizes kernel = 2;
  Sizes stride = 2;
  Padding padding = kNoPadding;
  bool round_up = false;  // a last window that is not full counts
};

struct Recurrent {
  std::int64_t units = 0;
  bool sequences = false;      // gives [steps, units], else the last [units]
  bool bidirectional = false;  // gives twice the units
};

enum class Activation : std::uint8_t {
  none,
  relu,
  relu6,
  leaky_relu,
  hard_swish,
  hard_sigmoid,
  sigmoid,
  tanh,
  swish,
  elu
};
[[nodiscard]] std::span<const std::string_view> activation_names();  // in that order
[[nodiscard]] Activation activation_named(std::string_view name);    // one of them (a bug otherwise)

class Layers {
 public:
  Layers(const std::string& name, std::uint64_t seed, std::int64_t max_parameters = kMaxParameters);

  // Names of what follows begin with it: "block_3/".
  void place(std::string prefix) { prefix_ = std::move(prefix); }
  [[nodiscard]] const std::string& place() const { return prefix_; }

  Flow input(const std::string& name, const graph::Shape& sample);
  void output(const Flow& flow, const std::string& name);

  Flow conv(const Flow& in, const Conv& conv);
  Flow depthwise(const Flow& in, Conv conv);  // one filter for each channel
  Flow batch_norm(const Flow& in);
  Flow activate(const Flow& in, Activation activation);
  // Without bias, batch norm, activation: what most blocks are made of.
  Flow conv_norm(const Flow& in, Conv conv, Activation activation);
  Flow depthwise_norm(const Flow& in, Conv conv, Activation activation);
  Flow max_pool(const Flow& in, const Pool& pool);
  Flow average_pool(const Flow& in, const Pool& pool);
  Flow global_average_pool(const Flow& in);        // [channels]
  Flow dense(const Flow& in, std::int64_t units);  // flattens what is not flat
  Flow flatten(const Flow& in);
  Flow dropout(const Flow& in, float rate);
  Flow add(const Flow& a, const Flow& b);
  Flow scale_channels(const Flow& in, const Flow& gate);  // gate [channels, 1, 1]
  Flow concat(std::span<const Flow> parts);               // along channels
  Flow squeeze_excite(const Flow& in, std::int64_t squeezed, Activation inner, Activation gate);
  Flow upsample(const Flow& in, std::int64_t factor);  // nearest
  Flow reshape(const Flow& in, const graph::Shape& sample);
  Flow transpose(const Flow& in, const std::vector<std::int64_t>& order);  // of the sample's dimensions, from 0
  Flow softmax(const Flow& in);
  Flow gru(const Flow& in, const Recurrent& layer);
  Flow lstm(const Flow& in, const Recurrent& layer);

  [[nodiscard]] bool failed() const { return !status_.has_value(); }
  [[nodiscard]] const Status& status() const { return status_; }
  void refuse(Error error);  // the first one stays
  [[nodiscard]] Result<graph::Model> finish() &&;

 private:
  enum class Cell : std::uint8_t { gru, lstm };

  template <typename... Args>
  Flow refuse(const Flow& in, fmt::format_string<Args...> format, Args&&... args) {
    refuse(Error{ErrorKind::bad_input, fmt::format(format, std::forward<Args>(args)...), {}, {}});
    return in;
  }
  [[nodiscard]] std::string named(std::string_view kind);
  Flow made(std::string value, graph::Shape shape, const Flow& in);
  // Room for so many more parameters of a layer; false: refused.
  bool spend(std::initializer_list<std::int64_t> factors);
  [[nodiscard]] Random chance() { return Random({seed_, ++drawn_}); }
  Flow pool(const Flow& in, const Pool& pool, std::string_view kind);
  Flow recurrent(const Flow& in, const Recurrent& layer, Cell cell);

  graph::Builder builder_;
  std::string prefix_;
  std::map<std::string, int> counts_;           // layers of each name
  std::map<std::string, std::string> outputs_;  // value to its name as an output
  std::uint64_t seed_, drawn_ = 0;
  std::int64_t parameters_left_;
  Status status_;
};

}  // namespace alara::learn
