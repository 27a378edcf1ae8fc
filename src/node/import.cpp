// SPDX-License-Identifier: Apache-2.0
#include "node/import.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "core/sample.hpp"

namespace alara::node {
namespace {

constexpr std::size_t kMostColumns = 256;

// One record of a CSV, from `at` on; quoted cells may span lines. `line` counts them.
std::vector<std::string> take_record(std::string_view text, std::size_t& at, int& line) {
  std::vector<std::string> cells(1);
  for (bool quoted = false; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"') {
        cells.back() += c;
      } else if (at + 1 < text.size() && text[at + 1] == '"') {
        cells.back() += '"';
        ++at;
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',' || c == ';' || c == '\t') {
      if (cells.size() < kMostColumns) cells.emplace_back();
    } else if (c == '\n') {
      ++at;
      return cells;
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  return cells;
}

std::string lower(std::string_view text) {
  std::string out(trim(text));
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// The meaning of a column by its header; "" when it has none for us.
std::string_view meaning(std::string_view header) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"name", "name"},       {"tag", "name"},   {"tag name", "name"},  {"tagname", "name"},
      {"address", "address"}, {"type", "type"},  {"data type", "type"}, {"datatype", "type"},
      {"unit", "unit"},       {"units", "unit"}, {"eng units", "unit"}, {"poll", "poll"},
      {"scan rate", "scan"},  {"rate", "poll"},  {"device", "device"},  {"connector", "device"}};
  const std::string wanted = lower(header);
  for (const auto& [name, what] : kNames)
    if (name == wanted) return what;
  return "";
}

// Modicon's numbers: the first digit is the table, and they count from 1. Empty when it is none.
std::string modicon(std::string_view address) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(address.data(), address.data() + address.size(), number);
  if (error != std::errc{} || end != address.data() + address.size() || (address.size() != 5 && address.size() != 6))
    return "";
  const std::uint32_t base = address.size() == 5 ? 10'000 : 100'000;
  const std::uint32_t table = number / base, within = number % base;
  const std::string_view name = table == 0   ? "coil"
                                : table == 1 ? "discrete"
                                : table == 3 ? "input"
                                : table == 4 ? "holding"
                                             : "";
  return name.empty() || within == 0 ? "" : fmt::format("{}/{}", name, within - 1);
}

// As OPC servers name their types, to ours; empty when there is none.
std::string type_named(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {"bool", "bool"},      {"boolean", "bool"},  {"short", "int16"},   {"word", "uint16"},
      {"long", "int32"},     {"dword", "uint32"},  {"float", "float32"}, {"real", "float32"},
      {"double", "float64"}, {"lreal", "float64"}, {"int", "int16"},     {"uint", "uint16"},
      {"dint", "int32"},     {"udint", "uint32"},  {"llong", "int64"},   {"qword", "uint64"}};
  const std::string wanted = lower(text);
  if (signal_type_named(wanted)) return wanted;
  for (const auto& [name, ours] : kTypes)
    if (name == wanted) return std::string(ours);
  return "";
}

}  // namespace

std::string plain_name(std::string_view text) {
  std::string name;
  for (const char c : trim(text)) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
    name += plain ? c : '_';
  }
  if (name.empty() || (name[0] >= '0' && name[0] <= '9') || name[0] == '-') name.insert(0, "n_");
  return name;
}

