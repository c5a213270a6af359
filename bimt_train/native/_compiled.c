/* The compiled code as a module of Python: checks what it is given, and calls the kernel of this machine. */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include "engine.h"
#include <stdlib.h>
#include <string.h>

#define MOST_KERNELS 3
#define VERSION 2 /* raised whenever a function or its arguments change */

/* Reads and checks a program: [width, inputs, loss, tokens, copies, size, table], then [in, out, weight, bias, act]
 * for each layer. */
static const char *read_program(const Py_buffer *buffer, Program *p) {
    long numbers = buffer->len / sizeof(int64_t), head = 7;
    const int64_t *given = buffer->buf;
    if (numbers < head + 5 || (numbers - head) % 5) return "a program of another length";
    p->width = given[0]; p->inputs = given[1]; p->loss = given[2]; p->tokens = given[3];
    p->copies = given[4]; p->size = given[5]; p->table = given[6]; p->count = (numbers - head) / 5;
    if (p->count > MOST_LAYERS) return "more layers than can be held";
    if (p->loss < SQUARED_ERROR || p->loss > BINARY_CROSS_ENTROPY) return "a loss that is not known";
    if (p->copies < 0 || p->copies > p->inputs || p->table < 0 || p->tokens < 0 ||
        p->size < 0 || p->table + p->tokens * p->size > p->width)
        return "tokens that do not fit";
    long before = p->copies ? p->copies * p->size : p->inputs;
    for (long l = 0; l < p->count; l++) {
        const int64_t *n = given + head + 5 * l;
        p->layer[l] = (Layer){n[0], n[1], n[2], n[3], (int)n[4]};
        if (n[4] < IDENTITY || n[4] > SIGMOID) return "an activation that is not known";
        int sizes = n[0] == before && n[0] > 0 && n[1] > 0;
        int places = n[2] >= 0 && n[3] >= 0 && n[2] + n[0] * n[1] <= p->width && n[3] + n[1] <= p->width;
        if (!sizes || !places) return "layers that do not fit";
        before = n[1];
    }
    return NULL;
}

/* Cuts one block of memory into the parts of a workspace; without a block it says how many bytes are needed. */
static size_t lay_out(const Program *p, long batch, char *block, Workspace *space) {
    size_t used = 0;
    long blocks = (batch + LANES - 1) / LANES, widest = p->inputs;
    for (long l = 0; l < p->count; l++) if (p->layer[l].out > widest) widest = p->layer[l].out;
#define PART(field, type, number) \
    do {                                                                   \
        if (block) space->field = (type *)(block + used);                  \
        used += (((size_t)(number) * sizeof(type)) + 63) / 64 * 64;        \
    } while (0)
    PART(value[0], lanes, blocks * p->inputs);
    for (long l = 0; l < p->count; l++) {
        PART(value[l + 1], lanes, blocks * p->layer[l].out);
        PART(slope[l + 1], lanes, blocks * p->layer[l].out);
    }
    PART(error[0], lanes, blocks * widest);
    PART(error[1], lanes, blocks * widest);
    PART(target, lanes, blocks * p->layer[p->count - 1].out);
    PART(gradient, float, p->width);
    if (p->copies) {
        long groups = (p->layer[0].out + LANES - 1) / LANES;
        PART(read, lanes, p->copies * groups * p->tokens);
        PART(turned, lanes, p->copies * groups * p->size);
        PART(further, float, p->tokens * p->size);
        PART(token, int32_t, blocks * LANES * p->copies);
    }
#undef PART
    return used;
}

enum { FLAT, FIRST, SECOND, CHARGES, X, Y, LRS, RESTING, PROGRAM, PICKS, BUFFERS };

typedef struct { const char *name; Advance *advance; Charge *charge; } Kernel;

/* The kernels that this machine can run, the one of the widest instructions first. */
static int kernels(Kernel found[]) {
    int count = 0;
#define KERNEL(name) (found[count++] = (Kernel){#name, advance_##name, charge_##name})
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd"))
        KERNEL(avx512);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) KERNEL(avx2);
