// SPDX-License-Identifier: Apache-2.0
// Any bytes as a document: a tree or an error with a place; then checked against a schema and described.
#include "core/schema.hpp"

using namespace alara;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Property item{.name = "item", .type = PropertyType::duration};
  static const Schema inner{
      "inner", "", {{.name = "unit", .type = PropertyType::unit}, {.name = "rate", .type = PropertyType::frequency}}};
  static const Schema schema{"fuzz",
                             "",
                             {{.name = "number", .type = PropertyType::number, .least = 0, .most = 10},
                              {.name = "count", .type = PropertyType::integer, .required = true},
                              {.name = "choice", .type = PropertyType::choice, .choices = {"one", "two"}},
                              {.name = "object", .type = PropertyType::object, .fields = &inner},
                              {.name = "list", .type = PropertyType::list, .element = &item},
                              {.name = "size", .type = PropertyType::size}}};
  const auto document = parse_document({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!document) {
    ALARA_ASSERT(!document.error().message.empty(), "an error says what is wrong");
    return 0;
  }
  const auto again = parse_document({reinterpret_cast<const char*>(data), size}, "other");
  ALARA_ASSERT(again && again->canonical() == document->canonical(), "the same bytes are the same tree");
  std::vector<Error> errors;
  schema.check(*document, errors);
  for (const Error& error : errors) ALARA_ASSERT(!error.message.empty(), "an error says what is wrong");
  return 0;
}
