// SPDX-License-Identifier: Apache-2.0
#include "infer/ort_runner.hpp"

#ifdef ALARA_ONNXRUNTIME

#include <algorithm>
#include <cstring>
#include <new>

#include "infer/ort_values.hpp"
#include "infer/ports.hpp"

namespace alara::infer {
namespace {

constexpr std::size_t kAlignment = 64;

struct AlignedDelete {
  void operator()(std::byte* bytes) const { ::operator delete[](bytes, std::align_val_t{kAlignment}); }
};
using Buffer = std::unique_ptr<std::byte[], AlignedDelete>;

Buffer make_buffer(std::size_t bytes) {
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  Buffer buffer(new (std::align_val_t{kAlignment}) std::byte[rounded]);
  std::memset(buffer.get(), 0, rounded);
  return buffer;
}

template <typename T>
void store(std::byte* row, std::span<const double> numbers) {
  T* out = reinterpret_cast<T*>(row);
  for (std::size_t i = 0; i < numbers.size(); ++i) out[i] = static_cast<T>(numbers[i]);
}

template <typename T>
void fetch(const std::byte* row, std::span<double> out) {
  const T* in = reinterpret_cast<const T*>(row);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(in[i]);
}

void fetch(ElementType type, const std::byte* row, std::span<double> out) {
  switch (type) {
    case ElementType::float64:
      return fetch<double>(row, out);
    case ElementType::int32:
      return fetch<std::int32_t>(row, out);
    case ElementType::int64:
      return fetch<std::int64_t>(row, out);
    case ElementType::int8:
      return fetch<std::int8_t>(row, out);
    case ElementType::uint8:
    case ElementType::boolean:
      return fetch<std::uint8_t>(row, out);
    default:
      return fetch<float>(row, out);
  }
}

// One tensor's memory and the values that show it to ONNX Runtime: of every row count when the batch is free (all over
// the same memory), else one per block of the fixed batch.
struct Tensor {
  Port port;
  std::size_t row_bytes = 0;
  std::size_t bytes = 0;
  Buffer buffer;
  std::vector<Owned<OrtValue>> values;
};

class OrtRunner final : public Runner {
 public:
  OrtRunner(std::shared_ptr<const OrtModel> model, const RunPlan& plan, InputPorts ports)
      : model_(std::move(model)), ort_(*model_->ort), plan_(plan), inputs_plan_(std::move(ports)) {
    scratch_.resize(inputs_plan_.position.size());
  }

  Status prepare();