#endif
    KERNEL(plain);
#undef KERNEL
    return count;
}

static const char *run_advance(Py_buffer *b, long kernel, long networks, long rows, long padded, long batch,
                               long start, long begin, long end) {
    Kernel found[MOST_KERNELS];
    if (kernel < 0 || kernel >= kernels(found)) return "a kernel that this machine cannot run";
    Program program;
    const char *wrong = read_program(&b[PROGRAM], &program);
    if (wrong) return wrong;
    const Program *p = &program;
    long steps = b[LRS].len / sizeof(double), no = p->layer[p->count - 1].out;
    if (rows < 1 || padded < rows || batch < 1 || start < 0 || begin < 0 || end > networks) return "sizes out of range";
    if (!b[PICKS].buf && batch != rows) return "a batch without picks";
    size_t all_weights = sizeof(float) * networks * p->width;
    for (int k = FLAT; k <= CHARGES; k++) if ((size_t)b[k].len != all_weights) return "weights of another size";
    if ((size_t)b[X].len != sizeof(float) * networks * padded * p->inputs) return "inputs of another size";
    if ((size_t)b[Y].len != sizeof(float) * networks * rows * no) return "targets of another size";
    if (b[RESTING].len != networks) return "marks of another size";
    size_t picked = sizeof(int32_t) * steps * networks * batch;
    if (b[PICKS].buf && (size_t)b[PICKS].len != picked) return "picks of another size";
    char *block = calloc(1, lay_out(p, batch, NULL, NULL) + 64);
    if (!block) return "no memory";
    Workspace space = {0};
    lay_out(p, batch, (char *)(((uintptr_t)block + 63) / 64 * 64), &space);
    for (long n = begin; n < end && !wrong; n++) {
        if (((const char *)b[RESTING].buf)[n]) continue;
        Network net = {
            (float *)b[FLAT].buf + n * p->width, (float *)b[FIRST].buf + n * p->width,
            (float *)b[SECOND].buf + n * p->width,
            (const float *)b[CHARGES].buf + n * p->width, (const float *)b[X].buf + n * padded * p->inputs,
            (const float *)b[Y].buf + n * rows * no, b[PICKS].buf ? (const int32_t *)b[PICKS].buf + n * batch : NULL,
            rows, batch, networks * batch,
        };
        if (!found[kernel].advance(p, &space, &net, b[LRS].buf, steps, start))
            wrong = "a row or token that does not exist";
    }
    free(block);
    return wrong;
}

/* Gives the buffers back, and returns None or raises what was wrong. */
static PyObject *answer(Py_buffer *b, int buffers, const char *wrong) {
    for (int k = 0; k < buffers; k++) if (b[k].obj) PyBuffer_Release(&b[k]);
    if (wrong) { PyErr_SetString(PyExc_ValueError, wrong); return NULL; }
    Py_RETURN_NONE;
}

static PyObject *advance(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[BUFFERS] = {0};
    long kernel, networks, rows, padded, batch, start, begin, end;
    if (!PyArg_ParseTuple(args, "w*w*w*y*y*y*y*y*y*z*llllllll", &b[FLAT], &b[FIRST], &b[SECOND], &b[CHARGES], &b[X],
                          &b[Y], &b[LRS], &b[RESTING], &b[PROGRAM], &b[PICKS], &kernel, &networks, &rows,
                          &padded, &batch, &start, &begin, &end))
        return NULL;
    const char *wrong;
    Py_BEGIN_ALLOW_THREADS
    wrong = run_advance(b, kernel, networks, rows, padded, batch, start, begin, end);
    Py_END_ALLOW_THREADS
    return answer(b, BUFFERS, wrong);
}

enum { GRADIENT, W, HERE, THERE, PRICED };

