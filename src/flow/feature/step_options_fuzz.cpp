// SPDX-License-Identifier: Apache-2.0
// Options of `features` and `filter` as any document: what passes the schema is made and fed, or refused with a
// sentence.
#include <cstddef>
#include <cstdint>

#include "flow/feature/features.hpp"
#include "flow/feature/filter.hpp"
#include "flow/feature/step_fixture.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara;
  const std::string yaml(reinterpret_cast<const char*>(data), size);
  for (const OperatorKind* kind : {&flow::features_kind(), &flow::filter_kind()})
    for (const std::size_t inputs : {1u, 2u}) {
      std::vector<ValueInfo> signals{flow::test::signal("v", "mm/s2", 6400), flow::test::signal("rpm", "rpm")};
      signals.resize(inputs);
      auto made = flow::test::make_step(*kind, yaml, signals);
      if (!made) {
        if (made.error().message.empty()) __builtin_trap();
        continue;
      }
      flow::test::Rows rows(std::vector<double>(64, 1.0), 0, kMillisecond);
      rows.columns.resize(inputs, std::vector<double>(64, 600.0));
      static_cast<void>(flow::test::run(*made, rows));
    }
  return 0;
}
