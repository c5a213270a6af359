/* Steps with the instructions that every machine of this kind has (SSE2, NEON, ...). */
#define ADVANCE advance_plain
#include "kernel.h"
