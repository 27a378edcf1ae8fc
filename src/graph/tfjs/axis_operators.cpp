// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/axis_ops.hpp"

#include <algorithm>

#include "graph/tfjs/operators.hpp"

namespace alara::graph::tfjs {
namespace {

using nhwc::ValueId;

Outputs reshape(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const ValueId target, step.input(1));
  return single(nhwc::reshape(step.lowering, step.name(), x, target));
}

Outputs squeeze(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::squeeze(step.lowering, step.name(), x, step.node.integers("squeeze_dims")));
}

Outputs expand(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const std::int64_t axis, step.integer(1));
  return single(nhwc::expand(step.lowering, step.name(), x, axis));
}

Outputs transpose(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const std::vector<std::int64_t> order, step.integers(1));
  return single(nhwc::transpose(step.lowering, step.name(), x, order));
}

// The axis is the last input.
Outputs concatenate(Step& step) {
  if (step.inputs.size() < 2) return fail(ErrorKind::corrupt, "it has no inputs");
  ALARA_TRY(const std::int64_t axis, step.integer(step.inputs.size() - 1));
  return single(nhwc::concatenate(step.lowering, step.name(), {step.inputs.begin(), step.inputs.end() - 1}, axis));
}

Outputs pack(Step& step) {
  return single(nhwc::pack(step.lowering, step.name(), step.inputs, step.node.integer("axis")));
}

Outputs unpack(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return nhwc::unpack(step.lowering, step.name(), x, step.node.integer("axis"));
}

Outputs split(Step& step) {
  ALARA_TRY(const std::int64_t axis, step.integer(0));
  ALARA_TRY(const ValueId x, step.input(1));
  const Dims& dims = step.lowering.at(x).dims;
  ALARA_TRY(const std::size_t along, nhwc::axis_of(axis, dims.size()));
  const std::int64_t parts = step.node.integer("num_split");
  if (parts < 1 || parts > 4096 || dims[along].size % parts != 0)
    return fail(ErrorKind::bad_input, "{} equal parts of {} along axis {}", parts, text_of(dims), along);
  const std::vector<std::int64_t> sizes(static_cast<std::size_t>(parts), dims[along].size / parts);
  return nhwc::split(step.lowering, step.name(), x, axis, sizes);
}

Outputs split_by_sizes(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const std::vector<std::int64_t> sizes, step.integers(1));
  ALARA_TRY(const std::int64_t axis, step.integer(2));
  return nhwc::split(step.lowering, step.name(), x, axis, sizes);
}

Result<nhwc::Pad> paddings(const Step& step) {
  ALARA_TRY(const std::vector<std::int64_t> numbers, step.integers(1));
  return nhwc::pad_of_pairs(numbers);
}

Outputs pad(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(nhwc::Pad pad, paddings(step));
  if (step.inputs.size() > 2) pad.fill = step.inputs[2];
  return single(nhwc::pad(step.lowering, step.name(), x, pad));
}

Outputs mirror_pad(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(nhwc::Pad pad, paddings(step));
  pad.mode = step.node.text("mode") == "SYMMETRIC" ? nhwc::Pad::Mode::symmetric : nhwc::Pad::Mode::reflect;
  return single(nhwc::pad(step.lowering, step.name(), x, pad));
}

Outputs slice(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const std::vector<std::int64_t> begin, step.integers(1));
  ALARA_TRY(const std::vector<std::int64_t> size, step.integers(2));
  return single(nhwc::slice(step.lowering, step.name(), x, begin, size));
}

Outputs strided_slice(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  nhwc::StridedSlice slice{.begin_mask = step.node.integer("begin_mask"),
                           .end_mask = step.node.integer("end_mask"),
                           .ellipsis_mask = step.node.integer("ellipsis_mask"),
                           .new_axis_mask = step.node.integer("new_axis_mask"),
                           .shrink_mask = step.node.integer("shrink_axis_mask")};
  ALARA_TRY(slice.begin, step.integers(1));
  ALARA_TRY(slice.end, step.integers(2));
  ALARA_TRY(slice.strides, step.integers(3));
  return single(nhwc::strided_slice(step.lowering, step.name(), x, slice));
}

Outputs gather(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const ValueId indices, step.input(1));
  std::int64_t axis = 0;
  if (step.inputs.size() > 2) {
    ALARA_TRY(axis, step.integer(2));
  }
  return single(nhwc::gather(step.lowering, step.name(), x, indices, axis, step.node.integer("batch_dims")));
}

Outputs gather_nd(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const ValueId indices, step.input(1));
  return single(nhwc::gather_nd(step.lowering, step.name(), x, indices));
}

Outputs tile(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const std::vector<std::int64_t> repeats, step.integers(1));
  return single(nhwc::tile(step.lowering, step.name(), x, repeats));
}

Outputs shape(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  const DataType type = step.node.type("out_type").value_or(DataType::int32);
  return single(nhwc::shape(step.lowering, step.name(), x, type == DataType::int64 ? type : DataType::int32));
}

}  // namespace

std::span<const Entry> axis_operators() {
  static constexpr Entry kEntries[] = {
      {"Reshape", reshape},
      {"Squeeze", squeeze},
      {"ExpandDims", expand},
      {"Transpose", transpose},
      {"ConcatV2", concatenate},
      {"Pack", pack},
      {"Unpack", unpack},
      {"Split", split},
      {"SplitV", split_by_sizes},
      {"Pad", pad},
      {"PadV2", pad},
      {"MirrorPad", mirror_pad},
      {"Slice", slice},
      {"StridedSlice", strided_slice},
      {"Gather", gather},
      {"GatherV2", gather},
      {"GatherNd", gather_nd},
      {"Tile", tile},
      {"Shape", shape},
  };
  return kEntries;
}

}  // namespace alara::graph::tfjs
