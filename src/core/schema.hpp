// SPDX-License-Identifier: Apache-2.0
// A property is declared once: name, type, default, limits, sentence. The declaration feeds checking, error texts,
// `alara connectors describe`, the configuration reference and the JSON Schema.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/document.hpp"

namespace alara {

enum class PropertyType : std::uint8_t {
  text,
  boolean,
  integer,
  number,
  duration,
  size,
  frequency,
  choice,
  expression,  // a formula over named values
  unit,        // "mm/s2"
  any,         // checked by its reader: a scalar, list or map
  object,      // a map described by `fields`
  list,        // a list whose items are described by `element`
  map,         // free keys, values described by `element`
};

struct Schema;

struct Property {
  std::string name;
  PropertyType type = PropertyType::text;
  std::string sentence = {};  // what it does and what changing it costs
  std::string fallback = {};  // the default, as written in a file; "" = none
  bool required = false;
  std::vector<std::string> choices = {};        // for choice
  std::optional<double> least = {}, most = {};  // limits of numbers; durations in nanoseconds, sizes in bytes
  const Schema* fields = nullptr;               // for object
  const Property* element = nullptr;            // for list and map (static storage)
};

struct Schema {
  std::string name;  // "modbus connector"
  std::string sentence;
  std::vector<Property> properties;

  [[nodiscard]] const Property* find(std::string_view name) const;
  // Checks a whole map: unknown keys (with the nearest right one), types, limits, required keys. Appends one error for
  // each fault found, so a user sees them all at once.
  void check(const Node& map, std::vector<Error>& errors) const;
};

// Typed reading of a map that has passed check(): present values, else the declared default. Asking for a property
// that the schema does not declare, or with the wrong type, is a bug and aborts.
class Options {
 public:
  Options(const Node& map, const Schema& schema) : map_(map), schema_(schema) {}

  [[nodiscard]] bool has(std::string_view name) const;          // written in the file
  [[nodiscard]] std::string text(std::string_view name) const;  // also for choice, expression, unit
  [[nodiscard]] bool boolean(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] double number(std::string_view name) const;
  [[nodiscard]] Nanos duration(std::string_view name) const;
  [[nodiscard]] std::uint64_t size(std::string_view name) const;
  [[nodiscard]] double frequency(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;  // a list of scalars, or one scalar
  [[nodiscard]] const Node* node(std::string_view name) const;                // nullptr when absent
  [[nodiscard]] Where where(std::string_view name) const;                     // of the value, else of the map

 private:
  [[nodiscard]] const Property& declared(std::string_view name) const;
  [[nodiscard]] std::string scalar(std::string_view name) const;

  const Node& map_;
  const Schema& schema_;
};

// The declarations for people and editors.
[[nodiscard]] std::string markdown_reference(const Schema& schema);
[[nodiscard]] std::string json_schema(const Schema& schema);  // a JSON object (draft 2020-12)

}  // namespace alara
