// SPDX-License-Identifier: Apache-2.0
// Over the bytes of a structure's value, member by member.
#include <optional>

#include "connect/opcua/structure.hpp"

namespace alara::opcua {
namespace {

constexpr int kMostNesting = 32;  // of values that hold values of any type

// The bytes of a type that always has as many; 0: it depends on the value.
std::size_t fixed_size(UA_DataTypeKind kind) {
  switch (kind) {
    case UA_DATATYPEKIND_BOOLEAN:
    case UA_DATATYPEKIND_SBYTE:
    case UA_DATATYPEKIND_BYTE:
      return 1;
    case UA_DATATYPEKIND_INT16:
    case UA_DATATYPEKIND_UINT16:
      return 2;
    case UA_DATATYPEKIND_INT32:
    case UA_DATATYPEKIND_UINT32:
    case UA_DATATYPEKIND_FLOAT:
    case UA_DATATYPEKIND_STATUSCODE:
      return 4;
    case UA_DATATYPEKIND_INT64:
    case UA_DATATYPEKIND_UINT64:
    case UA_DATATYPEKIND_DOUBLE:
    case UA_DATATYPEKIND_DATETIME:
      return 8;
    case UA_DATATYPEKIND_GUID:
      return 16;
    default:
      return 0;
  }
}

// Skips values of the built-in types (Part 6, 5.2.2). Each function is false when the bytes end too early or mean
// nothing.
class Bytes {
 public:
  explicit Bytes(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }
  [[nodiscard]] std::span<const std::uint8_t> since(std::size_t begin) const {
    return bytes_.subspan(begin, at_ - begin);
  }

  [[nodiscard]] bool skip(std::uint64_t count) {
    if (count > bytes_.size() - at_) return false;
    at_ += static_cast<std::size_t>(count);
    return true;
  }
  [[nodiscard]] bool byte(std::uint8_t& out) {
    if (at_end()) return false;
    out = bytes_[at_++];
    return true;
  }
  [[nodiscard]] bool word(std::uint32_t& out) {  // of 32 bits
    const std::size_t begin = at_;
    if (!skip(4)) return false;
    out = 0;
    for (std::size_t i = 4; i-- > 0;) out = out << 8 | bytes_[begin + i];
    return true;
  }
  // Elements of an array, bytes of a string: "none" is 0.
  [[nodiscard]] bool length(std::uint32_t& out) {
    if (!word(out)) return false;
    if (out > 0x7FFFFFFFu) out = 0;
    return true;
  }
  [[nodiscard]] bool value(UA_DataTypeKind kind, int nesting);

 private:
  [[nodiscard]] bool string() {
    std::uint32_t size = 0;
    return length(size) && skip(size);
  }
  [[nodiscard]] bool node_id();
  [[nodiscard]] bool localized_text();
  [[nodiscard]] bool extension_object();
  [[nodiscard]] bool variant(int nesting);
  [[nodiscard]] bool data_value(int nesting);
  [[nodiscard]] bool diagnostic_info(int nesting);

  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

bool Bytes::value(UA_DataTypeKind kind, int nesting) {
  if (const std::size_t size = fixed_size(kind); size != 0) return skip(size);
  if (nesting == kMostNesting) return false;
  switch (kind) {
    case UA_DATATYPEKIND_STRING:
    case UA_DATATYPEKIND_BYTESTRING:
    case UA_DATATYPEKIND_XMLELEMENT:
      return string();
    case UA_DATATYPEKIND_NODEID:
    case UA_DATATYPEKIND_EXPANDEDNODEID:
      return node_id();
    case UA_DATATYPEKIND_QUALIFIEDNAME:
      return skip(2) && string();
    case UA_DATATYPEKIND_LOCALIZEDTEXT:
      return localized_text();
    case UA_DATATYPEKIND_EXTENSIONOBJECT:
      return extension_object();
    case UA_DATATYPEKIND_VARIANT:
      return variant(nesting + 1);
    case UA_DATATYPEKIND_DATAVALUE:
      return data_value(nesting + 1);
    case UA_DATATYPEKIND_DIAGNOSTICINFO:
      return diagnostic_info(nesting + 1);
    default:
      return false;
  }
}

// Node ids, and those with the URI of their namespace and the index of their server (5.2.2.9 and 5.2.2.10).
bool Bytes::node_id() {
  std::uint8_t form = 0;
  if (!byte(form)) return false;
  const auto identifier = [&] {
    switch (form & 0x3F) {
      case 0:
        return skip(1);
      case 1:
        return skip(3);
      case 2:
        return skip(6);
      case 3:
      case 5:
        return skip(2) && string();
      case 4:
        return skip(18);
      default:
        return false;
    }
  };
  return identifier() && ((form & 0x80) == 0 || string()) && ((form & 0x40) == 0 || skip(4));
}

bool Bytes::localized_text() {
  std::uint8_t has = 0;
  return byte(has) && ((has & 1) == 0 || string()) && ((has & 2) == 0 || string());
}

bool Bytes::extension_object() {
  std::uint8_t encoding = 0;
  return node_id() && byte(encoding) && encoding <= 2 && (encoding == 0 || string());
}

bool Bytes::variant(int nesting) {
  std::uint8_t form = 0;
  if (!byte(form)) return false;
  const int type = form & 0x3F;
  if (type == 0) return true;
  // Types that are not known yet are byte strings (5.2.2.16).
  const UA_DataTypeKind kind = type <= 25 ? static_cast<UA_DataTypeKind>(type - 1) : UA_DATATYPEKIND_BYTESTRING;
  if ((form & 0x80) == 0) return value(kind, nesting);
  std::uint32_t count = 0;
  if (!length(count)) return false;
  if (const std::size_t size = fixed_size(kind); size != 0) {
    if (!skip(std::uint64_t{count} * size)) return false;
  } else {
    for (std::uint32_t i = 0; i < count; ++i)
      if (!value(kind, nesting)) return false;
  }
  std::uint32_t dimensions = 0;
  return (form & 0x40) == 0 || (length(dimensions) && skip(std::uint64_t{dimensions} * 4));
}

bool Bytes::data_value(int nesting) {
  std::uint8_t has = 0;
  return byte(has) && ((has & 0x01) == 0 || variant(nesting)) && ((has & 0x02) == 0 || skip(4)) &&
         ((has & 0x04) == 0 || skip(8)) && ((has & 0x10) == 0 || skip(2)) && ((has & 0x08) == 0 || skip(8)) &&
         ((has & 0x20) == 0 || skip(2));
}

bool Bytes::diagnostic_info(int nesting) {
  std::uint8_t has = 0;
  if (!byte(has)) return false;
  for (const int bit : {0x01, 0x02, 0x04, 0x08})
    if ((has & bit) != 0 && !skip(4)) return false;
  return ((has & 0x10) == 0 || string()) && ((has & 0x20) == 0 || skip(4)) &&
         ((has & 0x40) == 0 || value(UA_DATATYPEKIND_DIAGNOSTICINFO, nesting));
}

class Walk {
 public:
  // What is wanted of the value at hand: what a path leads to, or nothing.
  using Wanted = std::optional<std::span<const PathStep>>;

