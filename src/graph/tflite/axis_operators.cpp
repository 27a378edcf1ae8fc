// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/axis_ops.hpp"

#include "graph/tflite/fused.hpp"
#include "graph/tflite/operators.hpp"

namespace alara::graph::tflite {
namespace {

using nhwc::ValueId;

// The shape is an input, an option, or what the output declares.
Outputs reshape(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  const std::optional<ValueId> target = step.optional_input(1);
  if (target && step.lowering.at(*target).constant && step.lowering.at(*target).rank() == 1)
    return single(nhwc::reshape(step.lowering, step.name(), x, *target));
  std::vector<std::int64_t> sizes;
  const auto* options = step.op.builtin_options_as_ReshapeOptions();
  if (!target && options != nullptr && options->new_shape() != nullptr) {
    sizes.assign(options->new_shape()->begin(), options->new_shape()->end());
    return single(nhwc::reshape(step.lowering, step.name(), x, sizes));
  }
  for (const Dim& dim : step.outputs[0].dims) sizes.push_back(dim.size);
  const bool declared = !sizes.empty() && std::count(sizes.begin(), sizes.end(), -1) <= 1;
  if (declared || !target) return single(nhwc::reshape(step.lowering, step.name(), x, sizes));
  return single(nhwc::reshape(step.lowering, step.name(), x, *target));
}

Outputs squeeze(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::SqueezeOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  std::vector<std::int64_t> axes;
  if (options->squeeze_dims() != nullptr) axes.assign(options->squeeze_dims()->begin(), options->squeeze_dims()->end());
  return single(nhwc::squeeze(step.lowering, step.name(), x, axes));
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

Result<std::vector<ValueId>> all_inputs(const Step& step) {
  std::vector<ValueId> out;
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    ALARA_TRY(const ValueId one, step.input(i));
    out.push_back(one);
  }
  return out;
}

Outputs concatenate(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::ConcatenationOptions>());
  ALARA_TRY(const std::vector<ValueId> parts, all_inputs(step));
  return with_activation(step, options->activation(), [&](const std::string& name) {
    return nhwc::concatenate(step.lowering, name, parts, options->axis());
  });
}

Outputs pack(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::PackOptions>());
  ALARA_TRY(const std::vector<ValueId> parts, all_inputs(step));
  return single(nhwc::pack(step.lowering, step.name(), parts, options->axis()));
}

Outputs unpack(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::UnpackOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  return nhwc::unpack(step.lowering, step.name(), x, options->axis());
}

Outputs split(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::SplitOptions>());
  ALARA_TRY(const std::int64_t axis, step.integer(0));
  ALARA_TRY(const ValueId x, step.input(1));
  const Dims& dims = step.lowering.at(x).dims;
  ALARA_TRY(const std::size_t along, nhwc::axis_of(axis, dims.size()));
  const std::int64_t parts = options->num_splits();
  if (parts < 1 || parts != static_cast<std::int64_t>(step.outputs.size()) || dims[along].size % parts != 0)
    return fail(ErrorKind::bad_input, "{} equal parts of {} along axis {}", parts, text_of(dims), along);
  const std::vector<std::int64_t> sizes(static_cast<std::size_t>(parts), dims[along].size / parts);
  return nhwc::split(step.lowering, step.name(), x, axis, sizes);
}

Outputs split_by_sizes(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(std::vector<std::int64_t> sizes, step.integers(1));
  ALARA_TRY(const std::int64_t axis, step.integer(2));
  ALARA_TRY(const std::size_t along, nhwc::axis_of(axis, step.lowering.at(x).rank()));
  std::int64_t rest = step.lowering.at(x).dims[along].size;
  for (const std::int64_t size : sizes) rest -= std::clamp<std::int64_t>(size, 0, kMaxElements);
  for (std::int64_t& size : sizes)
    if (size == -1) size = rest;  // one of them may be what is left
  return nhwc::split(step.lowering, step.name(), x, axis, sizes);
}

Result<nhwc::Pad> paddings(const Step& step) {
  ALARA_TRY(const std::vector<std::int64_t> numbers, step.integers(1));
  return nhwc::pad_of_pairs(numbers);
}

Outputs pad(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(nhwc::Pad pad, paddings(step));
  pad.fill = step.optional_input(2);
  return single(nhwc::pad(step.lowering, step.name(), x, pad));
}

Outputs mirror_pad(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::MirrorPadOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(nhwc::Pad pad, paddings(step));
  pad.mode = options->mode() == schema::MirrorPadMode::REFLECT ? nhwc::Pad::Mode::reflect : nhwc::Pad::Mode::symmetric;
  return single(nhwc::pad(step.lowering, step.name(), x, pad));
}

Outputs slice(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const std::vector<std::int64_t> begin, step.integers(1));
  ALARA_TRY(const std::vector<std::int64_t> size, step.integers(2));
  return single(nhwc::slice(step.lowering, step.name(), x, begin, size));
}

Outputs strided_slice(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::StridedSliceOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  if (options->offset()) return fail(ErrorKind::bad_input, "ends given as offsets are not supported");
  nhwc::StridedSlice slice{.begin_mask = options->begin_mask(),
                           .end_mask = options->end_mask(),
                           .ellipsis_mask = options->ellipsis_mask(),
                           .new_axis_mask = options->new_axis_mask(),
                           .shrink_mask = options->shrink_axis_mask()};
  ALARA_TRY(slice.begin, step.integers(1));
  ALARA_TRY(slice.end, step.integers(2));
  ALARA_TRY(slice.strides, step.integers(3));
  return single(nhwc::strided_slice(step.lowering, step.name(), x, slice));
}

Outputs gather(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::GatherOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const ValueId indices, step.input(1));
  return single(nhwc::gather(step.lowering, step.name(), x, indices, options->axis(), options->batch_dims()));
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
  return single(nhwc::shape(step.lowering, step.name(), x, step.outputs[0].type));
}

}  // namespace

std::span<const Entry> axis_operators() {
  using enum schema::BuiltinOperator;
  static constexpr Entry kEntries[] = {
      {RESHAPE, reshape},
      {SQUEEZE, squeeze},
      {EXPAND_DIMS, expand},
      {TRANSPOSE, transpose},
      {CONCATENATION, concatenate},
      {PACK, pack},
      {UNPACK, unpack},
      {SPLIT, split},
      {SPLIT_V, split_by_sizes},
      {PAD, pad},
      {PADV2, pad},
      {MIRROR_PAD, mirror_pad},
      {SLICE, slice},
      {STRIDED_SLICE, strided_slice},
      {GATHER, gather},
      {GATHER_ND, gather_nd},
      {TILE, tile},
      {SHAPE, shape},
  };
  return kEntries;
}

}  // namespace alara::graph::tflite
