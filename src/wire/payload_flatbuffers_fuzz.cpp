// SPDX-License-Identifier: Apache-2.0
// Any bytes as points in FlatBuffers; payload_points_fuzz.hpp says what must hold.
#include "wire/payload_points_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return alara::wire::fuzz_points(alara::wire::PointFormat::flatbuffers, {data, size});
}