Result<Imported> import_csv(std::string_view text, const std::string& file, const CsvImport& options) {
  if (text.size() > kMostImportBytes) return fail_at({file}, "a file of {} bytes", text.size());
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::size_t at = 0;
  int line = 1;
  std::map<std::string_view, std::size_t> columns;
  const std::vector<std::string> header = take_record(text, at, line);
  for (std::size_t i = 0; i < header.size(); ++i)
    if (const std::string_view what = meaning(header[i]); !what.empty()) columns.emplace(what, i);
  if (!columns.contains("name") || !columns.contains("address"))
    return fail_at({file, 1}, "the first line must name the columns; 'name' (or 'tag name') and 'address' are needed");
  Imported out;
  std::map<std::string, std::size_t> device_of;
  std::size_t tags = 0;
  while (at < text.size()) {
    const int begin = line;
    const std::vector<std::string> cells = take_record(text, at, line);
    const auto cell = [&](std::string_view what) {
      const auto column = columns.find(what);
      return column == columns.end() || column->second >= cells.size() ? std::string()
                                                                       : std::string(trim(cells[column->second]));
    };
    ImportedTag tag;
    if (cell("name").empty() && cell("address").empty()) continue;
    tag.name = plain_name(cell("name"));
    const std::string address = cell("address"), known = modicon(address);
    tag.address = known.empty() ? address : known;
    if (tag.address.empty() || tag.address.find_first_of("\"\n\\") != std::string::npos) {
      out.left_out.push_back(
          fmt::format("{}:{}: '{}' has no address that could be carried over", file, begin, tag.name));
      continue;
    }
    tag.type = type_named(cell("type"));
    if (tag.type.empty() && !cell("type").empty())
      out.left_out.push_back(
          fmt::format("{}:{}: type '{}' of '{}': taken as it comes", file, begin, plain_name(cell("type")), tag.name));
    if (!known.empty() && known.find("coil") != 0 && known.find("discrete") != 0 && !tag.type.empty() &&
        tag.type != "bool")
      tag.address += ":" + tag.type;
    if (const std::string unit = cell("unit"); !unit.empty()) {
      if (Unit::parse(unit) && unit.find_first_of("\"\\\n") == std::string::npos)
        tag.unit = unit;
      else
        out.left_out.push_back(
            fmt::format("{}:{}: unit '{}' of '{}' is not known here", file, begin, plain_name(unit), tag.name));
    }
    if (const std::string poll = cell("poll"); !poll.empty() && parse_duration(poll)) tag.poll = poll;
    if (const std::string scan = cell("scan"); !scan.empty() && parse_integer(scan)) tag.poll = scan + "ms";
    const std::string device = cell("device").empty() ? options.device : plain_name(cell("device"));
    const auto [index, added] = device_of.try_emplace(device, out.devices.size());
    if (added) out.devices.push_back({device, fmt::format("{{modbus: {{endpoint: \"{}\"}}}}", options.endpoint), {}});
    out.devices[index->second].tags.push_back(std::move(tag));
    if (++tags > kMostImportedTags) return fail_at({file, begin}, "more than {} tags", kMostImportedTags);
  }
  if (tags == 0) return fail_at({file, line}, "there is no tag in this file");
  return out;
}

std::string site_of(const Imported& imported, const std::string& source) {
  std::string out = fmt::format("# Made by `alara import` from {}.\n", source);
  for (const std::string& line : imported.left_out) out += "# left out: " + line + "\n";
  out += "node: imported\n\nconnectors:\n";
  std::set<std::string> names;
  std::vector<std::string> devices;
  for (const ImportedDevice& device : imported.devices) {
    std::string name = device.name;
    for (int n = 2; !names.insert(name).second; ++n) name = fmt::format("{}-{}", device.name, n);
    devices.push_back(name);
    out += fmt::format("  {}: {}\n", name, device.connector);
  }
  std::string types, assets;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    types += fmt::format("  {}-type:\n    signals:\n", devices[i]);
    assets += fmt::format("  {}:\n    type: {}-type\n    from:\n", devices[i], devices[i]);
    std::set<std::string> signals;
    for (const ImportedTag& tag : imported.devices[i].tags) {
      std::string name = tag.name;
      for (int n = 2; !signals.insert(name).second; ++n) name = fmt::format("{}_{}", tag.name, n);
      std::string options;
      const auto add = [&options](std::string_view key, const std::string& value) {
        if (!value.empty()) options += fmt::format("{}{}: {}", options.empty() ? "" : ", ", key, value);
      };
      add("unit", tag.unit.empty() ? "" : "\"" + tag.unit + "\"");
      add("type", tag.type);
      add("poll", tag.poll);
      types += fmt::format("      {}: {{{}}}\n", name, options);
      assets += fmt::format("      {}: \"{}/{}\"\n", name, devices[i], tag.address);
    }
  }
  return out + "\nasset_types:\n" + types + "\nassets:\n" + assets +
         "\n# Next: pipelines (docs/site-file.md), as\n# pipelines:\n#   up: {for: " +
         (devices.empty() ? std::string("TYPE") : devices.front() + "-type") +
         ", publish: {values: \"*\", to: \"cloud/plant/{asset}/{value}\"}}\n";
}

}  // namespace alara::node