  explicit Walk(std::span<const std::uint8_t> body) : bytes_(body) {}

  Found over(const Structure& whole, std::span<const PathStep> path) {
    if (!structure(whole, path) || !bytes_.at_end()) found_.fault = kUndecodable;
    return found_;
  }

 private:
  [[nodiscard]] bool structure(const Structure& structure, Wanted wanted);
  [[nodiscard]] bool field(const Field& field, Wanted wanted);
  [[nodiscard]] bool value(const WireType& type, Wanted wanted);
  void found(UA_DataTypeKind kind, std::span<const std::uint8_t> bytes, std::span<const PathStep> rest);
  void fault(const char* fault) { found_.fault = fault; }

  Bytes bytes_;
  Found found_;
};

bool Walk::structure(const Structure& structure, Wanted wanted) {
  std::uint32_t which = 0;  // of the optional members are there; or of the alternatives is
  if (structure.form != Structure::Form::plain && !bytes_.word(which)) return false;
  const bool one_of = structure.form == Structure::Form::one_of;
  if (one_of && which > structure.fields.size()) return false;
  const std::string* name = nullptr;
  if (wanted && !wanted->empty() && !wanted->front().index) name = &wanted->front().member;
  if (wanted) fault(name != nullptr ? kNoSuchElement : kWrongType);
  std::uint32_t bit = 1, number = 0;
  for (const Field& member : structure.fields) {
    ++number;
    bool there = !one_of || which == number;
    if (member.optional) {
      there = (which & bit) != 0;
      bit <<= 1;
    }
    if (!there) continue;
    const bool here = name != nullptr && member.name == *name;
    if (here) fault(nullptr);
    if (!field(member, here ? Wanted(wanted->subspan(1)) : std::nullopt)) return false;
  }
  return true;
}

bool Walk::field(const Field& field, Wanted wanted) {
  if (!field.array) return value(field.type, wanted);
  std::uint32_t length = 0;
  if (!bytes_.length(length)) return false;
  std::optional<std::uint32_t> index;
  if (wanted && !wanted->empty() && wanted->front().index) {
    index = wanted->front().index;
    wanted = wanted->subspan(1);
    if (*index >= length) fault(kNoSuchElement);
  } else if (wanted && wanted->empty() && length == 1) {
    index = 0;
  } else if (wanted) {
    fault(kWrongType);
  }
  if (const std::size_t size = fixed_size(field.type.kind); size != 0) {
    const std::size_t begin = bytes_.at();
    if (!bytes_.skip(std::uint64_t{length} * size)) return false;
    if (index && *index < length)
      found(field.type.kind, bytes_.since(begin).subspan(std::size_t{*index} * size, size), *wanted);
    return true;
  }
  for (std::uint32_t i = 0; i < length; ++i)
    if (!value(field.type, index == i ? wanted : std::nullopt)) return false;
  return true;
}

bool Walk::value(const WireType& type, Wanted wanted) {
  if (type.kind == UA_DATATYPEKIND_STRUCTURE) return structure(*type.structure, wanted);
  const std::size_t begin = bytes_.at();
  if (!bytes_.value(type.kind, 0)) return false;
  if (wanted) found(type.kind, bytes_.since(begin), *wanted);
  return true;
}

void Walk::found(UA_DataTypeKind kind, std::span<const std::uint8_t> bytes, std::span<const PathStep> rest) {
  const bool open = kind == UA_DATATYPEKIND_VARIANT || kind == UA_DATATYPEKIND_EXTENSIONOBJECT;
  if (!rest.empty() && !open) return fault(kWrongType);
  found_.kind = kind;
  found_.bytes = bytes;
  found_.rest = rest;
}

}  // namespace

Found find_in(const Structure& structure, std::span<const std::uint8_t> body, std::span<const PathStep> path) {
  return Walk(body).over(structure, path);
}

}  // namespace alara::opcua
