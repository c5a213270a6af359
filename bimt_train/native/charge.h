/* The gradient of the connection cost, added to that of the loss: one pass over the entries of a tensor.
 *
 * Included once for each set of instructions, with CHARGE as the function's name. Every number is rounded as torch
 * rounds it: no product is fused with the sum after it, since the sign is set between the two.
 */
#include "engine.h"
#include <math.h>
#include <string.h>

/* Entries of one row, from begin to end. D dimensions are unrolled where the compiler knows their number. */
INLINE void charge_row(const Charged *c, long row, long begin, long end, const long D) {
    float *restrict gradient = c->gradient + row * c->columns;
    const float *restrict w = c->w + row * c->columns, *restrict here = c->here + row, *restrict there = c->there;
    const float constant = c->constant, strength = c->strength;
    for (long j = begin; j < end; j++) {
        float price = constant, charge;
        if (D) {
            price = fabsf(here[0] - there[j]);
            for (long k = 1; k < D; k++) price += fabsf(here[k * c->rows] - there[k * c->columns + j]);
            price += constant;
        }
        price *= strength;
        uint32_t sign, bits, pays = -(uint32_t)((w[j] > 0.f) | (w[j] < 0.f)); /* all bits, or none for 0 and NaN */
        memcpy(&sign, &w[j], sizeof sign);
        memcpy(&bits, &price, sizeof bits);
        bits = (bits ^ (sign & 0x80000000u)) & pays;
        memcpy(&charge, &bits, sizeof charge);
        gradient[j] += charge;
    }
}

void CHARGE(const Charged *c, long begin, long end) {
    while (begin < end) {
        long row = begin / c->columns, first = begin % c->columns, last = first + end - begin;
        if (last > c->columns) last = c->columns;
        switch (c->dimensions) {
        case 0: charge_row(c, row, first, last, 0); break;
        case 1: charge_row(c, row, first, last, 1); break;
        case 2: charge_row(c, row, first, last, 2); break;
        default: charge_row(c, row, first, last, c->dimensions); break;
        }
        begin += last - first;
    }
}
