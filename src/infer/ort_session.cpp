// SPDX-License-Identifier: Apache-2.0
// Sessions over ONNX Runtime; and, in a build without its headers, the sentence that says so.
#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "infer/ort.hpp"
#include "infer/ort_runner.hpp"
#include "infer/session.hpp"

namespace alara::infer {

Result<std::shared_ptr<const Session>> load_session(const std::string& path, const SessionOptions& options) {
  ALARA_TRY(ModelFile file, read_model_file(path));
  return load_session(std::move(file), options);
}

#ifndef ALARA_ONNXRUNTIME

Result<std::shared_ptr<const Session>> load_session(ModelFile, const SessionOptions&) {
  return fail_with(runtime_info());
}

Result<RuntimeInfo> runtime_info() {
  return tl::unexpected<Error>(Error{ErrorKind::unavailable,
                                     "this alara was built without ONNX Runtime's headers",
                                     {},
                                     "run tools/setup and build again"});
}

#else

namespace {

class OrtBackedSession final : public Session {
 public:
  explicit OrtBackedSession(std::shared_ptr<const OrtModel> model) : model_(std::move(model)) {}
  [[nodiscard]] const std::string& path() const override { return model_->path; }
  [[nodiscard]] const ModelInfo& info() const override { return model_->info; }
  [[nodiscard]] Result<std::unique_ptr<Runner>> make_runner(const RunPlan& plan) const override {
    return make_ort_runner(model_, plan);
  }

 private:
  std::shared_ptr<const OrtModel> model_;
};

Status add_cuda(const Ort& ort, OrtSessionOptions* options) {
  OrtCUDAProviderOptionsV2* cuda = nullptr;
  ALARA_CHECK(ort.check(ort.api->CreateCUDAProviderOptions(&cuda), ErrorKind::unavailable, "provider cuda"));
  const auto owned = ort.own(cuda, ort.api->ReleaseCUDAProviderOptions);
  return ort.check(ort.api->SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda), ErrorKind::unavailable,
                   "provider cuda can not be used here");
}

Status add_tensorrt(const Ort& ort, OrtSessionOptions* options) {
  OrtTensorRTProviderOptionsV2* tensorrt = nullptr;
  ALARA_CHECK(
      ort.check(ort.api->CreateTensorRTProviderOptions(&tensorrt), ErrorKind::unavailable, "provider tensorrt"));
  const auto owned = ort.own(tensorrt, ort.api->ReleaseTensorRTProviderOptions);
  return ort.check(ort.api->SessionOptionsAppendExecutionProvider_TensorRT_V2(options, tensorrt),
                   ErrorKind::unavailable, "provider tensorrt can not be used here");
}

Status add_provider(const Ort& ort, OrtSessionOptions* options, const std::string& wanted) {
  const std::string name = Ort::short_name(wanted);
  const std::vector<std::string> built_in = ort.providers();
  std::vector<std::string> known;
  std::string full;
  for (const std::string& provider : built_in) {
    known.push_back(Ort::short_name(provider));
    if (known.back() == name) full = provider;
  }
  if (full.empty())
    return fail(ErrorKind::bad_input, "this ONNX Runtime has no provider '{}'; it has {}", wanted,
                enumerate(std::vector<std::string_view>(known.begin(), known.end())));
  if (name == "cpu") return {};
  if (name == "cuda") return add_cuda(ort, options);
  if (name == "tensorrt") return add_tensorrt(ort, options);
  full.resize(full.size() - std::string_view("ExecutionProvider").size());
  return ort.check(ort.api->SessionOptionsAppendExecutionProvider(options, full.c_str(), nullptr, nullptr, 0),
                   ErrorKind::unavailable, fmt::format("provider {} can not be used here", name));
}

Status set_options(const Ort& ort, OrtSessionOptions* out, const ModelFile& file, const SessionOptions& options) {
  const OrtApi& api = *ort.api;
  const auto check = [&](OrtStatus* status) { return ort.check(status, ErrorKind::internal, "ONNX Runtime options"); };
  ALARA_CHECK(check(api.SetIntraOpNumThreads(out, options.threads)));
  ALARA_CHECK(check(api.SetInterOpNumThreads(out, 1)));
  ALARA_CHECK(check(api.SetSessionExecutionMode(out, ORT_SEQUENTIAL)));
  ALARA_CHECK(check(api.SetSessionGraphOptimizationLevel(out, ORT_ENABLE_ALL)));
  // Idle worker threads must sleep: other shards and connectors need the cores.
  ALARA_CHECK(check(api.AddSessionConfigEntry(out, "session.intra_op.allow_spinning", "0")));
  const std::string folder = std::filesystem::absolute(file.path).parent_path().string();
  ALARA_CHECK(
      check(api.AddSessionConfigEntry(out, "session.model_external_initializers_file_folder_path", folder.c_str())));
  return add_provider(ort, out, options.provider);
}

}  // namespace

Result<std::shared_ptr<const Session>> load_session(ModelFile file, const SessionOptions& options) {
  ALARA_TRY(const std::shared_ptr<const Ort> ort, Ort::load());
  OrtSessionOptions* raw_options = nullptr;
  ALARA_CHECK(ort->check(ort->api->CreateSessionOptions(&raw_options), ErrorKind::internal, "ONNX Runtime options"));
  const auto session_options = ort->own(raw_options, ort->api->ReleaseSessionOptions);
  ALARA_CHECK(set_options(*ort, raw_options, file, options));

  OrtSession* session = nullptr;
  OrtStatus* status =
      ort->api->CreateSessionFromArray(ort->env, file.bytes.data(), file.bytes.size(), raw_options, &session);
  const bool garbled = status != nullptr && ort->api->GetErrorCode(status) == ORT_INVALID_PROTOBUF;
  ALARA_CHECK(ort->check(status, garbled ? ErrorKind::corrupt : ErrorKind::bad_input,
                         fmt::format("model '{}' can not be loaded", file.path)));
  auto model =
      std::make_shared<OrtModel>(OrtModel{ort, ort->own(session, ort->api->ReleaseSession), file.path, file.info});
  return std::make_shared<const OrtBackedSession>(std::move(model));
}

Result<RuntimeInfo> runtime_info() {
  ALARA_TRY(const std::shared_ptr<const Ort> ort, Ort::load());
  RuntimeInfo out{ort->version, ort->library, {}};
  for (const std::string& provider : ort->providers()) out.providers.push_back(Ort::short_name(provider));
  return out;
}

#endif

}  // namespace alara::infer
