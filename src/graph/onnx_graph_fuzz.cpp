// SPDX-License-Identifier: Apache-2.0
// Any bytes: read, upgraded, their shapes inferred, written and read again. Errors are fine, crashes and growth are
// not.
#include "graph/onnx_file.hpp"
#include "graph/shapes.hpp"
#include "graph/upgrade.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara::graph;
  auto model = parse_onnx(std::as_bytes(std::span(data, size)));
  if (!model || !upgrade(*model)) return 0;
  static_cast<void>(infer_shapes(*model));
  remove_unused(model->graph);
  const auto bytes = to_onnx(*model);
  if (!bytes) return 0;
  const auto again = parse_onnx(std::as_bytes(std::span(bytes->data(), bytes->size())));
  ALARA_ASSERT(again.has_value(), "what was written can be read");
  ALARA_ASSERT(*to_onnx(*again) == *bytes, "and is the same");
  return 0;
}
