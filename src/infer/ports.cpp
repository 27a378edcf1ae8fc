// SPDX-License-Identifier: Apache-2.0
#include "infer/ports.hpp"

namespace alara::infer {
namespace {

std::string given(const RunPlan& plan) {
  const char* plural = plan.values == 1 ? "" : "s";
  if (plan.history == 1) return fmt::format("{} value{}", plan.values, plural);
  return fmt::format("{} value{} x {} rows of history", plan.values, plural, plan.history);
}

std::string described(const ModelInfo& info) {
  std::string out;
  for (const TensorInfo& input : info.inputs) out += (out.empty() ? "" : ", ") + input.text();
  return out;
}

// The shape after the batch, with -1 for one free dimension at most; the product of the known ones.
Result<std::size_t> known_elements(const TensorInfo& input, int& free_dimensions) {
  std::uint64_t product = 1;
  free_dimensions = 0;
  for (std::size_t i = 1; i < input.shape.size(); ++i) {
    const std::int64_t size = input.shape[i].size;
    if (size < 0) {
      ++free_dimensions;
      continue;
    }
    if (size == 0 || __builtin_mul_overflow(product, static_cast<std::uint64_t>(size), &product) ||
        product > kMaxTensorElements)
      return fail(ErrorKind::bad_input, "model input {} is empty or too large", input.text());
  }
  return static_cast<std::size_t>(product);
}

Status check_batch(const TensorInfo& input, InputPorts& out, bool first) {
  if (input.type != ElementType::float32 && input.type != ElementType::float64)
    return fail(ErrorKind::bad_input, "model input {} is not float32 or float64", input.text());
  if (input.shape.empty())
    return fail(ErrorKind::bad_input, "model input {} has no dimensions; the first must be the batch", input.text());
  const std::int64_t batch = input.shape[0].size;
  const std::size_t fixed = batch < 0 ? 0 : static_cast<std::size_t>(batch);
  if (batch == 0 || fixed > kMaxBatchRows)
    return fail(ErrorKind::bad_input, "model input {} has a batch of {}; 1 to {} are possible", input.text(), batch,
                kMaxBatchRows);
  if (!first && fixed != out.fixed_batch)
    return fail(ErrorKind::bad_input, "model input {} has another batch dimension than the inputs before it",
                input.text());
  out.fixed_batch = fixed;
  return {};
}

// Gives a free dimension of a lone input the size that makes the row fit, if one does.
Status resolve(const ModelInfo& info, const TensorInfo& input, std::size_t wanted, Port& port) {
  int free_dimensions = 0;
  ALARA_TRY(port.elements, known_elements(input, free_dimensions));
  const bool lone = info.inputs.size() == 1;
  if (free_dimensions > 1 || (free_dimensions == 1 && !lone))
    return fail(ErrorKind::bad_input, "model input {} leaves more than the batch open; export it with fixed sizes",
                input.text());
  for (std::size_t i = 1; i < input.shape.size(); ++i) {
    std::int64_t size = input.shape[i].size;
    if (size < 0) {
      if (wanted % port.elements != 0) continue;  // the caller reports the mismatch
      size = static_cast<std::int64_t>(wanted / port.elements);
    }
    port.shape[i] = size;
  }
  if (free_dimensions == 1 && wanted % port.elements == 0) port.elements = wanted;
  return {};
}

// [batch, values, history] instead of [batch, history, values]: rows are turned.
void turn_channels_first(const RunPlan& plan, InputPorts& ports) {
  if (plan.history == 1 || plan.values == 1 || plan.history == plan.values || ports.ports.size() != 1) return;
  const std::vector<std::int64_t>& shape = ports.ports[0].shape;
  if (shape.size() != 3 || shape[1] != static_cast<std::int64_t>(plan.values)) return;
  for (std::size_t moment = 0; moment < plan.history; ++moment)
    for (std::size_t value = 0; value < plan.values; ++value)
      ports.position.push_back(static_cast<std::uint32_t>(value * plan.history + moment));
}

}  // namespace

std::size_t bytes_of(ElementType type) {
  switch (type) {
    case ElementType::float32:
    case ElementType::int32:
      return 4;
    case ElementType::float64:
    case ElementType::int64:
      return 8;
    case ElementType::int8:
    case ElementType::uint8:
    case ElementType::boolean:
      return 1;
    default:
      return 0;
  }
}

Result<InputPorts> fit_inputs(const ModelInfo& info, const RunPlan& plan) {
  if (info.inputs.empty()) return fail(ErrorKind::bad_input, "the model has no inputs");
  InputPorts out;
  const std::size_t wanted = plan.values * plan.history;
  std::size_t taken = 0;
  for (const TensorInfo& input : info.inputs) {
    ALARA_CHECK(check_batch(input, out, out.ports.empty()));
    Port port{input.name, input.type, std::vector<std::int64_t>(input.shape.size(), 1), 1};
    ALARA_CHECK(resolve(info, input, wanted, port));
    taken += port.elements;
    out.ports.push_back(std::move(port));
  }
  if (taken != wanted)
    return fail(ErrorKind::bad_input, "the model takes {} number{} per row ({}), the step gives {}: {}", taken,
                taken == 1 ? "" : "s", described(info), wanted, given(plan));
  if (wanted * plan.max_rows > kMaxTensorElements)
    return fail(ErrorKind::exhausted, "a batch of {} rows of {} numbers is larger than the {} numbers allowed",
                plan.max_rows, wanted, kMaxTensorElements);
  turn_channels_first(plan, out);
  return out;
}

}  // namespace alara::infer
