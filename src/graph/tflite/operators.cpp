// SPDX-License-Identifier: Apache-2.0
#include "graph/tflite/operators.hpp"

#include <algorithm>

namespace alara::graph::tflite {
namespace {

constexpr std::string_view kTransposedConvolution = "Convolution2DTransposeBias";

schema::BuiltinOperator code_of(const schema::OperatorCode& code) {
  return static_cast<schema::BuiltinOperator>(
      std::max<int>(code.deprecated_builtin_code(), static_cast<int>(code.builtin_code())));
}

std::string_view custom_name(const schema::OperatorCode& code) {
  return code.custom_code() == nullptr ? std::string_view() : code.custom_code()->string_view().substr(0, 100);
}

}  // namespace

std::string name_of(const schema::OperatorCode& code) {
  const schema::BuiltinOperator builtin = code_of(code);
  if (builtin == schema::BuiltinOperator::CUSTOM) return fmt::format("CUSTOM {}", custom_name(code));
  const char* const name = schema::EnumNameBuiltinOperator(builtin);
  return name == nullptr || *name == '\0' ? fmt::format("operator {}", static_cast<int>(builtin)) : name;
}

Import import_of(const schema::OperatorCode& code) {
  const schema::BuiltinOperator builtin = code_of(code);
  if (builtin == schema::BuiltinOperator::CUSTOM)
    return custom_name(code) == kTransposedConvolution ? import_transposed_convolution_with_bias : nullptr;
  for (const auto entries : {window_operators(), element_operators(), axis_operators(), reduce_operators()})
    for (const Entry& entry : entries)
      if (entry.code == builtin) return entry.import;
  return nullptr;
}

}  // namespace alara::graph::tflite