static const char *run_charge(Py_buffer *b, Charged *c, long kernel, long begin, long end) {
    Kernel found[MOST_KERNELS];
    if (kernel < 0 || kernel >= kernels(found)) return "a kernel that this machine cannot run";
    long entries = b[W].len / sizeof(float);
    c->columns = c->rows > 0 ? entries / c->rows : 0;
    if (c->rows < 0 || c->rows * c->columns != entries) return "rows that do not fit";
    if (b[GRADIENT].len != b[W].len) return "a gradient of another size";
    if (c->dimensions < 0 || (size_t)b[HERE].len != sizeof(float) * c->dimensions * c->rows ||
        (size_t)b[THERE].len != sizeof(float) * c->dimensions * c->columns)
        return "places of another size";
    if (begin < 0 || end > entries) return "entries that do not exist";
    c->gradient = b[GRADIENT].buf; c->w = b[W].buf; c->here = b[HERE].buf; c->there = b[THERE].buf;
    found[kernel].charge(c, begin, end);
    return NULL;
}

static PyObject *charge(PyObject *self, PyObject *args) {
    (void)self;
    Py_buffer b[PRICED] = {0};
    Charged charged = {0};
    long kernel, begin, end;
    if (!PyArg_ParseTuple(args, "w*y*y*y*fflllll", &b[GRADIENT], &b[W], &b[HERE], &b[THERE], &charged.constant,
                          &charged.strength, &kernel, &charged.dimensions, &charged.rows, &begin, &end))
        return NULL;
    const char *wrong;
    Py_BEGIN_ALLOW_THREADS
    wrong = run_charge(b, &charged, kernel, begin, end);
    Py_END_ALLOW_THREADS
    return answer(b, PRICED, wrong);
}

static const char *const activation_names[] = ACTIVATION_NAMES, *const loss_names[] = LOSS_NAMES;

static PyObject *names(const char *const *list) {
    Py_ssize_t count = 0;
    while (list[count]) count++;
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t k = 0; tuple && k < count; k++) {
        PyObject *name = PyUnicode_FromString(list[k]);
        if (!name || PyTuple_SetItem(tuple, k, name)) { Py_DECREF(tuple); return NULL; }
    }
    return tuple;
}

static int fill(PyObject *module) {
    Kernel found[MOST_KERNELS];
    const char *known[MOST_KERNELS + 1] = {NULL};
    for (int k = kernels(found) - 1; k >= 0; k--) known[k] = found[k].name;
    PyObject *activations = names(activation_names), *losses = names(loss_names), *runnable = names(known);
    int failed = !activations || !losses || !runnable || PyModule_AddObjectRef(module, "KERNELS", runnable) ||
                 PyModule_AddObjectRef(module, "ACTIVATIONS", activations) ||
                 PyModule_AddObjectRef(module, "LOSSES", losses) ||
                 PyModule_AddIntConstant(module, "VERSION", VERSION) ||
                 PyModule_AddIntConstant(module, "MOST_LAYERS", MOST_LAYERS);
    Py_XDECREF(activations);
    Py_XDECREF(losses);
    Py_XDECREF(runnable);
    return failed ? -1 : 0;
}

static PyMethodDef methods[] = {
    {"advance", advance, METH_VARARGS,
     "advance(flat, first, second, charges, x, y, lrs, resting, program, picks, kernel, networks, rows, "
     "padded, batch, start, begin, end)\n\n"
     "Take len(lrs) steps with the networks from begin to end; weights and moments are written in place."},
    {"charge", charge, METH_VARARGS,
     "charge(gradient, w, here, there, constant, strength, kernel, dimensions, rows, begin, end)\n\n"
     "Add strength * (constant + distance) * sign(w) to the gradient of the entries from begin to end, in place."},
    {NULL, NULL, 0, NULL},
};
static PyModuleDef_Slot slots[] = {{Py_mod_exec, fill}, {0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_compiled", NULL, 0, methods, slots, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit__compiled(void) { return PyModuleDef_Init(&definition); }
