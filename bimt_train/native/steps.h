/* Steps of a stack of small networks: gradient, connection cost's subgradient and Adam, one network after the other.
 *
 * Included once for each set of instructions, with ADVANCE as the function's name. Rows lie in the lanes of vector
 * registers, 16 at a time, and all that one network needs for a step stays in the cache. A network's numbers depend on
 * nothing but its own data, so that seed k gives the same weights alone and in a stack. torch's path is the reference.
 */
#include "engine.h"
#include <math.h>
#include <string.h>

#define SEPARATE static __attribute__((noinline))
typedef int32_t ilanes __attribute__((vector_size(4 * LANES)));
typedef float eight __attribute__((vector_size(32)));
typedef float four __attribute__((vector_size(16)));
typedef int32_t ifour __attribute__((vector_size(16)));

#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, (ifour){i, j, k, l})
#endif

/* ---- functions of 16 numbers ---------------------------------------------------------------------------------- */

INLINE lanes all(float a) { return (lanes){a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a}; }
INLINE lanes pick(ilanes yes, lanes a, lanes b) { return (lanes)((yes & (ilanes)a) | (~yes & (ilanes)b)); }
INLINE lanes magnitude(lanes x) { return (lanes)((ilanes)x & 0x7fffffff); }

/* exp(x) within two units in the last place: 2^k exp(r), k the nearest whole number, exp(r) by its series. */
INLINE lanes exponential(lanes x) {
    x = pick(x > all(88.f), all(88.f), x);
    x = pick(x < all(-87.f), all(-87.f), x);
    const lanes shift = all(12582912.f); /* 1.5 * 2^23: adding it rounds to a whole number */
    lanes k = (x * 1.44269504f + shift) - shift;
    lanes r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
    lanes p = all(1.9841270e-4f);
    p = p * r + 1.3888889e-3f;
    p = p * r + 8.3333333e-3f;
    p = p * r + 4.1666667e-2f;
    p = p * r + 1.6666667e-1f;
    p = p * r + 0.5f;
    p = p * r * r + r + 1.f;
    return p * (lanes)((__builtin_convertvector(k, ilanes) + 127) << 23);
}

INLINE lanes sigmoid(lanes x) { return 1.f / (1.f + exponential(-x)); }

/* tanh by exp, and near zero, where that cancels, by its series. */
INLINE lanes tangent(lanes x) {
    lanes a = magnitude(x), t = exponential(-2.f * a), s = x * x;
    lanes far = (1.f - t) / (1.f + t);
    lanes near = a * (1.f + s * (-0.33333333f + s * (0.13333333f + s * (-0.053968254f + s * 0.021869489f))));
    lanes sized = pick(a < all(0.3f), near, far);
    return (lanes)((ilanes)sized | ((ilanes)x & (int32_t)0x80000000));
}

/* The normal distribution function; Abramowitz and Stegun 7.1.26, within 1.5e-7. */
INLINE lanes normal_share(lanes x) {
    lanes z = magnitude(x) * 0.70710678f, t = 1.f / (1.f + 0.3275911f * z);
    lanes p = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    lanes tail = 0.5f * p * exponential(-z * z);
    return pick(x > all(0.f), 1.f - tail, tail);
}

/* ---- activations: value and slope ----------------------------------------------------------------------------- */

#define FOR_EACH(body) for (long k = 0; k < count; k++) { lanes z = value[k]; body }
SEPARATE void activate(int which, lanes *value, lanes *slope, long count) {
    const lanes one = all(1.f), zero = all(0.f);
    switch (which) {
    case SILU: FOR_EACH(lanes s = sigmoid(z); value[k] = z * s; slope[k] = s + z * s * (1.f - s);) break;
    case RELU:
        FOR_EACH(value[k] = pick(z < zero, zero, z); slope[k] = pick(z > zero, one, zero);)
        break;
    case TANH: FOR_EACH(lanes t = tangent(z); value[k] = t; slope[k] = 1.f - t * t;) break;
    case SIGMOID: FOR_EACH(lanes s = sigmoid(z); value[k] = s; slope[k] = s * (1.f - s);) break;
    case GELU:
        FOR_EACH(lanes p = normal_share(z); value[k] = z * p;
                 slope[k] = p + z * 0.39894228f * exponential(-0.5f * z * z);)
        break;
    default: FOR_EACH(value[k] = z; slope[k] = one;) break;
    }
}

