// SPDX-License-Identifier: Apache-2.0
// Any bytes as an .npy file, the text behind its end as an address: what is accepted lies within the file.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "connect/file/npy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara::file;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto header = parse_series_header(std::span(bytes.data(), std::min(size, alara::kMaxNpyHeader)), size);
  if (!header) return 0;
  for (const std::string_view address :
       {std::string_view("[:]"), std::string_view("[:, 0]"), std::string_view("[:, :, 1]"),
        bytes.substr(size - std::min<std::size_t>(size, 12))}) {
    const auto series = parse_npy_address(address, header->shape);
    if (!series || series->records == 0 || series->samples == 0) continue;
    const std::uint64_t last =
        series->first + (series->records - 1) * series->record_stride + (series->samples - 1) * series->sample_stride;
    if (header->data_offset + (last + 1) * header->item_size > size) std::abort();
  }
  return 0;
}
