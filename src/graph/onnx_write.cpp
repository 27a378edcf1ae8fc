// SPDX-License-Identifier: Apache-2.0
#include <onnx/onnx_pb.h>

#include "base/file.hpp"
#include "graph/onnx_file.hpp"

namespace alara::graph {
namespace {

void put(onnx::TensorProto& out, const std::string& name, const Tensor& tensor) {
  if (!name.empty()) out.set_name(name);
  out.set_data_type(static_cast<int>(tensor.type));
  for (const std::int64_t size : tensor.shape) out.add_dims(size);
  if (tensor.type == DataType::text) {
    for (const std::string& text : tensor.strings) out.add_string_data(text);
  } else {
    out.set_raw_data(tensor.bytes.data(), tensor.bytes.size());
  }
}

void put(onnx::ValueInfoProto& out, const ValueInfo& value) {
  out.set_name(value.name);
  if (value.type == DataType::undefined) return;
  auto& type = *out.mutable_type()->mutable_tensor_type();
  type.set_elem_type(static_cast<int>(value.type));
  if (!value.dims) return;
  auto& shape = *type.mutable_shape();
  for (const Dim& dim : *value.dims) {
    auto& each = *shape.add_dim();
    if (dim.known())
      each.set_dim_value(dim.size);
    else if (!dim.symbol.empty())
      each.set_dim_param(dim.symbol);
  }
}

void put(onnx::GraphProto& out, const Graph& graph);

// Fills one attribute by what it holds.
struct PutAttribute {
  onnx::AttributeProto& out;

  void operator()(std::int64_t value) const {
    out.set_type(onnx::AttributeProto::INT);
    out.set_i(value);
  }
  void operator()(float value) const {
    out.set_type(onnx::AttributeProto::FLOAT);
    out.set_f(value);
  }
  void operator()(const std::string& value) const {
    out.set_type(onnx::AttributeProto::STRING);
    out.set_s(value);
  }
  void operator()(const Constant& value) const {
    out.set_type(onnx::AttributeProto::TENSOR);
    put(*out.mutable_t(), "", *value);
  }
  void operator()(const std::vector<std::int64_t>& values) const {
    out.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) out.add_ints(value);
  }
  void operator()(const std::vector<float>& values) const {
    out.set_type(onnx::AttributeProto::FLOATS);
    for (const float value : values) out.add_floats(value);
  }
  void operator()(const std::vector<std::string>& values) const {
    out.set_type(onnx::AttributeProto::STRINGS);
    for (const std::string& value : values) out.add_strings(value);
  }
  void operator()(const std::shared_ptr<const Graph>& value) const {
    out.set_type(onnx::AttributeProto::GRAPH);
    put(*out.mutable_g(), *value);
  }
};

void put(onnx::NodeProto& out, const Node& node) {
  out.set_op_type(node.op);
  if (!node.domain.empty()) out.set_domain(node.domain);
  if (!node.name.empty()) out.set_name(node.name);
  for (const std::string& input : node.inputs) out.add_input(input);
  for (const std::string& output : node.outputs) out.add_output(output);
  for (const auto& [name, value] : node.attributes) {
    auto& attribute = *out.add_attribute();
    attribute.set_name(name);
    std::visit(PutAttribute{attribute}, value);
  }
}

void put(onnx::GraphProto& out, const Graph& graph) {
  out.set_name(graph.name.empty() ? "graph" : graph.name);
  for (const auto& [name, constant] : graph.constants) put(*out.add_initializer(), name, *constant);
  for (const ValueInfo& input : graph.inputs) put(*out.add_input(), input);
  for (const ValueInfo& output : graph.outputs) put(*out.add_output(), output);
  for (const auto& [name, value] : graph.values) put(*out.add_value_info(), value);
  for (const Node& node : graph.nodes) put(*out.add_node(), node);
}

}  // namespace

Result<std::string> to_onnx(const Model& model) {
  onnx::ModelProto proto;
  proto.set_ir_version(model.ir_version);
  for (const auto& [domain, version] : model.opsets) {
    auto& opset = *proto.add_opset_import();
    opset.set_domain(domain);
    opset.set_version(version);
  }
  if (!model.producer.empty()) proto.set_producer_name(model.producer);
  for (const auto& [key, value] : model.metadata) {
    auto& entry = *proto.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  put(*proto.mutable_graph(), model.graph);
  if (proto.ByteSizeLong() > kMaxModelBytes)
    return fail(ErrorKind::exhausted, "the model needs {} bytes; an ONNX file can have {}", proto.ByteSizeLong(),
                kMaxModelBytes);
  std::string bytes;
  if (!proto.SerializeToString(&bytes)) return fail(ErrorKind::internal, "the model can not be written as ONNX");
  return bytes;
}

Status write_onnx(const Model& model, const std::filesystem::path& path) {
  ALARA_TRY(const std::string bytes, to_onnx(model));
  return replace_file(path, bytes);
}

}  // namespace alara::graph
