// SPDX-License-Identifier: Apache-2.0
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>

#include "node/import.hpp"

namespace alara::node {
namespace {

class TelegrafReader {
 public:
  explicit TelegrafReader(const std::string& file) : file_(file) {}

  Result<Imported> read(std::string_view text) {
    toml::parse_result parsed = toml::parse(text, file_);
    if (!parsed) {
      const toml::source_position at = parsed.error().source().begin;
      return fail_at({file_, static_cast<int>(at.line), static_cast<int>(at.column)}, "{}",
                     parsed.error().description());
    }
    const toml::array* devices = parsed.table()["inputs"]["modbus"].as_array();
    if (devices == nullptr) return fail_at({file_}, "there is no [[inputs.modbus]] table in this file");
    for (const toml::node& node : *devices)
      if (const toml::table* table = node.as_table()) ALARA_CHECK(device(*table));
    return std::move(out_);
  }

 private:
  int line_of(const toml::node& node) const { return static_cast<int>(node.source().begin.line); }
  template <typename... Args>
  void leave_out(const toml::node& node, fmt::format_string<Args...> format, Args&&... args) {
    out_.left_out.push_back(
        fmt::format("{}:{}: {}", file_, line_of(node), fmt::format(format, std::forward<Args>(args)...)));
  }
  static std::string text(const toml::table& table, std::string_view key, std::string fallback = {}) {
    return table[key].value_or(std::move(fallback));
  }

  Status device(const toml::table& table) {
    ImportedDevice device;
    device.name = plain_name(text(table, "name", fmt::format("device-{}", out_.devices.size() + 1)));
    const std::string controller = text(table, "controller");
    if (!controller.starts_with("tcp://")) {
      leave_out(table, "controller '{}' of '{}' is no TCP device", controller, device.name);
      return {};
    }
    unit_ = table["slave_id"].value_or(std::int64_t{1});
    device.connector = fmt::format("{{modbus: {{endpoint: \"{}\", unit: {}}}}}", controller, unit_);
    if (const std::string timeout = text(table, "timeout"); !timeout.empty())
      device.connector =
          fmt::format("{{modbus: {{endpoint: \"{}\", unit: {}, timeout: {}}}}}", controller, unit_, timeout);
    constexpr std::pair<std::string_view, std::string_view> kLists[] = {{"discrete_inputs", "discrete"},
                                                                        {"coils", "coil"},
                                                                        {"holding_registers", "holding"},
                                                                        {"input_registers", "input"}};
    for (const auto& [key, table_name] : kLists)
      if (const toml::array* list = table[key].as_array())
        for (const toml::node& entry : *list)
          if (const toml::table* tag = entry.as_table()) ALARA_CHECK(register_tag(*tag, table_name, device));
    if (const toml::array* requests = table["request"].as_array())
      for (const toml::node& node : *requests)
        if (const toml::table* request = node.as_table()) ALARA_CHECK(read_request(*request, device));
    if (device.tags.empty())
      leave_out(table, "'{}' has nothing to read", device.name);
    else
      out_.devices.push_back(std::move(device));
    return {};
  }

  // { name = "energy", byte_order = "ABCD", data_type = "FIXED", scale = 0.001, address = [5, 6] }
  Status register_tag(const toml::table& tag, std::string_view table, ImportedDevice& device) {
    const toml::array* addresses = tag["address"].as_array();
    if (addresses == nullptr || addresses->empty() || !(*addresses)[0].is_integer()) {
      leave_out(tag, "'{}' has no address = […]", text(tag, "name"));
      return {};
    }
    const std::int64_t first = (*addresses)[0].value_or(std::int64_t{-1});
    for (std::size_t i = 1; i < addresses->size(); ++i)
      if ((*addresses)[i].value_or(std::int64_t{-1}) != first + static_cast<std::int64_t>(i)) {
        leave_out(tag, "the registers of '{}' do not follow each other", text(tag, "name"));
        return {};
      }
    return add(tag, table, first, addresses->size(), text(tag, "data_type"), text(tag, "byte_order"), unit_, device);
  }

