// SPDX-License-Identifier: Apache-2.0
#include "core/schema.hpp"

#include <algorithm>

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "base/units.hpp"

namespace alara {
namespace {

void add_error(std::vector<Error>& errors, const Where& where, std::string message, std::string hint = {}) {
  errors.push_back({ErrorKind::bad_input, std::move(message), where, std::move(hint)});
}

std::string choices_text(const Property& property) {
  std::string out;
  for (const std::string& choice : property.choices) out += (out.empty() ? "" : ", ") + choice;
  return out;
}

// A number's, duration's or size's limits, printed as a user would write them.
std::string limit_text(const Property& property, double limit) {
  if (property.type == PropertyType::duration) return format_duration(static_cast<Nanos>(limit));
  if (property.type == PropertyType::size) return format_size(static_cast<std::uint64_t>(limit));
  if (property.type == PropertyType::frequency) return fmt::format("{:g}Hz", limit);
  return fmt::format("{:.10g}", limit);
}

// The scalar as a plain number in the property's unit (nanoseconds, bytes, hertz).
Result<double> numeric(const Property& property, const std::string& text) {
  switch (property.type) {
    case PropertyType::integer:
      return parse_integer(text).map([](std::int64_t v) { return static_cast<double>(v); });
    case PropertyType::duration:
      return parse_duration(text).map([](Nanos v) { return static_cast<double>(v); });
    case PropertyType::size:
      return parse_size(text).map([](std::uint64_t v) { return static_cast<double>(v); });
    case PropertyType::frequency:
      return parse_frequency(text);
    default:
      return parse_number(text);
  }
}

void check_numeric(const Property& property, const Node& value, std::vector<Error>& errors) {
  const Result<double> number = numeric(property, value.scalar);
  if (!number) {
    add_error(errors, value.where, fmt::format("{}: {}", property.name, number.error().message), number.error().hint);
    return;
  }
  if (property.least && *number < *property.least)
    add_error(errors, value.where,
              fmt::format("{}: {} is below the least allowed, {}", property.name, value.scalar,
                          limit_text(property, *property.least)));
  if (property.most && *number > *property.most)
    add_error(errors, value.where,
              fmt::format("{}: {} is above the most allowed, {}", property.name, value.scalar,
                          limit_text(property, *property.most)));
}

void check_choice(const Property& property, const Node& value, std::vector<Error>& errors) {
  for (const std::string& choice : property.choices)
    if (choice == value.scalar) return;
  const std::string guess = nearest(value.scalar, std::span<const std::string>(property.choices));
  add_error(errors, value.where,
            fmt::format("{}: '{}' is not one of {}", property.name, value.scalar, choices_text(property)),
            guess.empty() ? "" : fmt::format("did you mean '{}'?", guess));
}

void check_value(const Property& property, const Node& value, std::vector<Error>& errors);

void check_scalar(const Property& property, const Node& value, std::vector<Error>& errors) {
  if (!value.is_scalar()) {
    add_error(errors, value.where,
              fmt::format("{}: a single value is expected here, not a {}", property.name,
                          value.is_list()  ? "list"
                          : value.is_map() ? "map"
                                           : "blank"));
    return;
  }
  switch (property.type) {
    case PropertyType::boolean:
      if (value.scalar != "true" && value.scalar != "false")
        add_error(errors, value.where, fmt::format("{}: '{}' is neither true nor false", property.name, value.scalar));
      break;
    case PropertyType::integer:
    case PropertyType::number:
    case PropertyType::duration:
    case PropertyType::size:
    case PropertyType::frequency:
      check_numeric(property, value, errors);
      break;
    case PropertyType::choice:
      check_choice(property, value, errors);
      break;
    case PropertyType::unit:
      if (const auto unit = Unit::parse(value.scalar); !unit)
        add_error(errors, value.where, fmt::format("{}: {}", property.name, unit.error().message), unit.error().hint);
      break;
    case PropertyType::expression:
      if (trim(value.scalar).empty())
        add_error(errors, value.where, fmt::format("{}: the expression is empty", property.name));
      break;
    default:
      break;
  }
}

void check_value(const Property& property, const Node& value, std::vector<Error>& errors) {
  switch (property.type) {
    case PropertyType::any:
      return;
    case PropertyType::object:
      if (!value.is_map()) {
        add_error(errors, value.where, fmt::format("{}: a map of options is expected here", property.name));
        return;
      }
      if (property.fields) property.fields->check(value, errors);
      return;
    case PropertyType::list: {
      if (value.is_scalar() && property.element) {  // one item may stand without brackets
        check_value(*property.element, value, errors);
        return;
      }
      if (!value.is_list()) {
        add_error(errors, value.where, fmt::format("{}: a list is expected here, as in [a, b]", property.name));
        return;
      }
      if (property.element)
        for (const Node& item : value.items) check_value(*property.element, item, errors);
      return;
    }
    case PropertyType::map:
      if (!value.is_map()) {
        add_error(errors, value.where, fmt::format("{}: a map is expected here", property.name));
        return;
      }
      if (property.element)
        for (const Node::Entry& entry : value.entries) check_value(*property.element, entry.value, errors);
      return;
    default:
      check_scalar(property, value, errors);
  }
}

std::string_view type_name(const Property& property) {
  switch (property.type) {
    case PropertyType::text:
      return "text";
    case PropertyType::boolean:
      return "true or false";
    case PropertyType::integer:
      return "whole number";
    case PropertyType::number:
      return "number";
    case PropertyType::duration:
      return "duration";
    case PropertyType::size:
      return "size";
    case PropertyType::frequency:
      return "frequency";
    case PropertyType::choice:
      return "choice";
    case PropertyType::expression:
      return "expression";
    case PropertyType::unit:
      return "unit";
    case PropertyType::any:
      return "see text";
    case PropertyType::object:
      return "map";
    case PropertyType::list:
      return "list";
    case PropertyType::map:
      return "map";
  }
  return "";
}

std::string json_quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string json_property(const Property& property);

// Where a number is expected, a text may stand that is replaced before it is checked: "{n}" or "${UNIT}".
constexpr std::string_view kFilledIn = R"re(,"pattern":"[{]")re";

std::string json_limits(const Property& property, bool whole) {
  const auto number = [whole](double limit) {
    return whole ? fmt::format("{}", static_cast<std::int64_t>(limit)) : fmt::format("{:.17g}", limit);
  };
  std::string out;
  if (property.least) out += R"(,"minimum":)" + number(*property.least);
  if (property.most) out += R"(,"maximum":)" + number(*property.most);
  return out;
}

// The allowed texts; those that YAML reads as numbers ("version: 5") also as such.
std::string json_choices(const Property& property) {
  std::string out;
  for (const std::string& choice : property.choices) {
    out += (out.empty() ? "" : ",") + json_quote(choice);
    if (parse_number(choice)) out += "," + choice;
  }
  return fmt::format(R"("enum":[{}])", out);
}

std::string json_type(const Property& property) {
  switch (property.type) {
    case PropertyType::boolean:
      return fmt::format(R"("type":["boolean","string"]{})", kFilledIn);
    case PropertyType::integer:
      return fmt::format(R"("type":["integer","string"]{}{})", json_limits(property, true), kFilledIn);
    case PropertyType::number:
      return fmt::format(R"("type":["number","string"]{}{})", json_limits(property, false), kFilledIn);
    case PropertyType::duration:
      return R"("anyOf":[{"const":0},{"type":"string","pattern":"^[0-9.]+ ?(ns|us|ms|s|min|h|d)$|[{]"}])";
    case PropertyType::size:
      return R"("type":"string","pattern":"^[0-9.]+ ?(B|KB|kB|MB|GB|TB|KiB|MiB|GiB)$|[{]")";
    case PropertyType::frequency:
      return R"("type":"string","pattern":"^[0-9.]+ ?(Hz|kHz|MHz|mHz)$|[{]")";
    case PropertyType::choice:
      return json_choices(property);
    case PropertyType::expression:
      return R"("type":["string","number","boolean"])";
    case PropertyType::text:
    case PropertyType::unit:
      return R"("type":["string","number"])";
    case PropertyType::any:
      return "";
    case PropertyType::object: {
      const std::string whole = property.fields ? json_schema(*property.fields) : R"({"type":"object"})";
      return whole.substr(1, whole.size() - 2);
    }
    case PropertyType::list: {
      if (!property.element) return R"("type":"array")";
      const std::string item = json_property(*property.element);
      return fmt::format(R"("anyOf":[{{"type":"array","items":{}}},{}])", item, item);
    }
    case PropertyType::map:
      return fmt::format(R"("type":"object","additionalProperties":{})",
                         property.element ? json_property(*property.element) : "true");
  }
  return "";
}

std::string json_property(const Property& property) {
  std::string type = json_type(property);
  std::string out = "{" + type;
  const bool described =
      property.type == PropertyType::object && property.fields != nullptr;  // by its schema's sentence
  if (!described && !property.sentence.empty())
    out += fmt::format(R"({}"description":{})", type.empty() ? "" : ",", json_quote(property.sentence));
  if (!property.fallback.empty())
    out += fmt::format(R"({}"default":{})", out.size() > 1 ? "," : "", json_quote(property.fallback));
  return out + "}";
}

}  // namespace

const Property* Schema::find(std::string_view wanted) const {
  for (const Property& property : properties)
    if (property.name == wanted) return &property;
  return nullptr;
}

void Schema::check(const Node& map, std::vector<Error>& errors) const {
  if (map.is_null()) {
    for (const Property& property : properties)
      if (property.required) add_error(errors, map.where, fmt::format("{}: '{}' is missing", name, property.name));
    return;
  }
  if (!map.is_map()) {
    add_error(errors, map.where, fmt::format("{}: a map of options is expected here", name));
    return;
  }
  std::vector<std::string_view> known;
  for (const Property& property : properties) known.push_back(property.name);
  for (const Node::Entry& entry : map.entries) {
    const Property* property = find(entry.key);
    if (property == nullptr) {
      const std::string guess = nearest(entry.key, std::span<const std::string_view>(known));
      add_error(
          errors, entry.key_where, fmt::format("{}: unknown option '{}'", name, entry.key),
          guess.empty() ? fmt::format("allowed are {}", enumerate(known)) : fmt::format("did you mean '{}'?", guess));
      continue;
    }
    check_value(*property, entry.value, errors);
  }
  for (const Property& property : properties)
    if (property.required && map.find(property.name) == nullptr)
      add_error(errors, map.where, fmt::format("{}: '{}' is missing", name, property.name), property.sentence);
}

const Property& Options::declared(std::string_view name) const {
  const Property* property = schema_.find(name);
  ALARA_ASSERT(property != nullptr, "an option was read that its schema does not declare");
  return *property;
}

bool Options::has(std::string_view name) const {
  static_cast<void>(declared(name));
  const Node* value = map_.find(name);
  return value != nullptr && !value->is_null();
}

std::string Options::scalar(std::string_view name) const {
  const Property& property = declared(name);
  const Node* value = map_.find(name);
  return value != nullptr && value->is_scalar() ? value->scalar : property.fallback;
}

std::string Options::text(std::string_view name) const { return scalar(name); }
bool Options::boolean(std::string_view name) const { return scalar(name) == "true"; }

std::int64_t Options::integer(std::string_view name) const { return parse_integer(scalar(name)).value_or(0); }
double Options::number(std::string_view name) const { return parse_number(scalar(name)).value_or(0); }
Nanos Options::duration(std::string_view name) const { return parse_duration(scalar(name)).value_or(0); }
std::uint64_t Options::size(std::string_view name) const { return parse_size(scalar(name)).value_or(0); }
double Options::frequency(std::string_view name) const { return parse_frequency(scalar(name)).value_or(0); }

std::vector<std::string> Options::texts(std::string_view name) const {
  static_cast<void>(declared(name));
  std::vector<std::string> out;
  const Node* value = map_.find(name);
  if (value == nullptr) return out;
  if (value->is_scalar()) out.push_back(value->scalar);
  for (const Node& item : value->items)
    if (item.is_scalar()) out.push_back(item.scalar);
  return out;
}

const Node* Options::node(std::string_view name) const {
  static_cast<void>(declared(name));
  return map_.find(name);
}

Where Options::where(std::string_view name) const {
  const Node* value = map_.find(name);
  return value != nullptr ? value->where : map_.where;
}

namespace {

// "|" would end a cell.
std::string table_cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string markdown_row(const Property& property) {
  std::string type(type_name(property));
  if (property.type == PropertyType::choice) type = choices_text(property);
  if (property.type == PropertyType::list && property.element)
    type = property.element->fields ? "list of maps" : fmt::format("list of {}", type_name(*property.element));
  std::string fallback = "-";
  if (property.required) fallback = "required";
  if (!property.fallback.empty()) fallback = "`" + property.fallback + "`";
  std::string sentence = property.sentence;
  if (property.least) sentence += fmt::format(" At least {}.", limit_text(property, *property.least));
  if (property.most) sentence += fmt::format(" At most {}.", limit_text(property, *property.most));
  return fmt::format("| `{}` | {} | {} | {} |\n", property.name, type, fallback, table_cell(sentence));
}

// `shown` has the schemas already described: a map that several options take is described once.
std::string markdown_section(const Schema& schema, std::string_view heading, std::vector<const Schema*>& shown) {
  std::string out = fmt::format("{} {}\n\n{}\n\n| option | type | default | what it does |\n|---|---|---|---|\n",
                                heading, schema.name, schema.sentence);
  std::string nested;
  for (const Property& property : schema.properties) {
    out += markdown_row(property);
    const Schema* fields = property.fields ? property.fields : property.element ? property.element->fields : nullptr;
    if (fields == nullptr || std::ranges::find(shown, fields) != shown.end()) continue;
    shown.push_back(fields);
    nested += "\n" + markdown_section(*fields, "####", shown);
  }
  return out + nested;
}

}  // namespace

std::string markdown_reference(const Schema& schema) {
  std::vector<const Schema*> shown;
  return markdown_section(schema, "###", shown);
}

std::string json_schema(const Schema& schema) {
  std::string properties, required;
  for (const Property& property : schema.properties) {
    properties += (properties.empty() ? "" : ",") + json_quote(property.name) + ":" + json_property(property);
    if (property.required) required += (required.empty() ? "" : ",") + json_quote(property.name);
  }
  std::string out =
      fmt::format(R"({{"type":"object","description":{},"properties":{{{}}},"additionalProperties":false)",
                  json_quote(schema.sentence), properties);
  if (!required.empty()) out += fmt::format(R"(,"required":[{}])", required);
  return out + "}";
}

}  // namespace alara
