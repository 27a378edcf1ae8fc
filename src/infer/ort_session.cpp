// SPDX-License-Identifier: Apache-2.0
// Sessions over ONNX Runtime; and, in a build without its headers, the sentence that says so.
#include <filesystem>

#include "infer/ort_open.hpp"
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

}  // namespace

Result<std::shared_ptr<const Session>> load_session(ModelFile file, const SessionOptions& options) {
  ALARA_TRY(const std::shared_ptr<const Ort> ort, Ort::load());
  const std::string folder = std::filesystem::absolute(file.path).parent_path().string();
  ALARA_TRY(Owned<OrtSession> session,
            open_ort_session(*ort, file.bytes, {file.path, folder, options.provider, options.threads}));
  auto model = std::make_shared<OrtModel>(OrtModel{ort, std::move(session), file.path, file.info});
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
