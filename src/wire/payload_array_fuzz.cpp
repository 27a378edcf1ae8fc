// SPDX-License-Identifier: Apache-2.0
// Any bytes as an array payload: what is accepted must decode within its bounds and survive being written again.
#include <cstdlib>
#include <vector>

#include "wire/payload_array.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara::wire;
  const std::span<const std::uint8_t> payload(data, size);
  ArrayView view;
  if (read_array(payload, {}, view) == PayloadFault::none) {
    std::vector<double> values(view.count);
    decode_elements(view, values);
    std::vector<std::uint8_t> written;
    write_array({view.type, view.time, view.step}, values, written);
    if (written.size() != size) std::abort();
  }
  for (int type = 1; type <= 10; ++type) {
    if (read_bare_array(payload, static_cast<ElementType>(type), {}, view) != PayloadFault::none) continue;
    std::vector<double> values(view.count);
    decode_elements(view, values);
  }
  return 0;
}
