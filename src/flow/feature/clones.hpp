// SPDX-License-Identifier: Apache-2.0
// ALARA_CLONES before a hot loop builds it also for AVX2 and AVX-512 and picks at program start. Left out under the
// sanitizers, whose start-up does not stand the resolvers, and where FMA contraction is none of ours to allow.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define ALARA_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define ALARA_CLONES
#endif
