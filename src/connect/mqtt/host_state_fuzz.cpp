// SPDX-License-Identifier: Apache-2.0
// Anything on a STATE topic is a state or an error, and an old one changes nothing.
#include "connect/mqtt/host_state.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara::mqtt;
  const auto state = read_host_state({data, size});
  if (!state) {
    ALARA_ASSERT(!state.error().message.empty(), "an error has a sentence");
    return 0;
  }
  PrimaryHost host;
  host.hear(*state);
  ALARA_ASSERT(host.online() == (state->online && state->time >= 0), "the first message tells");
  ALARA_ASSERT(!host.hear({!state->online, state->time - 1}), "an old message changes nothing");
  return 0;
}
