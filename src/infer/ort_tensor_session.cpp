// SPDX-License-Identifier: Apache-2.0
// Tensor sessions over ONNX Runtime; and, in a build without its headers, the sentence that says so.
#include <algorithm>

#include "infer/ort_open.hpp"
#include "infer/ort_values.hpp"
#include "infer/session.hpp"
#include "infer/tensor_session.hpp"

namespace alara::infer {

#ifndef ALARA_ONNXRUNTIME

Result<std::unique_ptr<TensorSession>> open_tensor_session(std::span<const std::byte>, const TensorSessionOptions&) {
  return fail_with(runtime_info());
}

#else

namespace {

class OrtTensorSession final : public TensorSession {
 public:
  OrtTensorSession(std::shared_ptr<const Ort> ort, Owned<OrtSession> session, std::string name)
      : ort_(std::move(ort)), session_(std::move(session)), name_(std::move(name)) {}

  Status list_tensors();
  [[nodiscard]] const std::vector<TensorInfo>& inputs() const override { return inputs_; }
  [[nodiscard]] const std::vector<TensorInfo>& outputs() const override { return outputs_; }
  [[nodiscard]] Result<std::vector<TensorSpan>> run(std::span<const NamedTensor> inputs,
                                                    std::span<const std::string> outputs) override;

 private:
  struct Given {
    Owned<OrtValue> value;
    std::vector<std::int64_t> shape;
  };
  using CountTensors = OrtStatusPtr (*)(const OrtSession*, std::size_t*);
  using NameTensor = OrtStatusPtr (*)(const OrtSession*, std::size_t, OrtAllocator*, char**);
  using TypeTensor = OrtStatusPtr (*)(const OrtSession*, std::size_t, OrtTypeInfo**);

  Status list(CountTensors count, NameTensor name, TypeTensor type, std::vector<TensorInfo>& out) const;
  [[nodiscard]] Result<TensorInfo> describe(std::size_t index, NameTensor name, TypeTensor type) const;
  [[nodiscard]] Status check_given(std::span<const NamedTensor> inputs) const;
  [[nodiscard]] Result<Owned<OrtValue>> wrap(const NamedTensor& input) const;
  [[nodiscard]] Result<TensorSpan> show(Given& given, const std::string& name) const;
  Status check(OrtStatus* status) const { return ort_->check(status, ErrorKind::internal, name_); }