  [[nodiscard]] const std::vector<OutputColumn>& columns() const override { return columns_; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  void write(std::size_t row, std::span<const double> numbers) override;
  Status run(std::size_t rows) override;
  void read(std::size_t row, std::span<double> out) const override;

 private:
  [[nodiscard]] std::size_t batch() const { return inputs_plan_.fixed_batch; }
  [[nodiscard]] std::size_t capacity() const {  // rows, up to whole fixed batches
    return batch() == 0 ? plan_.max_rows : (plan_.max_rows + batch() - 1) / batch() * batch();
  }
  Status choose_outputs();
  Status probe(std::size_t rows);
  Status learn_output(const OrtValue* value, std::size_t rows, Tensor& tensor);
  Status allocate(Tensor& tensor);
  [[nodiscard]] Result<Owned<OrtValue>> make_value(const Tensor& tensor, std::size_t first_row, std::size_t rows);
  void list_values();
  Status run_block(std::size_t index);
  [[nodiscard]] Status failed_run(OrtStatus* status) const;

  std::shared_ptr<const OrtModel> model_;
  const Ort& ort_;
  RunPlan plan_;
  InputPorts inputs_plan_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  std::vector<OutputColumn> columns_;
  std::vector<double> scratch_;  // a row in the model's order, where it differs from ours

  std::vector<const char*> input_names_;
  std::vector<const char*> output_names_;
  std::vector<const OrtValue*> input_values_;  // block by block, each in the order of the names
  std::vector<OrtValue*> output_values_;
};

Status OrtRunner::choose_outputs() {
  for (const TensorInfo& output : model_->info.outputs) {
    const bool wanted = plan_.tensors.empty() ||
                        std::find(plan_.tensors.begin(), plan_.tensors.end(), output.name) != plan_.tensors.end();
    if (!wanted) continue;
    if (bytes_of(output.type) == 0)
      return fail(ErrorKind::bad_input, "model output {} is of a type that a step can not give on", output.text());
    outputs_.emplace_back().port = Port{output.name, output.type, {}, 1};
  }
  if (outputs_.empty()) return fail(ErrorKind::bad_input, "the model has no such outputs");
  return {};
}

Status OrtRunner::failed_run(OrtStatus* status) const {
  return ort_.check(status, ErrorKind::internal, fmt::format("model '{}' failed", model_->path));
}

// Lets the model make its own outputs once, to see their shapes: files often leave them open.
Status OrtRunner::probe(std::size_t rows) {
  std::vector<Owned<OrtValue>> values;
  std::vector<const OrtValue*> inputs;
  for (const Tensor& input : inputs_) {
    ALARA_TRY(Owned<OrtValue> value, make_value(input, 0, rows));
    inputs.push_back(value.get());
    values.push_back(std::move(value));
  }
  std::vector<OrtValue*> outputs(outputs_.size(), nullptr);
  OrtStatus* status = ort_.api->Run(model_->session.get(), nullptr, input_names_.data(), inputs.data(), inputs.size(),
                                    output_names_.data(), output_names_.size(), outputs.data());
  for (OrtValue* output : outputs) values.push_back(ort_.own(output, ort_.api->ReleaseValue));
  if (status != nullptr) return failed_run(status);
  for (std::size_t i = 0; i < outputs.size(); ++i) ALARA_CHECK(learn_output(outputs[i], rows, outputs_[i]));
  return {};
}

Status OrtRunner::learn_output(const OrtValue* value, std::size_t rows, Tensor& tensor) {
  ALARA_TRY(OrtShape made, shape_of(ort_, value));
  std::vector<std::int64_t>& shape = tensor.port.shape;
  shape = std::move(made.sizes);
  std::size_t elements = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) elements *= static_cast<std::size_t>(shape[i]);
  if (shape.empty() || shape[0] != static_cast<std::int64_t>(rows) || elements == 0)
    return fail(ErrorKind::bad_input,
                "model output '{}' has the shape [{}] for a batch of {}: it must have one row for each",
                tensor.port.name, fmt::join(shape, ", "), rows);
  if (elements * capacity() > kMaxTensorElements)
    return fail(ErrorKind::exhausted, "model output '{}' has {} numbers per row: too many for a step", tensor.port.name,
                elements);
  tensor.port.elements = elements;
  return {};
}

Result<Owned<OrtValue>> OrtRunner::make_value(const Tensor& tensor, std::size_t first_row, std::size_t rows) {
  std::vector<std::int64_t> shape = tensor.port.shape;
  shape[0] = static_cast<std::int64_t>(rows);
  OrtValue* value = nullptr;
  ALARA_CHECK(ort_.check(ort_.api->CreateTensorWithDataAsOrtValue(
                             ort_.memory, tensor.buffer.get() + first_row * tensor.row_bytes, rows * tensor.row_bytes,
                             shape.data(), shape.size(), ort_type(tensor.port.type), &value),
                         ErrorKind::internal, "tensor"));
  return ort_.own(value, ort_.api->ReleaseValue);
}

Status OrtRunner::allocate(Tensor& tensor) {
  tensor.row_bytes = tensor.port.elements * bytes_of(tensor.port.type);
  // Two rows at least, for the probe.
  tensor.bytes = std::max<std::size_t>(capacity(), 2) * tensor.row_bytes;
  tensor.buffer = make_buffer(tensor.bytes);
  const std::size_t blocks = batch() == 0 ? plan_.max_rows : capacity() / batch();
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::size_t first = batch() == 0 ? 0 : i * batch();
    ALARA_TRY(Owned<OrtValue> value, make_value(tensor, first, batch() == 0 ? i + 1 : batch()));
    tensor.values.push_back(std::move(value));
  }
  return {};
}

void OrtRunner::list_values() {
  for (std::size_t block = 0; block < inputs_[0].values.size(); ++block) {
    for (const Tensor& input : inputs_) input_values_.push_back(input.values[block].get());
    for (const Tensor& output : outputs_) output_values_.push_back(output.values[block].get());
  }
}

Status OrtRunner::prepare() {
  for (Port& port : inputs_plan_.ports) {
    Tensor& tensor = inputs_.emplace_back();
    tensor.port = std::move(port);
    ALARA_CHECK(allocate(tensor));
  }
  ALARA_CHECK(choose_outputs());
  for (const Tensor& input : inputs_) input_names_.push_back(input.port.name.c_str());
  for (const Tensor& output : outputs_) output_names_.push_back(output.port.name.c_str());

  ALARA_CHECK(probe(batch() == 0 ? 2 : batch()));
  if (batch() == 0) ALARA_CHECK(probe(1));
  for (Tensor& output : outputs_) {
    ALARA_CHECK(allocate(output));
    for (std::size_t i = 0; i < output.port.elements; ++i)
      columns_.push_back({output.port.name, i, output.port.elements});
  }
  list_values();
  ALARA_CHECK(run(plan_.max_rows));
  return run(1);
}

std::size_t OrtRunner::memory_bytes() const {
  constexpr std::size_t kValueBytes = 256;  // of an OrtValue with its shape, about
  std::size_t bytes = sizeof *this + scratch_.size() * sizeof(double);
  for (const auto* tensors : {&inputs_, &outputs_})
    for (const Tensor& tensor : *tensors) bytes += tensor.bytes + tensor.values.size() * kValueBytes;
  return bytes;
}

void OrtRunner::write(std::size_t row, std::span<const double> numbers) {
  if (!scratch_.empty()) {
    for (std::size_t i = 0; i < numbers.size(); ++i) scratch_[inputs_plan_.position[i]] = numbers[i];
    numbers = scratch_;
  }
  for (Tensor& input : inputs_) {
    std::byte* target = input.buffer.get() + row * input.row_bytes;
    const auto part = numbers.first(input.port.elements);
    if (input.port.type == ElementType::float32)
      store<float>(target, part);
    else
      store<double>(target, part);
    numbers = numbers.subspan(input.port.elements);
  }
}

Status OrtRunner::run_block(std::size_t index) {
  OrtStatus* status = ort_.api->Run(model_->session.get(), nullptr, input_names_.data(),
                                    input_values_.data() + index * inputs_.size(), inputs_.size(), output_names_.data(),
                                    outputs_.size(), output_values_.data() + index * outputs_.size());
  return status == nullptr ? Status{} : failed_run(status);
}

Status OrtRunner::run(std::size_t rows) {
  if (rows == 0) return {};
  if (batch() == 0) return run_block(rows - 1);
  for (std::size_t block = 0; block * batch() < rows; ++block) ALARA_CHECK(run_block(block));
  return {};
}

void OrtRunner::read(std::size_t row, std::span<double> out) const {
  for (const Tensor& output : outputs_) {
    fetch(output.port.type, output.buffer.get() + row * output.row_bytes, out.first(output.port.elements));
    out = out.subspan(output.port.elements);
  }
}

}  // namespace

Result<std::unique_ptr<Runner>> make_ort_runner(std::shared_ptr<const OrtModel> model, const RunPlan& plan) {
  ALARA_ASSERT(plan.values > 0 && plan.history > 0 && plan.max_rows > 0 && plan.max_rows <= kMaxBatchRows,
               "a run plan must be within its limits");
  ALARA_TRY(InputPorts ports, fit_inputs(model->info, plan));
  auto runner = std::make_unique<OrtRunner>(std::move(model), plan, std::move(ports));
  ALARA_CHECK(runner->prepare());
  return runner;
}

}  // namespace alara::infer

#endif
