// SPDX-License-Identifier: Apache-2.0
// Private to infer: ONNX Runtime's C API, loaded with dlopen on first use. Included only by ort*.cpp.
#pragma once

#ifdef ALARA_ONNXRUNTIME

#define ORT_API_MANUAL_INIT
#include <onnxruntime_c_api.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "infer/model_info.hpp"

namespace alara::infer {

template <typename T>
struct Release {
  void (*release)(T*) = nullptr;
  void operator()(T* object) const { release(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, Release<T>>;

// The loaded library with its environment (logging, allocators). The library itself stays loaded until the process
// ends.
class Ort {
 public:
  // One for the process, made when first asked for and kept while anybody holds it: dlopen and OrtEnv are
  // process-wide in themselves. Thread-safe.
  [[nodiscard]] static Result<std::shared_ptr<const Ort>> load();
  ~Ort();
  Ort(const Ort&) = delete;
  Ort& operator=(const Ort&) = delete;

  const OrtApi* api = nullptr;
  OrtEnv* env = nullptr;
  OrtMemoryInfo* memory = nullptr;  // where our tensors lie: plain CPU memory
  std::string library;
  std::string version;

  [[nodiscard]] std::vector<std::string> providers() const;
  // "cuda" for "CUDAExecutionProvider".
  [[nodiscard]] static std::string short_name(std::string_view provider);
  // Takes `status`; OK becomes success, all else an error of the given kind.
  [[nodiscard]] Status check(OrtStatus* status, ErrorKind kind, std::string_view what) const;

  template <typename T>
  [[nodiscard]] Owned<T> own(T* object, void (*release)(T*)) const {
    return Owned<T>(object, Release<T>{release});
  }

 private:
  Ort() = default;
};

// What a run needs of a session; the runner keeps it alive.
struct OrtModel {
  std::shared_ptr<const Ort> ort;
  Owned<OrtSession> session;
  std::string path;
  ModelInfo info;
};

}  // namespace alara::infer

#endif
