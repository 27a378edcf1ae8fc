// SPDX-License-Identifier: Apache-2.0
#include "infer/inspect.hpp"

#include <algorithm>

#include "base/quantity.hpp"

namespace alara::infer {
namespace {

std::string operators_text(const ModelInfo& info) {
  std::vector<std::pair<std::string, std::size_t>> sorted(info.operators.begin(), info.operators.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string out;
  for (const auto& [kind, count] : sorted) out += fmt::format("{}{} x{}", out.empty() ? "" : ", ", kind, count);
  return out.empty() ? "none" : out;
}

}  // namespace

std::string Inspection::text() const {
  std::string out = fmt::format("model      {}\n", path);
  out += fmt::format("size       {}, {} parameters{}\n", format_size(info.bytes), info.parameters,
                     info.external_data ? ", weights in other files" : "");
  out += fmt::format("digest     {}\n", info.digest);
  for (const TensorInfo& input : info.inputs) out += fmt::format("input      {}\n", input.text());
  for (const TensorInfo& output : info.outputs) out += fmt::format("output     {}\n", output.text());
  std::string opsets;
  for (const auto& [domain, version] : info.opsets)
    opsets += fmt::format("{}{} {}", opsets.empty() ? "" : ", ", domain.empty() ? "ai.onnx" : domain, version);
  out += fmt::format("opset      {} (IR version {}{}{})\n", opsets, info.ir_version,
                     info.producer.empty() ? "" : ", made by ", info.producer);
  out += fmt::format("operators  {}\n", operators_text(info));
  if (!runtime) return out + fmt::format("runs here  no: {}\n", runtime.error().text());
  out += fmt::format("runtime    ONNX Runtime {} with {}\n", runtime->version, fmt::join(runtime->providers, ", "));
  if (!loads) return out + fmt::format("runs here  no: {}\n", loads.error().text());
  return out + fmt::format("runs here  yes, loads in {}\n", format_duration(load_time));
}

Result<Inspection> inspect(const std::string& path, const Clock& clock) {
  ALARA_TRY(ModelFile file, read_model_file(path));
  Inspection out{path, file.info, runtime_info(), {}, 0};
  const Nanos start = clock.monotonic();
  if (const auto session = load_session(std::move(file), {}); !session)
    out.loads = tl::unexpected<Error>(session.error());
  out.load_time = clock.monotonic() - start;
  return out;
}

}  // namespace alara::infer
