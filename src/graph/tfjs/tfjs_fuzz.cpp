// SPDX-License-Identifier: Apache-2.0
// Text up to the first byte 0 is model.json, what follows are the weights.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "graph/onnx_file.hpp"
#include "graph/tfjs/tfjs_model.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara;
  using namespace alara::graph;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view json = all.substr(0, all.find('\0'));
  const auto weights = std::as_bytes(std::span(all.substr(std::min(json.size() + 1, all.size()))));
  const auto model = parse_tfjs(json, [weights](const std::string&) -> Result<std::vector<std::byte>> {
    return std::vector<std::byte>(weights.begin(), weights.end());
  });
  if (!model) return 0;
  if (!check(*model)) __builtin_trap();
  const auto bytes = to_onnx(*model);
  if (bytes && !parse_onnx(std::as_bytes(std::span(*bytes)))) __builtin_trap();
  return 0;
}
