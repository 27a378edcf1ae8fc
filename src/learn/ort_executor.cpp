// SPDX-License-Identifier: Apache-2.0
#include "learn/ort_executor.hpp"

#include <algorithm>
#include <array>

#include "graph/onnx_file.hpp"
#include "infer/tensor_session.hpp"

namespace alara::learn {
namespace {

using graph::DataType;
using infer::ElementType;

constexpr std::array<std::pair<DataType, ElementType>, 12> kTypes{{
    {DataType::float32, ElementType::float32},
    {DataType::float64, ElementType::float64},
    {DataType::float16, ElementType::float16},
    {DataType::int8, ElementType::int8},
    {DataType::uint8, ElementType::uint8},
    {DataType::int16, ElementType::int16},
    {DataType::uint16, ElementType::uint16},
    {DataType::int32, ElementType::int32},
    {DataType::uint32, ElementType::uint32},
    {DataType::int64, ElementType::int64},
    {DataType::uint64, ElementType::uint64},
    {DataType::boolean, ElementType::boolean},
}};

ElementType element_type(DataType type) {
  for (const auto& [ours, theirs] : kTypes)
    if (ours == type) return theirs;
  return ElementType::other;
}

DataType data_type(ElementType type) {
  for (const auto& [ours, theirs] : kTypes)
    if (theirs == type) return ours;
  return DataType::undefined;
}

class OrtExecutor final : public graph::Executor {
 public:
  OrtExecutor(std::unique_ptr<infer::TensorSession> session, std::vector<std::string> wanted,
              const std::vector<graph::ValueInfo>& inputs)
      : session_(std::move(session)), wanted_(std::move(wanted)) {
    for (const graph::ValueInfo& input : inputs) inputs_.push_back({input.name, {}});
  }

  Result<std::vector<graph::TensorView>> run(std::span<const graph::TensorView> inputs) override {
    if (inputs.size() != inputs_.size())
      return fail(ErrorKind::bad_input, "the model has {} inputs, a sample has {} tensors", inputs_.size(),
                  inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i)
      inputs_[i].tensor = {element_type(inputs[i].type), inputs[i].shape, inputs[i].bytes};
    ALARA_TRY(const auto made, session_->run(inputs_, wanted_));
    std::vector<graph::TensorView> out;
    for (const infer::TensorSpan& tensor : made) out.push_back({data_type(tensor.type), tensor.shape, tensor.bytes});
    return out;
  }

 private:
  std::unique_ptr<infer::TensorSession> session_;
  std::vector<std::string> wanted_;
  std::vector<infer::NamedTensor> inputs_;
};

// The model with exactly the wanted values as outputs.
Result<graph::Model> with_outputs(graph::Model model, std::span<const std::string> wanted) {
  const graph::Wiring wiring(model.graph);
  std::vector<graph::ValueInfo> outputs;
  for (const std::string& name : wanted) {
    const bool input = std::any_of(model.graph.inputs.begin(), model.graph.inputs.end(),
                                   [&](const graph::ValueInfo& value) { return value.name == name; });
    if (!input && !wiring.producer(name) && model.graph.constant(name) == nullptr)
      return fail(ErrorKind::bad_input, "the graph has no value '{}'", name);
    const auto same = [&](const graph::ValueInfo& value) { return value.name == name; };
    if (std::any_of(outputs.begin(), outputs.end(), same)) continue;
    const auto known = std::find_if(model.graph.outputs.begin(), model.graph.outputs.end(), same);
    // Without a type the library infers it.
    outputs.push_back(known != model.graph.outputs.end() ? *known
                                                         : graph::ValueInfo{name, DataType::undefined, std::nullopt});
  }
  model.graph.outputs = std::move(outputs);
  graph::remove_unused(model.graph);
  return model;
}

Result<std::unique_ptr<graph::Executor>> load(const graph::Model& model, std::span<const std::string> wanted,
                                              const graph::ExecutorOptions& options) {
  std::vector<std::string> names(wanted.begin(), wanted.end());
  if (names.empty())
    for (const graph::ValueInfo& output : model.graph.outputs) names.push_back(output.name);
  ALARA_TRY(const graph::Model run, with_outputs(model, names));
  ALARA_TRY(const std::string bytes, graph::to_onnx(run));
  infer::TensorSessionOptions session_options;
  session_options.name = model.graph.name.empty() ? "model" : model.graph.name;
  session_options.threads = options.threads;
  session_options.optimisation = options.optimise ? infer::GraphOptimisation::all : infer::GraphOptimisation::none;
  ALARA_TRY(auto session, infer::open_tensor_session(std::as_bytes(std::span(bytes)), session_options));
  return std::make_unique<OrtExecutor>(std::move(session), std::move(names), model.graph.inputs);
}

}  // namespace

graph::ExecutorFactory make_ort_executor() { return load; }

}  // namespace alara::learn
