// SPDX-License-Identifier: Apache-2.0
#include "infer/ort_open.hpp"

#ifdef ALARA_ONNXRUNTIME

#include "base/text.hpp"

namespace alara::infer {
namespace {

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

Status set_options(const Ort& ort, OrtSessionOptions* out, const OrtOpening& opening) {
  const OrtApi& api = *ort.api;
  const auto check = [&](OrtStatus* status) { return ort.check(status, ErrorKind::internal, "ONNX Runtime options"); };
  ALARA_CHECK(check(api.SetIntraOpNumThreads(out, opening.threads)));
  ALARA_CHECK(check(api.SetInterOpNumThreads(out, 1)));
  ALARA_CHECK(check(api.SetSessionExecutionMode(out, ORT_SEQUENTIAL)));
  ALARA_CHECK(check(api.SetSessionGraphOptimizationLevel(out, opening.level)));
  // Idle worker threads must sleep: other shards and connectors need the cores.
  ALARA_CHECK(check(api.AddSessionConfigEntry(out, "session.intra_op.allow_spinning", "0")));
  if (!opening.folder.empty())
    ALARA_CHECK(check(api.AddSessionConfigEntry(out, "session.model_external_initializers_file_folder_path",
                                                opening.folder.c_str())));
  return add_provider(ort, out, opening.provider);
}

}  // namespace

Result<Owned<OrtSession>> open_ort_session(const Ort& ort, std::span<const std::byte> bytes,
                                           const OrtOpening& opening) {
  OrtSessionOptions* options = nullptr;
  ALARA_CHECK(ort.check(ort.api->CreateSessionOptions(&options), ErrorKind::internal, "ONNX Runtime options"));
  const auto owned = ort.own(options, ort.api->ReleaseSessionOptions);
  ALARA_CHECK(set_options(ort, options, opening));

  OrtSession* session = nullptr;
  OrtStatus* status = ort.api->CreateSessionFromArray(ort.env, bytes.data(), bytes.size(), options, &session);
  const bool garbled = status != nullptr && ort.api->GetErrorCode(status) == ORT_INVALID_PROTOBUF;
  ALARA_CHECK(ort.check(status, garbled ? ErrorKind::corrupt : ErrorKind::bad_input,
                        fmt::format("model '{}' can not be loaded", opening.name)));
  return ort.own(session, ort.api->ReleaseSession);
}

}  // namespace alara::infer

#endif
