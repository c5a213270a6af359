/* Both functions with the instructions that every machine of this kind has (SSE2, NEON, ...). */
#define ADVANCE advance_plain
#define CHARGE charge_plain
#include "charge.h"
#include "steps.h"