/* ---- products ------------------------------------------------------------------------------------------------- */

/* out[j] = bias[j] + sum_i w[j * down + i * along] x[i], for 16 rows; T of the outputs at a time stay in registers. */
INLINE void some_outputs(const float *w, long down, long along, const float *bias, const lanes *x, lanes *out, long ni,
                         const int T) {
    lanes sum[8];
    for (int j = 0; j < T; j++) sum[j] = all(bias ? bias[j] : 0.f);
    for (long i = 0; i < ni; i++) {
        lanes in = x[i];
        const float *column = w + i * along;
        for (int j = 0; j < T; j++) sum[j] += all(column[j * down]) * in;
    }
    for (int j = 0; j < T; j++) out[j] = sum[j];
}

SEPARATE void dense(const float *w, long down, long along, const float *bias, const lanes *x, lanes *out, long no,
                    long ni) {
    long tiles = (no + 7) / 8, size = (no + tiles - 1) / tiles;
    for (long o = 0; o < no; o += size) {
        long left = no - o < size ? no - o : size;
        const float *tile = w + o * down, *offset = bias ? bias + o : NULL;
#define TILE(T) case T: some_outputs(tile, down, along, offset, x, out + o, ni, T); break;
        switch (left) { TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) }
#undef TILE
    }
}

INLINE four folded(lanes a) {
    eight half[2]; four quarter[2];
    memcpy(half, &a, sizeof a);
    eight sum = half[0] + half[1];
    memcpy(quarter, &sum, sizeof sum);
    return quarter[0] + quarter[1];
}

/* The sums over the lanes of four vectors. */
INLINE four sums(lanes a, lanes b, lanes c, lanes d) {
    four p = folded(a), q = folded(b), r = folded(c), s = folded(d);
    four pq = SHUFFLE(p, q, 0, 4, 1, 5) + SHUFFLE(p, q, 2, 6, 3, 7);
    four rs = SHUFFLE(r, s, 0, 4, 1, 5) + SHUFFLE(r, s, 2, 6, 3, 7);
    return SHUFFLE(pq, rs, 0, 1, 4, 5) + SHUFFLE(pq, rs, 2, 3, 6, 7);
}

/* Gradients of A x 4 weights: g[a][c] = sum over all rows of e[a] x[c]. */
INLINE void some_gradients(const lanes *e, const lanes *x, float *g, long no, long ni, long blocks, const int A,
                           const int C) {
    lanes sum[4][4];
    for (int a = 0; a < A; a++) for (int c = 0; c < 4; c++) sum[a][c] = all(0.f);
    for (long q = 0; q < blocks; q++)
        for (int a = 0; a < A; a++) {
            lanes error = e[q * no + a];
            for (int c = 0; c < C; c++) sum[a][c] += error * x[q * ni + c];
        }
    for (int a = 0; a < A; a++) {
        four row = sums(sum[a][0], sum[a][1], sum[a][2], sum[a][3]);
        memcpy(g + a * ni, &row, 4 * C);
    }
}

SEPARATE void gradients(const lanes *e, const lanes *x, float *gw, float *gb, long no, long ni, long blocks) {
    for (long o = 0; gb && o < no; o++) {
        lanes sum = all(0.f);
        for (long q = 0; q < blocks; q++) sum += e[q * no + o];
        four s = folded(sum);
        gb[o] = (s[0] + s[1]) + (s[2] + s[3]);
    }
    for (long o = 0; o < no; o += 4)
        for (long i = 0; i < ni; i += 4) {
            const lanes *errors = e + o, *inputs = x + i;
            float *g = gw + o * ni + i;
            int high = no - o < 4 ? no - o : 4, wide = ni - i < 4 ? ni - i : 4;
#define TILE(A, C) case 4 * A + C: some_gradients(errors, inputs, g, no, ni, blocks, A, C); break;
#define TILES(A) TILE(A, 1) TILE(A, 2) TILE(A, 3) TILE(A, 4)
            switch (4 * high + wide) { TILES(1) TILES(2) TILES(3) TILES(4) }
#undef TILES
#undef TILE
        }
}

