// SPDX-License-Identifier: Apache-2.0
// open62541's C types with owners. Internal to connect/opcua: no other header of ours includes it.
#pragma once

#include <open62541/client.h>
#include <open62541/client_config_default.h>
#include <open62541/client_highlevel.h>
#include <open62541/client_subscriptions.h>
#include <open62541/types.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alara::opcua {

// A value of a generated type, cleared at its end.
template <typename T, std::size_t Type>
class Ua {
 public:
  Ua() { UA_init(&value_, &UA_TYPES[Type]); }
  ~Ua() { UA_clear(&value_, &UA_TYPES[Type]); }
  Ua(const Ua&) = delete;
  Ua& operator=(const Ua&) = delete;
  Ua(Ua&& other) noexcept : value_(other.value_) { UA_init(&other.value_, &UA_TYPES[Type]); }
  Ua& operator=(Ua&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  T& operator*() { return value_; }
  const T& operator*() const { return value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }

 private:
  T value_;
};

using UaNodeId = Ua<UA_NodeId, UA_TYPES_NODEID>;
using UaVariant = Ua<UA_Variant, UA_TYPES_VARIANT>;

inline std::string_view view(const UA_String& text) {
  return text.length == 0 ? std::string_view()
                          : std::string_view(reinterpret_cast<const char*>(text.data), text.length);
}
// Borrows `text`, which outlives it.
inline UA_String borrowed(std::string_view text) {
  return {text.size(), reinterpret_cast<UA_Byte*>(const_cast<char*>(text.data()))};
}
inline UA_ByteString borrowed(std::span<const std::uint8_t> bytes) {
  return {bytes.size(), const_cast<UA_Byte*>(bytes.data())};
}
inline UA_String owned(std::string_view text) {
  UA_String copy;
  const UA_String source = borrowed(text);
  UA_String_copy(&source, &copy);
  return copy;
}

}  // namespace alara::opcua
