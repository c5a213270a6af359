/* What the module and its kernels share: the networks' make, the memory that a step needs, and prices. */
#ifndef BIMT_ENGINE_H
#define BIMT_ENGINE_H
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#define LANES 16 /* rows that are computed at once */
#define MOST_LAYERS 32

typedef float lanes __attribute__((vector_size(4 * LANES)));

/* The places of the names in these lists are the codes of layers and programs. */
#define ACTIVATION_NAMES {"identity", "silu", "relu", "tanh", "gelu", "sigmoid", 0}
enum { IDENTITY, SILU, RELU, TANH, GELU, SIGMOID };
#define LOSS_NAMES {"mse", "cross-entropy", "bce", 0}
enum { SQUARED_ERROR, CROSS_ENTROPY, BINARY_CROSS_ENTROPY };

typedef struct { long in, out, weight, bias; int act; } Layer;

/* What the networks are. Offsets are entries of a row; copies is 0 where the inputs are numbers and not tokens. */
typedef struct {
    long width, inputs, loss, tokens, copies, size, table, count;
    Layer layer[MOST_LAYERS];
} Program;

/* What is computed on the way; every part begins at a multiple of 64 bytes. Rows lie in blocks of 16:
 * value[l][block * neurons + neuron]. What is read of tokens lies in groups of 16 neurons of the first layer. */
typedef struct {
    lanes *value[MOST_LAYERS + 1], *slope[MOST_LAYERS + 1], *error[2], *target;
    lanes *read;   /* [copy][group][token]: what the first layer reads of each token, or its gradient */
    lanes *turned; /* [copy][group][entry of the token's vector]: the first layer's weights, or their gradients */
    float *gradient, *further;
    int32_t *token;
} Workspace;

/* One network: its row of the stack, and its rows of the data. */
typedef struct {
    float *w, *first, *second;
    const float *charges, *x, *y;
    const int32_t *picks; /* the rows of its first batch, or NULL: all rows at every step */
    long rows, batch, pick_stride;
} Network;

/* Steps of one network, one function a set of instructions. They return 0 where a row or a token does not exist. */
typedef int Advance(const Program *, const Workspace *, const Network *, const double *lrs, long steps, long start);
Advance advance_avx512, advance_avx2, advance_plain;

/* What the entries of one tensor pay, as a matrix; a unit of w[row][j] costs
 * constant + sum_k |here[k][row] - there[k][j]|, k below dimensions. */
typedef struct {
    float *gradient;
    const float *w, *here, *there;
    long dimensions, rows, columns;
    float constant, strength;
} Charged;

/* Adds strength * price * sign(w) to the gradients of the entries from begin to end, one function a set of
 * instructions. */
typedef void Charge(const Charged *, long begin, long end);
Charge charge_avx512, charge_avx2, charge_plain;
#endif
