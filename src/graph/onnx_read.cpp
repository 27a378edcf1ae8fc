// SPDX-License-Identifier: Apache-2.0
#include <onnx/onnx_pb.h>

#include <charconv>
#include <fstream>
#include <tuple>

#include "graph/onnx_file.hpp"

namespace alara::graph {
namespace {

constexpr std::uint64_t kMaxExternalBytes = std::uint64_t{1} << 34;  // of all external tensors of one model

// Where external data lies, and how much of it was taken. Constants on one region of a file are one constant, and all
// together take no more bytes than the files that they name have: a small model can not ask for a file many times.
class ExternalData {
 public:
  explicit ExternalData(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // The constant of that type and shape (which `like` has, without bytes) that `proto` says lies in another file.
  Result<Constant> read(const onnx::TensorProto& proto, const std::string& called, Tensor like);

 private:
  using Region = std::tuple<std::string, std::uint64_t, std::uint64_t, DataType, Shape>;  // path, offset, length

  Result<std::uint64_t> size_of(const std::string& path, const std::string& called);
  Status take(std::uint64_t length);

  std::filesystem::path folder_;
  std::map<std::string, std::uint64_t> sizes_;  // of the files named so far
  std::map<Region, Constant> regions_;
  std::uint64_t allowed_ = 0;
  std::uint64_t taken_ = 0;
};

// One read of a file.
class Reader {
 public:
  explicit Reader(std::filesystem::path folder) : external_(std::move(folder)) {}

  Result<Model> model(const onnx::ModelProto& proto);

 private:
  Result<Graph> graph(const onnx::GraphProto& proto, int depth);
  Result<Node> node(const onnx::NodeProto& proto, int depth);
  Result<Attribute> attribute(const onnx::AttributeProto& proto, const std::string& of, int depth);
  Result<Constant> constant(const onnx::TensorProto& proto, const std::string& called);

