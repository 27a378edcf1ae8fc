// SPDX-License-Identifier: Apache-2.0
// Any text as the options of a window step: it is refused with a message, or makes windows that take any sample.
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/document.hpp"
#include "flow/window/window.hpp"

using namespace alara;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto document = parse_document(text, "fuzz");
  if (!document) return 0;
  std::vector<Error> errors;
  flow::window_kind().schema().check(*document, errors);
  if (!errors.empty()) return 0;
  const auto inputs = flow::window_kind().inputs(*document);
  if (!inputs) return 0;
  std::vector<ValueInfo> infos(inputs->size());
  std::vector<AssetId> assets(2);
  OperatorContext context;
  context.assets = assets;
  auto made = flow::window_kind().make(*document, infos, context);
  if (!made || made->memory_bound > (64u << 20)) return 0;
  std::vector<double> values(size / 8);
  std::vector<Nanos> times(size / 8);
  std::memcpy(values.data(), data, values.size() * 8);
  std::memcpy(times.data(), data, times.size() * 8);
  FrameBuilder out(made->outputs.size());
  const std::vector<std::span<const double>> columns(infos.size(), values);
  made->code->process(Frame{{}, 1, times, {}, columns, 0}, out);
  made->code->advance(kNever, kNever, out);
  return 0;
}