  Status read_request(const toml::table& request, ImportedDevice& device) {
    const std::string table = text(request, "register", "holding");
    if (table != "coil" && table != "discrete" && table != "holding" && table != "input") {
      leave_out(request, "register = '{}' is none of coil, discrete, holding and input", table);
      return {};
    }
    const std::int64_t unit = request["slave_id"].value_or(unit_);
    const std::string order = text(request, "byte_order", "ABCD");
    const toml::array* fields = request["fields"].as_array();
    if (fields == nullptr) return {};
    for (const toml::node& node : *fields) {
      const toml::table* field = node.as_table();
      if (field == nullptr || (*field)["omit"].value_or(false)) continue;
      ALARA_CHECK(add(*field, table, (*field)["address"].value_or(std::int64_t{-1}), 0, text(*field, "type"), order,
                      unit, device));
    }
    return {};
  }

  // `registers`: how many the tag says it has; 0: as many as its type.
  Status add(const toml::table& tag, std::string_view table, std::int64_t address, std::size_t registers,
             std::string type, const std::string& order, std::int64_t unit, ImportedDevice& device) {
    if (++tags_ > kMostImportedTags) return fail_at({file_, line_of(tag)}, "more than {} tags", kMostImportedTags);
    ImportedTag made;
    made.name = plain_name(text(tag, "name", fmt::format("{}_{}", table, address)));
    if (address < 0 || address > 65535) {
      leave_out(tag, "'{}': {} is no address of 0 to 65535", made.name, address);
      return {};
    }
    const std::string where =
        unit == unit_ ? fmt::format("{}/{}", table, address) : fmt::format("{}@{}/{}", unit, table, address);
    if (table == "coil" || table == "discrete") {
      made.type = "bool";
      made.address = where;
      device.tags.push_back(std::move(made));
      return {};
    }
    std::ranges::transform(type, type.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (type == "BIT") {
      made.type = "bool";
      made.address = fmt::format("{}.{}", where, tag["bit"].value_or(std::int64_t{0}));
      device.tags.push_back(std::move(made));
      return {};
    }
    const std::string ours = format_of(type, registers);
    if (ours.empty()) {
      leave_out(tag, "'{}': type {} over {} registers can not be carried over", made.name, type.empty() ? "-" : type,
                registers);
      return {};
    }
    made.address = where + ":" + ours + order_of(order);
    if (const auto scale = tag["scale"].value<double>(); scale && *scale != 1)
      made.address += fmt::format("*{}", *scale);
    made.type = tag["scale"] || ours.ends_with("64") ? "float64" : ours;
    device.tags.push_back(std::move(made));
    return {};
  }

  static std::string format_of(const std::string& type, std::size_t registers) {
    if (type == "FIXED" || type == "UFIXED") {
      if (registers != 1 && registers != 2 && registers != 4) return "";
      return fmt::format("{}{}", type == "FIXED" ? "int" : "uint", 16 * registers);
    }
    constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
        {"INT16", "int16"},     {"UINT16", "uint16"},       {"INT32", "int32"},     {"UINT32", "uint32"},
        {"INT64", "int64"},     {"UINT64", "uint64"},       {"FLOAT32", "float32"}, {"FLOAT32-IEEE", "float32"},
        {"FLOAT64", "float64"}, {"FLOAT64-IEEE", "float64"}};
    for (const auto& [theirs, ours] : kTypes)
      if (theirs == type) return std::string(ours);
    return "";
  }
  // Of eight bytes as of four: what comes first, and whether the bytes of a register are swapped.
  static std::string order_of(const std::string& order) {
    if (order == "CDAB" || order == "GHEFCDAB") return "CDAB";
    if (order == "BADC" || order == "BADCFEHG") return "BADC";
    if (order == "DCBA" || order == "HGFEDCBA" || order == "BA") return "DCBA";
    return "";
  }

  const std::string& file_;
  std::int64_t unit_ = 1;
  std::size_t tags_ = 0;
  Imported out_;
};

}  // namespace

Result<Imported> import_telegraf(std::string_view text, const std::string& file) {
  if (text.size() > kMostImportBytes) return fail_at({file}, "a file of {} bytes", text.size());
  return TelegrafReader(file).read(text);
}

}  // namespace alara::node
