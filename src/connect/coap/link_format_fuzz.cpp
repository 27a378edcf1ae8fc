// SPDX-License-Identifier: Apache-2.0
// Lists of resources of any content: no crash, bounded, and every path begins with '/'.
#include <cstdint>
#include <cstdlib>

#include "connect/coap/link_format.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara::coap;
  const auto links = parse_links({reinterpret_cast<const char*>(data), size});
  if (!links) return 0;
  if (links->size() > kMostLinks) std::abort();
  for (const Link& link : *links)
    if (!link.path.starts_with('/')) std::abort();
  return 0;
}
