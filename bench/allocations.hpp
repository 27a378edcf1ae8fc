// SPDX-License-Identifier: Apache-2.0
// Counts this program's calls of operator new, per thread: what "no allocation on the hot path" is measured with.
#pragma once

#include <cstdint>

namespace alara::bench {

// Calls of operator new by the calling thread so far. Under a sanitizer, which has its own operator new, always 0:
// counts_allocations() is then false.
[[nodiscard]] std::uint64_t allocations_of_this_thread();
[[nodiscard]] bool counts_allocations();

}  // namespace alara::bench
