// SPDX-License-Identifier: Apache-2.0
#include "infer/onnx_file.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>

namespace alara::infer {
namespace {

using Bytes = std::span<const std::byte>;

// One protobuf message being walked. After a fault `next` returns false and `fault` says what was wrong.
class Message {
 public:
  Message(Bytes bytes, std::size_t offset) : bytes_(bytes), offset_(offset) {}

  // Moves to the next field; false at the end or after a fault.
  bool next() {
    if (fault_ != nullptr || at_ == bytes_.size()) return false;
    std::uint64_t tag = 0;
    if (!varint(tag)) return false;
    field_ = static_cast<std::uint32_t>(tag >> 3);
    number_ = 0;
    content_ = {};
    switch (tag & 7) {
      case 0:
        return varint(number_);
      case 1:
        return take(8);
      case 2:
        return varint(number_) && take(number_);
      case 5:
        return take(4);
      default:
        return failed("has a field of an unknown kind");
    }
  }

  [[nodiscard]] std::uint32_t field() const { return field_; }
  [[nodiscard]] std::int64_t number() const { return static_cast<std::int64_t>(number_); }
  [[nodiscard]] Bytes content() const { return content_; }
  [[nodiscard]] std::string text() const { return {reinterpret_cast<const char*>(content_.data()), content_.size()}; }
  [[nodiscard]] Message inner() const { return {content_, offset_ + at_ - content_.size()}; }
  [[nodiscard]] Status status() const {
    if (fault_ == nullptr) return {};
    return fail(ErrorKind::corrupt, "the model file {} at byte {}", fault_, offset_ + at_);
  }
  bool failed(const char* what) {
    fault_ = what;
    return false;
  }

 private:
  bool varint(std::uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) return failed("ends in the middle");
      const auto byte = static_cast<std::uint64_t>(bytes_[at_++]);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return failed("has a number of more than 64 bits");
  }

  bool take(std::uint64_t size) {
    if (size > bytes_.size() - at_) return failed("ends in the middle");
    content_ = bytes_.subspan(at_, size);
    at_ += size;
    return true;
  }

  Bytes bytes_;
  std::size_t offset_;  // of bytes_ in the file, for messages
  std::size_t at_ = 0;
  std::uint32_t field_ = 0;
  std::uint64_t number_ = 0;
  Bytes content_;
  const char* fault_ = nullptr;
};

// TensorProto.DataType of onnx.proto.
ElementType element_type(std::int64_t code) {
  using enum ElementType;
  constexpr std::array kTypes{other, float32, uint8,   int8,    uint16,  int16,  int32,
                              int64, text,    boolean, float16, float64, uint32, uint64};
  return code > 0 && code < static_cast<std::int64_t>(kTypes.size()) ? kTypes[static_cast<std::size_t>(code)] : other;
}

Status read_dimension(Message message, Dimension& out) {
  while (message.next()) {
    if (message.field() == 1) out.size = std::max<std::int64_t>(message.number(), -1);
    if (message.field() == 2) out.name = message.text();
  }
  return message.status();
}

Status read_tensor_type(Message message, TensorInfo& out) {
  while (message.next()) {
    if (message.field() == 1) out.type = element_type(message.number());
    if (message.field() != 2) continue;
    Message shape = message.inner();
    while (shape.next()) {
      if (shape.field() != 1) continue;
      if (out.shape.size() == kMaxTensors) return fail(ErrorKind::corrupt, "a tensor has too many dimensions");
      ALARA_CHECK(read_dimension(shape.inner(), out.shape.emplace_back()));
    }
    ALARA_CHECK(shape.status());
  }
  return message.status();
}

Status read_value_info(Message message, TensorInfo& out) {
  while (message.next()) {
    if (message.field() == 1) out.name = message.text();
    if (message.field() != 2) continue;
    Message type = message.inner();
    while (type.next())
      if (type.field() == 1) ALARA_CHECK(read_tensor_type(type.inner(), out));
    ALARA_CHECK(type.status());
  }
  return message.status();
}

std::uint64_t saturating_product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::uint64_t>::max() : product;
}

// Repeated int64 may be packed into one field or written one by one.
Status read_dims(const Message& message, std::uint64_t& elements) {
  if (message.content().empty()) {
    elements = saturating_product(elements, static_cast<std::uint64_t>(std::max<std::int64_t>(message.number(), 0)));
    return {};
  }
  std::uint64_t value = 0;
  int shift = 0;
  for (const std::byte byte : message.content()) {
    value |= (static_cast<std::uint64_t>(byte) & 0x7f) << shift;
    shift = std::min(shift + 7, 63);
    if (static_cast<std::uint64_t>(byte) >= 0x80) continue;
    elements = saturating_product(elements, value);
    value = 0;
    shift = 0;
  }
  return {};
}

Status read_constant(Message message, ModelInfo& out, std::set<std::string>* names) {
  constexpr std::int64_t kExternal = 1;
  std::uint64_t elements = 1;
  while (message.next()) {
    if (message.field() == 1) ALARA_CHECK(read_dims(message, elements));
    if (message.field() == 8 && names != nullptr) names->insert(message.text());
    if (message.field() == 13) out.external_data = true;
    if (message.field() == 14 && message.number() == kExternal) out.external_data = true;
  }
  ALARA_CHECK(message.status());
  if (__builtin_add_overflow(out.parameters, elements, &out.parameters))
    out.parameters = std::numeric_limits<std::uint64_t>::max();
  return {};
}

Status read_graph(Message message, int depth, ModelInfo& out);

