// SPDX-License-Identifier: Apache-2.0
// Any bytes as an expression: it compiles or says why not, and the two evaluations agree bit by bit.
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "expr/expression.hpp"

using namespace alara;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<ValueInfo> values = {{"a", {}, 0, false},
                                                {"b", *Unit::parse("A"), 0, false},
                                                {"load.mean", *Unit::parse("mm/s2"), 0, false},
                                                {"t", *Unit::parse("degC"), 0, false},
                                                {"k", *Unit::parse("K"), 0, false},
                                                {"on", {}, 0, true}};
  const expr::Source source{std::string(reinterpret_cast<const char*>(data), size), {"fuzz", 1, 1}};
  auto program = expr::compile(source, values);
  if (!program) {
    ALARA_ASSERT(!program.error().message.empty(), "an error says what is wrong");
    return 0;
  }
  static const std::vector<double> samples = {0, 1, -2.5, 1e300, std::nan(""), std::numeric_limits<double>::infinity(),
                                              7};
  std::vector<std::vector<double>> columns(values.size());
  std::vector<std::span<const double>> spans;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    for (std::size_t i = 0; i < samples.size(); ++i) columns[c].push_back(samples[(i * (c + 1) + c) % samples.size()]);
    spans.emplace_back(columns[c]);
  }
  std::vector<double> out(samples.size()), row(values.size());
  program->evaluate(spans, out);
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (std::size_t c = 0; c < columns.size(); ++c) row[c] = columns[c][i];
    const double expected = program->evaluate(row);
    ALARA_ASSERT(std::isnan(expected) ? std::isnan(out[i])
                                      : std::bit_cast<std::uint64_t>(out[i]) == std::bit_cast<std::uint64_t>(expected),
                 "columns and rows agree");
  }
  return 0;
}