  ExternalData external_;
  std::size_t nodes_ = 0;
};

Status check_rank(int rank, const std::string& called) {
  if (static_cast<std::size_t>(rank) > kMaxRank)
    return fail(ErrorKind::bad_input, "'{}' has {} dimensions; {} can be read", called, rank, kMaxRank);
  return {};
}

Result<ValueInfo> value_info(const onnx::ValueInfoProto& proto) {
  ValueInfo out{proto.name(), DataType::undefined, std::nullopt};
  if (!proto.type().has_tensor_type()) return out;
  const auto& type = proto.type().tensor_type();
  out.type = type_of(type.elem_type()).value_or(DataType::undefined);
  if (!type.has_shape()) return out;
  ALARA_CHECK(check_rank(type.shape().dim_size(), out.name));
  out.dims.emplace();
  for (const auto& dim : type.shape().dim()) {
    if (dim.dim_param().size() > kMaxSymbolBytes)
      return fail(ErrorKind::bad_input, "a dimension of '{}' has a name of {} bytes; {} can be read", out.name,
                  dim.dim_param().size(), kMaxSymbolBytes);
    const bool known = dim.has_dim_value() && dim.dim_value() >= 0;
    out.dims->push_back({known ? dim.dim_value() : -1, dim.dim_param()});
  }
  return out;
}

// The numbers of a repeated field of wider type (ONNX keeps int8 … float16 in int32_data), narrowed one by one.
template <typename To, typename Field>
void narrow_into(const Field& field, std::vector<std::byte>& out) {
  out.resize(static_cast<std::size_t>(field.size()) * sizeof(To));
  for (int i = 0; i < field.size(); ++i) {
    const To number = static_cast<To>(field.Get(i));
    std::memcpy(out.data() + static_cast<std::size_t>(i) * sizeof(To), &number, sizeof(To));
  }
}

void copy_typed(const onnx::TensorProto& proto, Tensor& out) {
  switch (out.type) {
    case DataType::float32:
    case DataType::complex64:
      return narrow_into<float>(proto.float_data(), out.bytes);
    case DataType::float64:
    case DataType::complex128:
      return narrow_into<double>(proto.double_data(), out.bytes);
    case DataType::int64:
      return narrow_into<std::int64_t>(proto.int64_data(), out.bytes);
    case DataType::uint32:
      return narrow_into<std::uint32_t>(proto.uint64_data(), out.bytes);
    case DataType::uint64:
      return narrow_into<std::uint64_t>(proto.uint64_data(), out.bytes);
    case DataType::int32:
      return narrow_into<std::int32_t>(proto.int32_data(), out.bytes);
    case DataType::int16:
    case DataType::uint16:
    case DataType::float16:
    case DataType::bfloat16:
      return narrow_into<std::uint16_t>(proto.int32_data(), out.bytes);
    default:
      return narrow_into<std::uint8_t>(proto.int32_data(), out.bytes);  // int8, uint8, boolean
  }
}

Result<Constant> Reader::constant(const onnx::TensorProto& proto, const std::string& called) {
  Tensor out;
  const auto type = type_of(proto.data_type());
  if (!type)
    return fail(ErrorKind::bad_input, "constant '{}' has element type {}, which is not supported", called,
                proto.data_type());
  out.type = *type;
  ALARA_CHECK(check_rank(proto.dims_size(), called));
  out.shape.assign(proto.dims().begin(), proto.dims().end());
  const auto elements = elements_of(out.shape);
  if (!elements) return fail(ErrorKind::corrupt, "constant '{}': {}", called, elements.error().message);
  const auto count = static_cast<std::size_t>(*elements);

  if (proto.data_location() == onnx::TensorProto::EXTERNAL) return external_.read(proto, called, std::move(out));
  if (out.type == DataType::text) {
    if (static_cast<std::size_t>(proto.string_data_size()) != count)
      return fail(ErrorKind::corrupt, "constant '{}' is {} but has {} strings", called, out.text(),
                  proto.string_data_size());
    out.strings.assign(proto.string_data().begin(), proto.string_data().end());
  } else if (proto.has_raw_data()) {
    const auto* first = reinterpret_cast<const std::byte*>(proto.raw_data().data());
    out.bytes.assign(first, first + proto.raw_data().size());
  } else {
    copy_typed(proto, out);
  }
  if (out.bytes.size() != count * bytes_of(out.type))
    return fail(ErrorKind::corrupt, "constant '{}' is {} but has {} bytes", called, out.text(), out.bytes.size());
  return share(std::move(out));
}

// The file that external data names, once it is sure to lie below `folder`, links followed.
Result<std::filesystem::path> external_path(const std::filesystem::path& folder, const std::string& location,
                                            const std::string& called) {
  if (folder.empty())
    return fail(ErrorKind::bad_input, "constant '{}' lies in another file ('{}'), which can not be looked for here",
                called, location);
  std::error_code error;
  const auto root = std::filesystem::weakly_canonical(folder, error);
  const auto path = error ? std::filesystem::path{} : std::filesystem::weakly_canonical(root / location, error);
  const auto inside = path.lexically_relative(root);
  if (location.empty() || error || std::filesystem::path(location).is_absolute() || inside.empty() ||
      *inside.begin() == "..")
    return fail(ErrorKind::bad_input,
                "constant '{}' wants its data from '{}', which lies outside of the model's folder", called, location);
  return path;
}

Result<std::uint64_t> number_of(const std::string& text, const std::string& what) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size())
    return fail(ErrorKind::corrupt, "{} '{}' of external data is no number", what, text);
  return out;
}

struct ExternalPlace {
  std::string location;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
};

Result<ExternalPlace> place_of(const onnx::TensorProto& proto) {
  ExternalPlace out;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") out.location = entry.value();
    if (entry.key() == "offset") {
      ALARA_TRY(out.offset, number_of(entry.value(), "offset"));
    }
    if (entry.key() == "length") {
      ALARA_TRY(out.length, number_of(entry.value(), "length"));
    }
  }
  return out;
}

Result<std::uint64_t> ExternalData::size_of(const std::string& path, const std::string& called) {
  if (const auto found = sizes_.find(path); found != sizes_.end()) return found->second;
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error) return fail(ErrorKind::not_found, "the data of constant '{}' is missing: '{}'", called, path);
  sizes_.emplace(path, size);
  allowed_ = std::min(kMaxExternalBytes, allowed_ + std::min(size, kMaxExternalBytes));
  return size;
}

