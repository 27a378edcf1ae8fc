// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

#include <cstdio>
#include <cstdlib>

namespace alara {

std::string Where::text() const {
  if (!known()) return {};
  if (line == 0) return file;
  return column == 0 ? fmt::format("{}:{}", file, line) : fmt::format("{}:{}:{}", file, line, column);
}

std::string Error::text() const {
  std::string out = where.known() ? where.text() + ": " + message : message;
  if (!hint.empty()) out += " (" + hint + ")";
  return out;
}

void abort_with(std::string_view what, const char* file, int line) {
  std::fprintf(stderr, "alara: bug at %s:%d: %.*s\n", file, line, static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace alara
