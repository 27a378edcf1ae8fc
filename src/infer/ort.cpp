// SPDX-License-Identifier: Apache-2.0
#include "infer/ort.hpp"

#ifdef ALARA_ONNXRUNTIME

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace alara::infer {
namespace {

// Where the library may lie, in the order in which it is looked for.
std::vector<std::string> candidates() {
  std::vector<std::string> out;
  if (const char* chosen = std::getenv("ALARA_ONNXRUNTIME"); chosen != nullptr && *chosen != '\0') return {chosen};
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  if (!error) {
    for (const char* folder : {".", "../lib/alara", "../lib"}) {
      const auto path = program / folder / "libonnxruntime.so.1";
      if (std::filesystem::exists(path, error)) out.push_back(path.lexically_normal().string());
    }
  }
#ifdef ALARA_ONNXRUNTIME_LIBRARY
  out.emplace_back(ALARA_ONNXRUNTIME_LIBRARY);
#endif
  for (const char* name : {"libonnxruntime.so.1", "libonnxruntime.so", "libonnxruntime.so.1.21"})
    out.emplace_back(name);
  return out;
}

// The library keeps some bytes of its own start-up for ever; LeakSanitizer need not tell us.
class StartUp {
 public:
#if defined(__SANITIZE_ADDRESS__)
  StartUp() { __lsan_disable(); }
  ~StartUp() { __lsan_enable(); }
#else
  StartUp() {}
#endif
  StartUp(const StartUp&) = delete;
  StartUp& operator=(const StartUp&) = delete;
};

struct Library {
  const OrtApi* api = nullptr;
  std::string path;
  std::string version;
};

Result<Library> open_library() {
  std::string tried;
  for (const std::string& path : candidates()) {
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      tried += fmt::format("{}{}", tried.empty() ? "" : "; ", dlerror());
      continue;
    }
    using GetBase = const OrtApiBase* (*)();
    const auto get_base = reinterpret_cast<GetBase>(dlsym(handle, "OrtGetApiBase"));
    const OrtApiBase* base = get_base == nullptr ? nullptr : get_base();
    const OrtApi* api = base == nullptr ? nullptr : base->GetApi(ORT_API_VERSION);
    if (api != nullptr) return Library{api, path, base->GetVersionString()};
    tried += fmt::format("{}'{}' is no ONNX Runtime 1.{} or newer", tried.empty() ? "" : "; ", path, ORT_API_VERSION);
    dlclose(handle);
  }
  return tl::unexpected<Error>(
      Error{ErrorKind::unavailable,
            fmt::format("ONNX Runtime can not be loaded: {}", tried),
            {},
            "run tools/setup, put libonnxruntime.so.1 beside alara, or set ALARA_ONNXRUNTIME to its path"});
}

}  // namespace

Result<std::shared_ptr<const Ort>> Ort::load() {
  static std::mutex mutex;
  static std::weak_ptr<const Ort> loaded;
  const std::lock_guard lock(mutex);
  if (auto ort = loaded.lock()) return ort;

  const StartUp quiet;
  ALARA_TRY(const Library library, open_library());
  std::shared_ptr<Ort> ort(new Ort);
  ort->api = library.api;
  ort->library = library.path;
  ort->version = library.version;
  ALARA_CHECK(ort->check(library.api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "alara", &ort->env), ErrorKind::internal,
                         "ONNX Runtime does not start"));
  ALARA_CHECK(ort->check(library.api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &ort->memory),
                         ErrorKind::internal, "ONNX Runtime does not start"));
  loaded = ort;
  return ort;
}

Ort::~Ort() {
  if (memory != nullptr) api->ReleaseMemoryInfo(memory);
  if (env != nullptr) api->ReleaseEnv(env);
}

std::vector<std::string> Ort::providers() const {
  char** names = nullptr;
  int count = 0;
  std::vector<std::string> out;
  if (!check(api->GetAvailableProviders(&names, &count), ErrorKind::internal, "")) return out;
  for (int i = 0; i < count; ++i) out.emplace_back(names[i]);
  if (OrtStatus* status = api->ReleaseAvailableProviders(names, count)) api->ReleaseStatus(status);
  return out;
}

std::string Ort::short_name(std::string_view provider) {
  constexpr std::string_view kSuffix = "ExecutionProvider";
  if (provider.ends_with(kSuffix)) provider.remove_suffix(kSuffix.size());
  std::string out(provider);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return out;
}

Status Ort::check(OrtStatus* status, ErrorKind kind, std::string_view what) const {
  if (status == nullptr) return {};
  const Owned<OrtStatus> owned = own(status, api->ReleaseStatus);
  return fail(kind, "{}: {}", what, api->GetErrorMessage(status));
}

}  // namespace alara::infer

#endif
