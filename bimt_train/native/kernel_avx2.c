/* Both functions with AVX2; the others of this name are there for linking, and never chosen. */
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("arch=haswell")
#endif
#endif
#define ADVANCE advance_avx2
#define CHARGE charge_avx2
#include "charge.h"
#include "steps.h"
#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute pop
#endif
