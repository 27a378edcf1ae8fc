// SPDX-License-Identifier: Apache-2.0
// What a server has: its nodes as a tree, for people who look for the address of a value.
#pragma once

#include <string>
#include <vector>

#include "connect/opcua/settings.hpp"

namespace alara::opcua {

struct BrowseOptions {
  std::string from = "i=85";  // the Objects folder
  int depth = 4;
  std::size_t most = 2000;  // nodes
};

struct BrowsedNode {
  int depth = 0;
  std::string id;    // as an address is written
  std::string name;  // browse name
  enum class Kind : std::uint8_t { object, variable, method, other } kind = Kind::other;
  std::string type, value, unit;  // of a variable; what can not be read is empty
  bool number = false;            // a scalar that a signal can be
  bool writable = false;
};

struct Browsed {
  std::vector<BrowsedNode> nodes;  // in the order of a tree
  bool cut = false;                // there are more than `most`
};

[[nodiscard]] Result<Browsed> browse(const Settings& settings, const BrowseOptions& options, Clock& clock);

// For a terminal, and as the signals and `from` entries of a site file (`connector` is the name used there).
[[nodiscard]] std::string format_tree(const Browsed& browsed);
[[nodiscard]] std::string format_signals(const Browsed& browsed, const std::string& connector);

}  // namespace alara::opcua
