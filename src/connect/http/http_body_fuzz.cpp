// SPDX-License-Identifier: Apache-2.0
// Pushed bodies of any content: no crash, and every point is accepted or rejected, as the receipt says.
#include <cstddef>

#include "connect/http/intake.hpp"

namespace {

class Tally final : public alara::Inlet {
 public:
  void push(const alara::Batch& batch) override { accepted += batch.size(); }
  void reject(std::string_view, std::uint64_t points) override { rejected += points; }
  void finished() override {}
  std::size_t accepted = 0, rejected = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace alara;
  http::Intake intake;
  std::uint32_t number = 0;
  for (const char* address : {"/a", "/a#x", "/a#b.c[1]", "line:m f", "line:m,t=1 g"}) {
    SignalBinding signal;
    signal.signal = SignalId{number++};
    signal.address = address;
    if (!intake.add(signal)) __builtin_trap();
  }
  const std::string_view body(reinterpret_cast<const char*>(bytes), size);
  Tally json, lines;
  const auto first = intake.json().take("/a", body, 0, 0, json);
  const auto second = intake.take_lines(body, 1, 0, 0, lines);
  if (first.accepted != json.accepted || first.rejected != json.rejected) __builtin_trap();
  if (second.accepted != lines.accepted || second.rejected != lines.rejected) __builtin_trap();
  return 0;
}