  std::shared_ptr<const Ort> ort_;
  Owned<OrtSession> session_;
  std::string name_;
  std::vector<TensorInfo> inputs_, outputs_;
  std::vector<Given> given_;  // of the last run
};

Result<TensorInfo> OrtTensorSession::describe(std::size_t index, NameTensor name, TypeTensor type) const {
  TensorInfo out;
  OrtAllocator* allocator = nullptr;
  ALARA_CHECK(check(ort_->api->GetAllocatorWithDefaultOptions(&allocator)));
  char* text = nullptr;
  ALARA_CHECK(check(name(session_.get(), index, allocator, &text)));
  out.name = text;
  ALARA_CHECK(check(ort_->api->AllocatorFree(allocator, text)));

  OrtTypeInfo* info = nullptr;
  ALARA_CHECK(check(type(session_.get(), index, &info)));
  const auto owned = ort_->own(info, ort_->api->ReleaseTypeInfo);
  const OrtTensorTypeAndShapeInfo* tensor = nullptr;
  ALARA_CHECK(check(ort_->api->CastTypeInfoToTensorInfo(info, &tensor)));
  if (tensor == nullptr) return out;  // a sequence or a map
  ALARA_TRY(const OrtShape shape, shape_of(*ort_, tensor));
  out.type = shape.type;
  for (const std::int64_t size : shape.sizes) out.shape.push_back({size, {}});
  return out;
}

Status OrtTensorSession::list(CountTensors count, NameTensor name, TypeTensor type,
                              std::vector<TensorInfo>& out) const {
  std::size_t tensors = 0;
  ALARA_CHECK(check(count(session_.get(), &tensors)));
  for (std::size_t i = 0; i < tensors; ++i) {
    ALARA_TRY(TensorInfo info, describe(i, name, type));
    out.push_back(std::move(info));
  }
  return {};
}

Status OrtTensorSession::list_tensors() {
  const OrtApi& api = *ort_->api;
  ALARA_CHECK(list(api.SessionGetInputCount, api.SessionGetInputName, api.SessionGetInputTypeInfo, inputs_));
  return list(api.SessionGetOutputCount, api.SessionGetOutputName, api.SessionGetOutputTypeInfo, outputs_);
}

Status OrtTensorSession::check_given(std::span<const NamedTensor> inputs) const {
  for (const TensorInfo& wanted : inputs_) {
    const bool given =
        std::any_of(inputs.begin(), inputs.end(), [&](const NamedTensor& input) { return input.name == wanted.name; });
    if (!given) return fail(ErrorKind::bad_input, "{}: input '{}' is missing", name_, wanted.name);
  }
  return {};
}

Result<Owned<OrtValue>> OrtTensorSession::wrap(const NamedTensor& input) const {
  const TensorSpan& tensor = input.tensor;
  if (element_bytes(tensor.type) == 0)
    return fail(ErrorKind::bad_input, "{}: input '{}' is of type {}, which can not be given", name_, input.name,
                name_of(tensor.type));
  OrtValue* value = nullptr;
  // The library does not write to inputs.
  ALARA_CHECK(ort_->check(ort_->api->CreateTensorWithDataAsOrtValue(
                              ort_->memory, const_cast<std::byte*>(tensor.bytes.data()), tensor.bytes.size(),
                              tensor.shape.data(), tensor.shape.size(), ort_type(tensor.type), &value),
                          ErrorKind::bad_input, fmt::format("{}: input '{}'", name_, input.name)));
  return ort_->own(value, ort_->api->ReleaseValue);
}

Result<TensorSpan> OrtTensorSession::show(Given& given, const std::string& name) const {
  int is_tensor = 0;
  ALARA_CHECK(check(ort_->api->IsTensor(given.value.get(), &is_tensor)));
  if (is_tensor == 0) return fail(ErrorKind::bad_input, "{}: output '{}' is no tensor", name_, name);
  ALARA_TRY(OrtShape shape, shape_of(*ort_, given.value.get()));
  std::size_t bytes = element_bytes(shape.type);
  if (bytes == 0)
    return fail(ErrorKind::bad_input, "{}: output '{}' is of type {}, which can not be given on", name_, name,
                name_of(shape.type));
  for (const std::int64_t size : shape.sizes) bytes *= static_cast<std::size_t>(size);
  void* data = nullptr;
  ALARA_CHECK(check(ort_->api->GetTensorMutableData(given.value.get(), &data)));
  given.shape = std::move(shape.sizes);
  return TensorSpan{shape.type, given.shape, {static_cast<const std::byte*>(data), bytes}};
}

Result<std::vector<TensorSpan>> OrtTensorSession::run(std::span<const NamedTensor> inputs,
                                                      std::span<const std::string> outputs) {
  given_.clear();
  ALARA_CHECK(check_given(inputs));
  std::vector<Owned<OrtValue>> owned;
  std::vector<const OrtValue*> values;
  std::vector<const char*> input_names, output_names;
  for (const NamedTensor& input : inputs) {
    ALARA_TRY(Owned<OrtValue> value, wrap(input));
    values.push_back(value.get());
    owned.push_back(std::move(value));
    input_names.push_back(input.name.c_str());
  }
  for (const std::string& output : outputs) output_names.push_back(output.c_str());

  std::vector<OrtValue*> made(outputs.size(), nullptr);
  OrtStatus* status = ort_->api->Run(session_.get(), nullptr, input_names.data(), values.data(), values.size(),
                                     output_names.data(), output_names.size(), made.data());
  for (OrtValue* value : made) given_.push_back({ort_->own(value, ort_->api->ReleaseValue), {}});
  const bool misused = status != nullptr && ort_->api->GetErrorCode(status) == ORT_INVALID_ARGUMENT;
  ALARA_CHECK(
      ort_->check(status, misused ? ErrorKind::bad_input : ErrorKind::internal, fmt::format("{} failed", name_)));
  std::vector<TensorSpan> out;
  for (std::size_t i = 0; i < given_.size(); ++i) {
    ALARA_TRY(out.emplace_back(), show(given_[i], outputs[i]));
  }
  return out;
}

GraphOptimizationLevel level_of(GraphOptimisation optimisation) {
  switch (optimisation) {
    case GraphOptimisation::none:
      return ORT_DISABLE_ALL;
    case GraphOptimisation::basic:
      return ORT_ENABLE_BASIC;
    case GraphOptimisation::extended:
      return ORT_ENABLE_EXTENDED;
    case GraphOptimisation::all:
      break;
  }
  return ORT_ENABLE_ALL;
}

}  // namespace

Result<std::unique_ptr<TensorSession>> open_tensor_session(std::span<const std::byte> model,
                                                           const TensorSessionOptions& options) {
  ALARA_TRY(std::shared_ptr<const Ort> ort, Ort::load());
  OrtOpening opening{options.name, options.folder};
  opening.threads = options.threads;
  opening.level = level_of(options.optimisation);
  ALARA_TRY(Owned<OrtSession> session, open_ort_session(*ort, model, opening));
  auto out = std::make_unique<OrtTensorSession>(std::move(ort), std::move(session), options.name);
  ALARA_CHECK(out->list_tensors());
  return out;
}

#endif

}  // namespace alara::infer
