/* Both functions with AVX-512; the others of this name are there for linking, and never chosen. */
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma"))), apply_to = function)
#else
#pragma GCC target("arch=skylake-avx512")
#endif
#endif
#define ADVANCE advance_avx512
#define CHARGE charge_avx512
#include "charge.h"
#include "steps.h"
#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute pop
#endif