/* ---- one network ---------------------------------------------------------------------------------------------- */

/* Errors of the outputs in place of the outputs: the gradient of the loss, 0 in lanes beyond the rows. */
SEPARATE void output_errors(const Program *p, lanes *out, const lanes *target, long batch) {
    long no = p->layer[p->count - 1].out;
    float share = (p->loss == SQUARED_ERROR ? 2.f : 1.f) / (p->loss == CROSS_ENTROPY ? batch : batch * no);
    for (long q = 0; q * LANES < batch; q++) {
        lanes *o = out + q * no, here = all(share);
        const lanes *t = target + q * no;
        for (long lane = 0; lane < LANES; lane++) if (q * LANES + lane >= batch) here[lane] = 0.f;
        if (p->loss == CROSS_ENTROPY) {
            lanes most = o[0], total = all(0.f), weight = all(0.f);
            for (long j = 1; j < no; j++) most = pick(o[j] > most, o[j], most);
            for (long j = 0; j < no; j++) { o[j] = exponential(o[j] - most); total += o[j]; weight += t[j]; }
            weight /= total;
            for (long j = 0; j < no; j++) o[j] = (o[j] * weight - t[j]) * here;
        } else if (p->loss == BINARY_CROSS_ENTROPY)
            for (long j = 0; j < no; j++) o[j] = (sigmoid(o[j]) - t[j]) * here;
        else
            for (long j = 0; j < no; j++) o[j] = (o[j] - t[j]) * here;
    }
}

/* to[c][r] = from[r][c] for 16 x 16 numbers at most, 4 x 4 at a time where whole. */
INLINE void turn(const float *from, long from_stride, float *to, long to_stride, long high, long wide) {
    for (long r = 0; r < high; r += 4)
        for (long c = 0; c < wide; c += 4) {
            const float *corner = from + r * from_stride + c;
            float *other = to + c * to_stride + r;
            if (high - r >= 4 && wide - c >= 4) {
                four row[4];
                for (int k = 0; k < 4; k++) memcpy(&row[k], corner + k * from_stride, sizeof(four));
                four low = SHUFFLE(row[0], row[1], 0, 4, 1, 5), high_ = SHUFFLE(row[0], row[1], 2, 6, 3, 7);
                four low2 = SHUFFLE(row[2], row[3], 0, 4, 1, 5), high2 = SHUFFLE(row[2], row[3], 2, 6, 3, 7);
                row[0] = SHUFFLE(low, low2, 0, 1, 4, 5);
                row[1] = SHUFFLE(low, low2, 2, 3, 6, 7);
                row[2] = SHUFFLE(high_, high2, 0, 1, 4, 5);
                row[3] = SHUFFLE(high_, high2, 2, 3, 6, 7);
                for (int k = 0; k < 4; k++) memcpy(other + k * to_stride, &row[k], sizeof(four));
            } else
                for (long i = 0; i < 4 && r + i < high; i++)
                    for (long j = 0; j < 4 && c + j < wide; j++) other[j * to_stride + i] = corner[i * from_stride + j];
        }
}

/* to[r][c] = lane r of from[c]. */
INLINE void turn_back(const lanes *from, float *to, long to_stride, long high, long wide) {
    for (long c = 0; c < wide; c += LANES)
        turn((const float *)(from + c), LANES, to + c, to_stride, wide - c < LANES ? wide - c : LANES, high);
}

INLINE long at_most(long a, long most) { return a < most ? a : most; }

/* The rows of a batch into lanes: to[block * columns + column]; lanes beyond the batch are left as they are. */
INLINE void into_lanes(const float *from, long columns, const int32_t *picks, long batch, lanes *to) {
    for (long first = 0; first < batch; first += LANES)
        for (long c = 0; c < columns; c += LANES) {
            float tile[LANES][LANES];
            long high = at_most(batch - first, LANES), wide = at_most(columns - c, LANES);
            for (long r = 0; r < high; r++)
                memcpy(tile[r], from + (picks ? picks[first + r] : first + r) * columns + c, sizeof(float) * wide);
            turn(tile[0], LANES, (float *)(to + first / LANES * columns + c), LANES, high, wide);
        }
}

