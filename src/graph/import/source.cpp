// SPDX-License-Identifier: Apache-2.0
#include "graph/import/source.hpp"

#include <algorithm>
#include <array>
#include <fstream>

#include "base/text.hpp"
#include "graph/onnx_file.hpp"
#include "graph/tfjs/tfjs_model.hpp"
#include "graph/tflite/tflite_file.hpp"
#include "graph/upgrade.hpp"

namespace alara::graph {
namespace {

Result<std::string> first_bytes(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return fail(ErrorKind::not_found, "{} is no file", path.string());
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::unavailable, "can not read {}", path.string());
  std::array<char, 16> bytes{};
  file.read(bytes.data(), bytes.size());
  return std::string(bytes.data(), static_cast<std::size_t>(file.gcount()));
}

Result<Model> read_as(SourceFormat format, const std::filesystem::path& path) {
  switch (format) {
    case SourceFormat::tflite:
      return read_tflite(path);
    case SourceFormat::tfjs:
      return read_tfjs(path);
    case SourceFormat::onnx:
      break;
  }
  return read_onnx(path);
}

}  // namespace

std::string_view name_of(SourceFormat format) {
  switch (format) {
    case SourceFormat::tflite:
      return "TensorFlow Lite";
    case SourceFormat::tfjs:
      return "TensorFlow.js";
    case SourceFormat::onnx:
      break;
  }
  return "ONNX";
}

Result<SourceFormat> format_of(const std::filesystem::path& path, std::string_view first_bytes) {
  if (first_bytes.size() >= 8 && first_bytes.substr(4, 4) == "TFL3") return SourceFormat::tflite;
  if (trim(first_bytes).starts_with('{')) return SourceFormat::tfjs;
  const std::string ending = path.extension().string();
  if (ending == ".onnx") return SourceFormat::onnx;
  if (ending == ".tflite") return SourceFormat::tflite;
  if (ending == ".json") return SourceFormat::tfjs;
  return tl::unexpected(Error{ErrorKind::bad_input,
                              fmt::format("what kind of model {} is can not be told", path.string()),
                              {},
                              "name it .onnx, .tflite or (TensorFlow.js) .json"});
}

Result<Model> read_model(const std::filesystem::path& path) {
  ALARA_TRY(const std::string bytes, first_bytes(path));
  ALARA_TRY(const SourceFormat format, format_of(path, bytes));
  auto model = read_as(format, path);
  Status status;
  if (model) status = upgrade(*model);
  if (model && status) status = check(*model);
  if (model && status) return model;
  Error error = model ? std::move(status).error() : std::move(model).error();
  if (!error.where.known() && error.message.find(path.string()) == std::string::npos) error.where.file = path.string();
  return tl::unexpected(std::move(error));
}

Status keep_outputs(Model& model, const std::vector<std::string>& names) {
  std::vector<ValueInfo> kept;
  std::vector<ValueInfo>& outputs = model.graph.outputs;
  for (const std::string& name : names) {
    const auto found =
        std::find_if(outputs.begin(), outputs.end(), [&](const ValueInfo& output) { return output.name == name; });
    if (found != outputs.end()) {
      kept.push_back(*found);
      continue;
    }
    std::vector<std::string_view> known;
    for (const ValueInfo& output : outputs) known.push_back(output.name);
    return fail(ErrorKind::bad_input, "'{}' is no output of the model; it has {}", name, enumerate(known));
  }
  outputs = std::move(kept);
  remove_unused(model.graph);
  return {};
}

}  // namespace alara::graph
