// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <span>

#include "infer/inspect.hpp"
#include "infer/onnx_file.hpp"
#include "infer/ports.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara::infer;
  const auto info = parse_onnx(std::as_bytes(std::span(data, size)));
  if (!info) return 0;
  for (const auto& input : info->inputs) static_cast<void>(input.text());
  for (const std::size_t values : {std::size_t{1}, std::size_t{8}})
    for (const std::size_t history : {std::size_t{1}, std::size_t{3}}) {
      const auto ports = fit_inputs(*info, {values, history, 16, {}});
      if (!ports) continue;
      std::size_t elements = 0;
      for (const Port& port : ports->ports) elements += port.elements;
      if (elements != values * history) __builtin_trap();
    }
  return 0;
}