/* A batch of x and y for a step; tokens become whole numbers. Returns 0 if a row or a token does not exist. */
SEPARATE int gather(const Program *p, const Workspace *space, const Network *net, const int32_t *picks) {
    for (long r = 0; picks && r < net->batch; r++)
        if (picks[r] < 0 || picks[r] >= net->rows) return 0;
    into_lanes(net->y, p->layer[p->count - 1].out, picks, net->batch, space->target);
    if (!p->copies) into_lanes(net->x, p->inputs, picks, net->batch, space->value[0]);
    for (long r = 0; p->copies && r < net->batch; r++) {
        const float *x = net->x + (picks ? picks[r] : r) * p->inputs;
        for (long c = 0; c < p->copies; c++) {
            if (!(x[c] >= 0.f && x[c] < (float)p->tokens)) return 0;
            space->token[r * p->copies + c] = (int32_t)x[c];
        }
    }
    return 1;
}

/* The first layer over tokens: W [E[a], E[b]] = (W_1 E)[a] + (W_2 E)[b], computed once a token and looked up a row. */
SEPARATE void read_tokens(const Program *p, const Workspace *space, const Network *net, long blocks) {
    const Layer *first = &p->layer[0];
    long no = first->out, groups = (no + LANES - 1) / LANES;
    for (long c = 0; c < p->copies; c++)
        for (long g = 0; g < groups; g++) {
            lanes *turned = space->turned + (c * groups + g) * p->size;
            lanes *read = space->read + (c * groups + g) * p->tokens;
            long neurons = at_most(no - g * LANES, LANES);
            for (long k = 0; k < p->size; k += LANES)
                turn(net->w + first->weight + g * LANES * first->in + c * p->size + k, first->in, (float *)(turned + k),
                     LANES, neurons, at_most(p->size - k, LANES));
            dense(net->w + p->table, p->size, 1, NULL, turned, read, p->tokens, p->size);
            if (c) continue;
            lanes bias = all(0.f);
            memcpy(&bias, net->w + first->bias + g * LANES, sizeof(float) * neurons);
            for (long t = 0; t < p->tokens; t++) read[t] += bias;
        }
    for (long q = 0; q < blocks; q++)
        for (long g = 0; g < groups; g++) {
            lanes row[LANES];
            for (long r = 0; r < LANES; r++) {
                const int32_t *token = space->token + (q * LANES + r) * p->copies;
                lanes sum = space->read[g * p->tokens + token[0]];
                for (long c = 1; c < p->copies; c++) sum += space->read[(c * groups + g) * p->tokens + token[c]];
                row[r] = sum;
            }
            turn((float *)row, LANES, (float *)(space->value[1] + q * no + g * LANES), LANES, LANES,
                 at_most(no - g * LANES, LANES));
        }
}

/* Gradients of the first layer over tokens and of the tokens' vectors, from the errors of the layer. */
SEPARATE void token_gradients(const Program *p, const Workspace *space, const Network *net, const lanes *error,
                              long blocks) {
    const Layer *first = &p->layer[0];
    const float *table = net->w + p->table;
    float *gt = space->gradient + p->table, *gw = space->gradient + first->weight, *gb = space->gradient + first->bias;
    long no = first->out, groups = (no + LANES - 1) / LANES;
    memset(space->read, 0, sizeof(lanes) * p->copies * groups * p->tokens);
    for (long g = 0; g < groups; g++) {
        long neurons = at_most(no - g * LANES, LANES);
        lanes row[LANES] = {all(0.f)};
        for (long q = 0; q < blocks; q++) {
            turn((const float *)(error + q * no + g * LANES), LANES, (float *)row, LANES, neurons, LANES);
            for (long r = 0; r < LANES; r++)
                for (long c = 0; c < p->copies; c++)
                    space->read[(c * groups + g) * p->tokens + space->token[(q * LANES + r) * p->copies + c]] += row[r];
        }
        lanes sum = all(0.f);
        for (long t = 0; t < p->tokens; t++) sum += space->read[g * p->tokens + t];
        memcpy(gb + g * LANES, &sum, sizeof(float) * neurons);
    }
    for (long c = 0; c < p->copies; c++) {
        lanes *read = space->read + c * groups * p->tokens, *turned = space->turned + c * groups * p->size;
        float *to = c ? space->further : gt;
        gradients(read, turned, to, NULL, p->tokens, p->size, groups);
        for (long k = 0; c && k < p->tokens * p->size; k++) gt[k] += to[k];
        for (long g = 0; g < groups; g++) {
            lanes *mine = turned + g * p->size;
            dense(table, 1, p->size, NULL, read + g * p->tokens, mine, p->size, p->tokens);
            float *to_weights = gw + g * LANES * first->in + c * p->size;
            turn_back(mine, to_weights, first->in, at_most(no - g * LANES, LANES), p->size);
        }
    }
}

