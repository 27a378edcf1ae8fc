// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <span>

#include "graph/onnx_file.hpp"
#include "graph/tflite/tflite_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara::graph;
  const auto model = parse_tflite(std::as_bytes(std::span(data, size)));
  if (!model) return 0;
  if (!check(*model)) __builtin_trap();
  const auto bytes = to_onnx(*model);
  if (bytes && !parse_onnx(std::as_bytes(std::span(*bytes)))) __builtin_trap();
  return 0;
}
