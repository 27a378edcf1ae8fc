// SPDX-License-Identifier: Apache-2.0
// For the tests of this folder: a step made from the text a user would write, and frames to feed it.
#pragma once

#include <string>
#include <vector>

#include "core/operator.hpp"

namespace alara::flow::test {

// Calls of operator new in this test program (allocations_test.cpp replaces it).
std::uint64_t allocations_so_far();

inline ValueInfo signal(const std::string& name, const std::string& unit, double rate_hz = 0) {
  return {name, Unit::parse(unit).value_or(Unit{}), rate_hz, false};
}

inline Result<OperatorKind::Made> make_step(const OperatorKind& kind, const std::string& yaml,
                                            const std::vector<ValueInfo>& inputs, std::size_t slots = 1) {
  ALARA_TRY(const Node node, parse_document(yaml, "site.yaml"));
  std::vector<Error> errors;
  kind.schema().check(node, errors);
  if (!errors.empty()) return tl::unexpected<Error>(errors.front());
  ALARA_TRY(const std::vector<std::string> names, kind.inputs(node));
  if (names.size() != inputs.size()) return fail(ErrorKind::bad_input, "reads {} inputs", names.size());
  const std::vector<AssetId> assets(slots);
  OperatorContext context;
  context.assets = assets;
  return kind.make(node, inputs, context);
}

inline std::string refusal(const OperatorKind& kind, const std::string& yaml, const std::vector<ValueInfo>& inputs) {
  const auto made = make_step(kind, yaml, inputs);
  return made ? "accepted" : made.error().text();
}

// Rows of one slot at a fixed step, owned.
struct Rows {
  std::vector<Nanos> time;
  std::vector<Quality> quality;
  std::vector<std::vector<double>> columns;
  std::vector<std::span<const double>> spans;
  std::uint32_t slot = 0;

  Rows(std::vector<double> values, Nanos start, Nanos step) : columns{std::move(values)} {
    for (std::size_t i = 0; i < columns[0].size(); ++i) time.push_back(start + static_cast<Nanos>(i) * step);
  }
  Frame frame() {
    spans.assign(columns.begin(), columns.end());
    return Frame{{}, slot, time, quality, spans, 0};
  }
};

struct Emitted {
  std::uint32_t slot;
  Nanos time;
  Quality quality;
  std::vector<double> values;
};

inline std::vector<Emitted> rows_of(FrameBuilder& builder) {
  std::vector<Emitted> out;
  const Frame frame = builder.view(0);
  for (std::size_t i = 0; i < frame.size(); ++i) {
    out.push_back({frame.slot_at(i), frame.time[i], frame.quality_at(i), {}});
    for (std::size_t k = 0; k < frame.columns.size(); ++k) out.back().values.push_back(frame.column(k)[i]);
  }
  return out;
}

inline std::vector<Emitted> run(OperatorKind::Made& made, Rows& rows) {
  FrameBuilder out(made.outputs.size());
  made.code->process(rows.frame(), out);
  return rows_of(out);
}

inline std::uint64_t counter(const Operator& code, std::string_view name) {
  std::vector<Operator::Counter> all;
  code.counters(all);
  for (const auto& one : all)
    if (one.name == name) return one.value;
  return UINT64_MAX;
}

}  // namespace alara::flow::test
