// SPDX-License-Identifier: Apache-2.0
// Where an importer of a channels-last framework (TensorFlow Lite, TensorFlow.js) writes its ONNX graph. ONNX wants
// images as [batch, channels, height, width]; a Lowering knows for every value in which of the two orders the graph
// has it, and puts a Transpose in only where an operator needs the one that is not there yet.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/builder.hpp"
#include "graph/nhwc/dims.hpp"

namespace alara::graph::nhwc {

// channels_last is the source's own order of axes, whatever they mean; channels_first exists for four axes only.
enum class Layout : std::uint8_t { channels_last, channels_first };
// Where axis `axis` of a value of four axes lies.
[[nodiscard]] std::size_t axis_in(Layout layout, std::size_t axis);
// One number for each axis of the source, in the order of the layout.
template <typename T>
[[nodiscard]] std::vector<T> ordered(Layout layout, const std::vector<T>& by_axis) {
  if (layout == Layout::channels_last) return by_axis;
  return {by_axis[0], by_axis[3], by_axis[1], by_axis[2]};
}

enum class ValueId : std::uint32_t {};

// real = scale * (stored - zero_point); one scale for all, or one for each index of `axis`.
struct Quantization {
  std::vector<float> scales;
  std::vector<std::int64_t> zero_points;  // as many
  std::size_t axis = 0;
};

// A value's names in the ONNX graph; empty while the graph does not have it in that order.
struct Forms {
  std::string channels_last;
  std::string channels_first;

  [[nodiscard]] std::string& in(Layout layout) {
    return layout == Layout::channels_last ? channels_last : channels_first;
  }
};

// A value of the source model.
struct Value {
  std::string name;
  DataType type = DataType::float32;  // of the numbers that operators see: float32 for quantised ones
  Dims dims = {};                     // in the source's order
  Constant constant = nullptr;        // as stored, in the source's order; nullptr: computed when it runs
  std::optional<Quantization> quantization = std::nullopt;
  Forms real = {};
  Forms stored = {};  // of quantised values that are not constant: the integers
  DataType stored_type = DataType::undefined;

  [[nodiscard]] std::size_t rank() const { return dims.size(); }
};

using Attributes = std::map<std::string, Attribute>;

// What a node makes: `dims` in the source's order.
struct Made {
  DataType type = DataType::float32;
  Dims dims = {};
  Layout layout = Layout::channels_last;
};

// What a file may make of itself.
struct Limits {
  std::uint64_t constant_bytes = 0;  // of all constants, read and written
  std::uint64_t values = 0;          // that its operators make
};

class Lowering {
 public:
  // `outputs` are the names that results of the whole model must have.
  Lowering(std::string graph_name, std::set<std::string> outputs, const Limits& limits);

  // `type` is the stored one. A quantised value is dequantised at once.
  ValueId input(const std::string& name, DataType type, Dims dims,
                const std::optional<Quantization>& quantization = std::nullopt);
  ValueId constant(const std::string& name, Constant tensor, std::optional<Quantization> quantization = std::nullopt);
  ValueId constant(const std::string& name, Tensor tensor) { return constant(name, share(std::move(tensor))); }
  // Appends a node with one output. `inputs` are names of the graph, as in() and the like give them.
  ValueId node(const std::string& op, const std::string& name, std::vector<std::string> inputs, Made made,
               Attributes attributes = {});
  std::vector<ValueId> nodes(const std::string& op, const std::string& name, std::vector<std::string> inputs,
                             const std::vector<Made>& made, Attributes attributes = {});
  // The value `real` as a framework of integers has it: quantised to `type`, and dequantised for whoever reads it.
  ValueId quantized(const std::string& name, ValueId real, DataType type, const Quantization& quantization);
  // Of a quantised value the real numbers alone: as a result of the model it is those, not the integers.
  ValueId unstored(ValueId id);
  // A value that the graph has in both orders under other names: what a transpose between the two gives.
  ValueId alias(const std::string& name, DataType type, Dims dims, Forms forms);

  [[nodiscard]] const Value& at(ValueId id) const { return values_[static_cast<std::size_t>(id)]; }
  // The shape is now known better (a bug: another rank).
  void refine(ValueId id, Dims dims) { values_[static_cast<std::size_t>(id)].dims = std::move(dims); }
  // Whether the graph has the value with channels first, without a new Transpose.
  [[nodiscard]] bool is_first(ValueId id) const { return !at(id).real.channels_first.empty(); }
  [[nodiscard]] Layout layout_of(ValueId id) const {
    return is_first(id) ? Layout::channels_first : Layout::channels_last;
  }
  // channels_first if one of the values is that way already and all others can be.
  [[nodiscard]] Layout layout_for(const std::vector<ValueId>& ids) const;
  // Both orders mean the same sequence of numbers (one pixel, or one channel).
  [[nodiscard]] bool same_in_both(ValueId id) const;

  [[nodiscard]] std::string in(ValueId id, Layout layout);
  [[nodiscard]] std::string last(ValueId id) { return in(id, Layout::channels_last); }
  [[nodiscard]] std::string first(ValueId id) { return in(id, Layout::channels_first); }
  // For operators that broadcast to four axes: constants of fewer axes get theirs where the layout has them.
  [[nodiscard]] std::string operand(ValueId id, Layout layout);
  // With its axes in another order than the two: weights.
  [[nodiscard]] std::string arranged(ValueId id, const std::vector<std::int64_t>& order);
  // As int64 with channels last, for operators that take shapes and indices.
  [[nodiscard]] std::string indices(ValueId id);
  [[nodiscard]] std::string integers(const std::string& name, std::vector<std::int64_t> numbers);
  [[nodiscard]] std::string scalar(const std::string& name, float number);
  // The numbers of a constant; an error that names it where it is none.
  [[nodiscard]] Result<std::vector<std::int64_t>> known_integers(ValueId id) const;

  // The first limit that was passed; what is added after it is not complete.
  [[nodiscard]] const Status& status() const { return status_; }

  struct Output {
    std::string name;
    ValueId value = {};
  };
  // Errors: status(), and what graph::check() finds.
  [[nodiscard]] Result<Model> finish(const std::vector<Output>& outputs) &&;

 private:
  [[nodiscard]] Value& value(ValueId id) { return values_[static_cast<std::size_t>(id)]; }
  ValueId keep(Value value);
  [[nodiscard]] std::string made_name(const std::string& name, const Made& made) const;
  [[nodiscard]] std::string turned_name(const std::string& name, Layout layout) const;
  void spend(std::uint64_t bytes, const std::string& name);
  std::string form(Forms& forms, const std::string& name, Layout layout);
  std::string write_constant(const Value& value, Tensor tensor, std::size_t axis);
  std::string dequantize(const std::string& name, const std::string& stored, DataType type,
                         const Quantization& quantization);
  std::vector<std::string> scale_and_zero(const std::string& name, DataType type, const Quantization& quantization);
  std::string output(const Output& output);

  Builder builder_;
  std::set<std::string> outputs_;
  std::set<std::string> given_;  // names of the model's inputs and outputs so far
  Limits left_;
  std::vector<Value> values_;
  std::map<std::pair<ValueId, std::vector<std::int64_t>>, std::string> arranged_;
  std::map<std::vector<std::int64_t>, std::string> integers_;
  std::map<ValueId, std::string> indices_;
  Status status_;
};

}  // namespace alara::graph::nhwc