INLINE void forward(const Program *p, const Workspace *space, const Network *net, long blocks) {
    for (long l = 0; l < p->count; l++) {
        const Layer *layer = &p->layer[l];
        if (l == 0 && p->copies)
            read_tokens(p, space, net, blocks);
        else
            for (long q = 0; q < blocks; q++)
                dense(net->w + layer->weight, layer->in, 1, net->w + layer->bias, space->value[l] + q * layer->in,
                      space->value[l + 1] + q * layer->out, layer->out, layer->in);
        if (layer->act != IDENTITY) activate(layer->act, space->value[l + 1], space->slope[l + 1], blocks * layer->out);
    }
}

INLINE void backward(const Program *p, const Workspace *space, const Network *net, long blocks) {
    lanes *error = space->value[p->count];
    for (long l = p->count - 1; l >= 0; l--) {
        const Layer *layer = &p->layer[l];
        if (layer->act != IDENTITY) for (long k = 0; k < blocks * layer->out; k++) error[k] *= space->slope[l + 1][k];
        if (l == 0 && p->copies) { token_gradients(p, space, net, error, blocks); return; }
        gradients(error, space->value[l], space->gradient + layer->weight, space->gradient + layer->bias, layer->out,
                  layer->in, blocks);
        if (l == 0) return;
        lanes *below = space->error[l % 2];
        for (long q = 0; q < blocks; q++)
            dense(net->w + layer->weight, 1, layer->in, NULL, error + q * layer->out, below + q * layer->in, layer->in,
                  layer->out);
        error = below;
    }
}

/* One Adam update (arXiv 1412.6980, algorithm 1) of loss + sum |w| charge, as the torch path has it. */
SEPARATE void adam(const Network *net, const float *gradient, long entries, double lr, long step) {
    double unbiased = sqrt(1 - pow(0.999, step + 1));
    const float rate = (float)(lr * unbiased / (1 - pow(0.9, step + 1))), least = (float)(1e-8 * unbiased);
    float *restrict w = net->w, *restrict first = net->first, *restrict second = net->second;
    const float *restrict charges = net->charges, *restrict g0 = gradient;
    for (long k = 0; k < entries; k++) {
        float g = g0[k] + charges[k] * ((float)(w[k] > 0.f) - (float)(w[k] < 0.f));
        float m = first[k] + 0.1f * (g - first[k]), v = 0.999f * second[k] + 0.001f * g * g;
        first[k] = m;
        second[k] = v;
        w[k] -= rate * m / (sqrtf(v) + least);
    }
}

/* Numbers too small for full precision (below 1e-38) count as 0: processors take a hundred times as long over them.
 * Returns the setting that was there before. */
INLINE uint64_t tiny_are_zero(void) {
#if defined(__x86_64__)
    unsigned before = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(before | 0x8040);
    return before;
#elif defined(__aarch64__)
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (1 << 24)));
    return before;
#else
    return 0;
#endif
}

INLINE void as_before(uint64_t before) {
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr((unsigned)before);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
#else
    (void)before;
#endif
}

int ADVANCE(const Program *p, const Workspace *space, const Network *net, const double *lrs, long steps,
            long start) {
    long blocks = (net->batch + LANES - 1) / LANES;
    uint64_t before = tiny_are_zero();
    int fine = net->picks || gather(p, space, net, NULL);
    for (long s = 0; fine && s < steps; s++) {
        if (net->picks && !(fine = gather(p, space, net, net->picks + s * net->pick_stride))) break;
        forward(p, space, net, blocks);
        output_errors(p, space->value[p->count], space->target, net->batch);
        backward(p, space, net, blocks);
        adam(net, space->gradient, p->width, lrs[s], start + s);
    }
    as_before(before);
    return fine;
}
