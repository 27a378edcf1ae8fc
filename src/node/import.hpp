// SPDX-License-Identifier: Apache-2.0
// Site files out of what others have: Telegraf's Modbus configuration, and CSV lists of tags. What can not be carried
// over is a comment in the result, with its line; nothing is left out silently.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace alara::node {

inline constexpr std::size_t kMostImportBytes = 16u << 20;
inline constexpr std::size_t kMostImportedTags = 100'000;

struct ImportedTag {
  std::string name, unit, type, address, poll;  // `type` is a SignalType's name; empty = not told
};
struct ImportedDevice {
  std::string name, connector;  // `connector`: its line behind "name: ", as "{modbus: {endpoint: …}}"
  std::vector<ImportedTag> tags;
};
struct Imported {
  std::vector<ImportedDevice> devices;
  std::vector<std::string> left_out;  // "telegraf.conf:12: … can not be carried over"
};

// [[inputs.modbus]] tables, by register lists or by requests.
[[nodiscard]] Result<Imported> import_telegraf(std::string_view text, const std::string& file);

// A header line and a tag in each line. Columns are found by their usual names (name, tag name; address; type, data
// type; unit, units; poll, scan rate; device, connector). Addresses are ours, or Modicon's numbers (400001).
struct CsvImport {
  std::string device = "plc";  // of tags without a device column
  std::string endpoint = "tcp://127.0.0.1:502";
};
[[nodiscard]] Result<Imported> import_csv(std::string_view text, const std::string& file, const CsvImport& options);

// A whole site file, with a pipeline that publishes nothing yet.
[[nodiscard]] std::string site_of(const Imported& imported, const std::string& source);
// A name that a site file takes: letters, digits, _ and -.
[[nodiscard]] std::string plain_name(std::string_view text);

}  // namespace alara::node