Status read_attribute(Message message, int depth, ModelInfo& out) {
  while (message.next()) {
    if (message.field() == 5 || message.field() == 10) ALARA_CHECK(read_constant(message.inner(), out, nullptr));
    if (message.field() == 6 || message.field() == 11) ALARA_CHECK(read_graph(message.inner(), depth + 1, out));
  }
  return message.status();
}

Status read_node(Message message, int depth, ModelInfo& out) {
  std::string kind;
  std::string domain;
  while (message.next()) {
    if (message.field() == 4) kind = message.text();
    if (message.field() == 7) domain = message.text();
    if (message.field() == 5) ALARA_CHECK(read_attribute(message.inner(), depth, out));
  }
  ALARA_CHECK(message.status());
  if (!domain.empty() && domain != "ai.onnx") kind = domain + "." + kind;
  ++out.operators[kind];
  if (out.operators.size() > kMaxTensors) return fail(ErrorKind::corrupt, "the model uses too many kinds of operators");
  return {};
}

Status read_graph(Message message, int depth, ModelInfo& out) {
  if (depth > kMaxGraphDepth)
    return fail(ErrorKind::corrupt, "the model nests graphs more than {} deep", kMaxGraphDepth);
  const bool outermost = depth == 0;
  std::set<std::string> constants;
  while (message.next()) {
    if (message.field() == 1) ALARA_CHECK(read_node(message.inner(), depth, out));
    if (message.field() == 5) ALARA_CHECK(read_constant(message.inner(), out, &constants));
    if (!outermost || (message.field() != 11 && message.field() != 12)) continue;
    auto& tensors = message.field() == 11 ? out.inputs : out.outputs;
    if (tensors.size() == kMaxTensors) return fail(ErrorKind::corrupt, "the model has too many inputs or outputs");
    ALARA_CHECK(read_value_info(message.inner(), tensors.emplace_back()));
  }
  ALARA_CHECK(message.status());
  // Files of IR version 3 and older list constants among the inputs.
  if (outermost) std::erase_if(out.inputs, [&](const TensorInfo& input) { return constants.contains(input.name); });
  return {};
}

Status read_opset(Message message, ModelInfo& out) {
  std::string domain;
  std::int64_t version = 0;
  while (message.next()) {
    if (message.field() == 1) domain = message.text();
    if (message.field() == 2) version = message.number();
  }
  ALARA_CHECK(message.status());
  if (out.opsets.size() == kMaxTensors) return fail(ErrorKind::corrupt, "the model names too many operator sets");
  out.opsets[domain == "ai.onnx" ? "" : domain] = version;
  return {};
}

std::string sha256(Bytes bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  ALARA_ASSERT(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1,
               "SHA-256 failed");
  std::string out = "sha256:";
  for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

Result<std::vector<std::byte>> read_file(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))
    return fail(ErrorKind::bad_input, "model '{}' is not a plain file", path);
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return fail(ErrorKind::not_found, "can not open model '{}': {}", path, std::strerror(errno));
  const auto size = static_cast<std::streamoff>(file.tellg());
  if (static_cast<std::uint64_t>(size) > kMaxModelBytes)
    return fail(ErrorKind::exhausted, "model '{}' has {} bytes, more than the {} allowed", path, size, kMaxModelBytes);
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  file.seekg(0);
  if (size > 0 && !file.read(reinterpret_cast<char*>(bytes.data()), size))
    return fail(ErrorKind::unavailable, "can not read model '{}': {}", path, std::strerror(errno));
  return bytes;
}

}  // namespace

std::string_view name_of(ElementType type) {
  constexpr std::array<std::string_view, 14> kNames{"float32", "float64", "float16", "int8",   "uint8",
                                                    "int16",   "uint16",  "int32",   "uint32", "int64",
                                                    "uint64",  "boolean", "text",    "other"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string TensorInfo::text() const {
  std::string out = fmt::format("{}: {}[", name, name_of(type));
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) out += ", ";
    const Dimension& dimension = shape[i];
    if (dimension.size >= 0)
      out += fmt::format("{}", dimension.size);
    else
      out += dimension.name.empty() ? "?" : dimension.name;
  }
  return out + "]";
}

Result<ModelInfo> parse_onnx(Bytes bytes) {
  ModelInfo out;
  Message message(bytes, 0);
  bool has_graph = false;
  std::string producer_version;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        out.ir_version = message.number();
        break;
      case 2:
        out.producer = message.text();
        break;
      case 3:
        producer_version = message.text();
        break;
      case 7:
        has_graph = true;
        ALARA_CHECK(read_graph(message.inner(), 0, out));
        break;
      case 8:
        ALARA_CHECK(read_opset(message.inner(), out));
        break;
      default:
        break;
    }
  }
  ALARA_CHECK(message.status());
  if (!has_graph) return fail(ErrorKind::corrupt, "the file holds no ONNX graph: it is cut short or not a model");
  if (!producer_version.empty()) out.producer += " " + producer_version;
  return out;
}

Result<ModelFile> read_model_file(const std::string& path) {
  ModelFile file{path, {}, {}};
  ALARA_TRY(file.bytes, read_file(path));
  Result<ModelInfo> info = parse_onnx(file.bytes);
  if (!info) {
    Error error = std::move(info).error();
    error.message = fmt::format("model '{}': {}", path, error.message);
    return tl::unexpected<Error>(std::move(error));
  }
  file.info = std::move(*info);
  file.info.bytes = file.bytes.size();
  file.info.digest = sha256(file.bytes);
  return file;
}

}  // namespace alara::infer