Status ExternalData::take(std::uint64_t length) {
  if (length > allowed_ - taken_)
    return fail(ErrorKind::exhausted, "the model's constants ask for more than the {} bytes of external data there are",
                allowed_);
  taken_ += length;
  return {};
}

Result<Constant> ExternalData::read(const onnx::TensorProto& proto, const std::string& called, Tensor like) {
  ALARA_TRY(const ExternalPlace place, place_of(proto));
  ALARA_TRY(const auto path, external_path(folder_, place.location, called));
  const std::uint64_t length = static_cast<std::uint64_t>(like.elements()) * bytes_of(like.type);
  if (place.length.value_or(length) != length || like.type == DataType::text)
    return fail(ErrorKind::corrupt, "constant '{}' is {} but its external data has {} bytes", called, like.text(),
                place.length.value_or(0));
  ALARA_TRY(const std::uint64_t size, size_of(path.string(), called));
  if (place.offset > size || length > size - place.offset)
    return fail(ErrorKind::corrupt, "'{}' ends before the data of constant '{}' does (byte {} + {})", path.string(),
                called, place.offset, length);
  Constant& region = regions_[{path.string(), place.offset, length, like.type, like.shape}];
  if (region) return region;
  ALARA_CHECK(take(length));
  std::ifstream file(path, std::ios::binary);
  like.bytes.resize(static_cast<std::size_t>(length));
  file.seekg(static_cast<std::streamoff>(place.offset));
  file.read(reinterpret_cast<char*>(like.bytes.data()), static_cast<std::streamsize>(length));
  if (!file) return fail(ErrorKind::unavailable, "'{}' can not be read", path.string());
  region = share(std::move(like));
  return region;
}

using Proto = onnx::AttributeProto;

// Old writers leave the type out; then the field that is there says it.
Proto::AttributeType type_of_attribute(const Proto& proto) {
  if (proto.type() != Proto::UNDEFINED) return proto.type();
  if (proto.has_f()) return Proto::FLOAT;
  if (proto.has_i()) return Proto::INT;
  if (proto.has_s()) return Proto::STRING;
  if (proto.has_t()) return Proto::TENSOR;
  if (proto.has_g()) return Proto::GRAPH;
  if (proto.floats_size() > 0) return Proto::FLOATS;
  if (proto.strings_size() > 0) return Proto::STRINGS;
  return Proto::INTS;
}

Result<Attribute> Reader::attribute(const Proto& proto, const std::string& of, int depth) {
  switch (type_of_attribute(proto)) {
    case Proto::FLOAT:
      return proto.f();
    case Proto::INT:
      return std::int64_t{proto.i()};
    case Proto::STRING:
      return proto.s();
    case Proto::FLOATS:
      return std::vector<float>(proto.floats().begin(), proto.floats().end());
    case Proto::INTS:
      return std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
    case Proto::STRINGS:
      return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
    case Proto::TENSOR: {
      ALARA_TRY(Constant value, constant(proto.t(), fmt::format("{} of {}", proto.name(), of)));
      return value;
    }
    case Proto::GRAPH: {
      ALARA_TRY(Graph inner, graph(proto.g(), depth + 1));
      return std::make_shared<const Graph>(std::move(inner));
    }
    default:
      return fail(ErrorKind::bad_input, "attribute '{}' of {} is of a kind that is not supported ({})", proto.name(),
                  of, Proto::AttributeType_Name(proto.type()));
  }
}

Result<Node> Reader::node(const onnx::NodeProto& proto, int depth) {
  if (++nodes_ > kMaxNodes) return fail(ErrorKind::exhausted, "the model has more than {} nodes", kMaxNodes);
  Node out;
  out.op = proto.op_type();
  out.domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
  out.name = proto.name();
  out.inputs.assign(proto.input().begin(), proto.input().end());
  out.outputs.assign(proto.output().begin(), proto.output().end());
  if (out.op.empty()) return fail(ErrorKind::corrupt, "node '{}' has no operator", out.name);
  for (const auto& each : proto.attribute()) {
    if (!each.ref_attr_name().empty())
      return fail(ErrorKind::bad_input, "{} takes an attribute from a function, which is not supported", out.label());
    ALARA_TRY(Attribute value, attribute(each, out.label(), depth));
    out.attributes.insert_or_assign(each.name(), std::move(value));
  }
  return out;
}

// What the file says of inputs, outputs and what lies between.
Status values(const onnx::GraphProto& proto, Graph& out) {
  for (const auto& each : proto.input()) {
    if (out.constants.contains(each.name())) continue;
    ALARA_TRY(ValueInfo input, value_info(each));
    out.inputs.push_back(std::move(input));
  }
  for (const auto& each : proto.output()) {
    ALARA_TRY(ValueInfo output, value_info(each));
    out.outputs.push_back(std::move(output));
  }
  for (const auto& each : proto.value_info()) {
    ALARA_TRY(ValueInfo value, value_info(each));
    out.values.emplace(each.name(), std::move(value));
  }
  return {};
}

Result<Graph> Reader::graph(const onnx::GraphProto& proto, int depth) {
  if (depth > kMaxSubgraphDepth)
    return fail(ErrorKind::exhausted, "graphs lie within graphs more than {} deep", kMaxSubgraphDepth);
  Graph out;
  out.name = proto.name();
  if (proto.sparse_initializer_size() > 0)
    return fail(ErrorKind::bad_input, "the model has sparse constants, which are not supported");
  for (const auto& each : proto.initializer()) {
    ALARA_TRY(Constant value, constant(each, each.name()));
    if (!out.constants.emplace(each.name(), std::move(value)).second)
      return fail(ErrorKind::corrupt, "there are two constants called '{}'", each.name());
  }
  ALARA_CHECK(values(proto, out));
  for (const auto& each : proto.node()) {
    ALARA_TRY(Node value, node(each, depth));
    out.nodes.push_back(std::move(value));
  }
  ALARA_CHECK(sort_nodes(out));
  return out;
}

Result<Model> Reader::model(const onnx::ModelProto& proto) {
  Model out;
  out.ir_version = proto.ir_version();
  out.opsets.clear();
  for (const auto& each : proto.opset_import())
    out.opsets[each.domain() == "ai.onnx" ? "" : each.domain()] = each.version();
  if (!proto.has_graph() || !out.opsets.contains(""))
    return fail(ErrorKind::corrupt, "this is no ONNX model: it has no {}", proto.has_graph() ? "opset" : "graph");
  if (out.opset() < kOldestOpset || out.opset() > kNewestOpset)
    return fail(ErrorKind::bad_input, "the model is of opset {}; {} to {} can be read", out.opset(), kOldestOpset,
                kNewestOpset);
  if (proto.functions_size() > 0)
    return fail(ErrorKind::bad_input, "the model has functions of its own ('{}'), which are not supported",
                proto.functions(0).name());
  out.producer = proto.producer_name();
  if (!proto.producer_version().empty()) out.producer += " " + proto.producer_version();
  for (const auto& each : proto.metadata_props()) out.metadata[each.key()] = each.value();
  ALARA_TRY(out.graph, graph(proto.graph(), 0));
  ALARA_CHECK(check(out));
  return out;
}

}  // namespace

Result<Model> parse_onnx(std::span<const std::byte> bytes, const std::filesystem::path& folder) {
  if (bytes.size() > kMaxModelBytes)
    return fail(ErrorKind::exhausted, "the model has {} bytes; {} can be read", bytes.size(), kMaxModelBytes);
  onnx::ModelProto proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(ErrorKind::corrupt, "this is no ONNX model: its bytes do not parse");
  return Reader(folder).model(proto);
}

Result<Model> read_onnx(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return fail(ErrorKind::not_found, "'{}' can not be read: {}", path.string(), error.message());
  if (size > kMaxModelBytes)
    return fail(ErrorKind::exhausted, "'{}' has {} bytes; {} can be read", path.string(), size, kMaxModelBytes);
  std::vector<std::byte> bytes(size);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!file) return fail(ErrorKind::unavailable, "'{}' can not be read", path.string());
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  auto model = parse_onnx(bytes, folder);
  if (!model) model.error().where = Where{path.string(), 0, 0};
  return model;
}

}  // namespace alara::graph
