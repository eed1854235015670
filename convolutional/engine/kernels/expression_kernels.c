/* expression_kernels.c - runs the code of formulas; see expression_code.h.
 *
 * A step is a loop over a strip, and strips are so short that all of them stay in the first cache. */

#include "isa.h"

#include "errors.h"
#include "expression_code.h"
#include "integers.h"
#include "wide_math.h"

#include <string.h>

enum { CHUNK = 16 * 1024 };

typedef void Run(size_t count, const float *const from[4], float *const to[2]);

#define READ_1        const float a = p[i];
#define READ_2 READ_1 const float b = q[i];
#define READ_3 READ_2 const float c = r[i];
#define READ_4 READ_3 const float d = s[i];

/* In place is allowed: an iteration reads its elements before it writes them, and no other iteration's. */
#define X(key, operands, first, second)                                                              \
    static void run_##key(size_t count, const float *const from[4], float *const to[2])              \
    {                                                                                                \
        const float *p = from[0], *q = from[1], *r = from[2], *s = from[3];                          \
        float *y = to[0], *z = to[1];                                                                \
        (void)q, (void)r, (void)s;                                                                   \
        if (STEP_##key == STEP_sigmoid_both || STEP_##key == STEP_tanh_both || STEP_##key == STEP_tanh_softplus_both) {     \
            _Pragma("omp simd")                                                                      \
            for (size_t i = 0; i < count; i++) {                                                     \
                READ_##operands                                                                      \
                y[i] = first;                                                                        \
                z[i] = second;                                                                       \
            }                                                                                        \
        } else {                                                                                     \
            _Pragma("omp simd")                                                                      \
            for (size_t i = 0; i < count; i++) {                                                     \
                READ_##operands                                                                      \
                y[i] = first;                                                                        \
            }                                                                                        \
        }                                                                                            \
    }
#include "expression_operations.def"
#undef X

static Run *const runs[STEP_COUNT] = {
#define X(key, ...) [STEP_##key] = run_##key,
#include "expression_operations.def"
#undef X
};

static void fill(float *strip, size_t count, float value)
{
    for (size_t i = 0; i < count; i++)
        strip[i] = value;
}

/* The functions that turn around are right up to WIDE_TURNS; where an element is further out, libm computes the strip. True if it did. */
static bool run_far(const ExpressionStep *step, size_t count, const float *x, float *y)
{
    float largest = 0;
    #pragma omp simd reduction(max : largest)
    for (size_t i = 0; i < count; i++)
        largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
    if (largest <= WIDE_TURNS)
        return false;
    for (size_t i = 0; i < count; i++)
        y[i] = step->operation == STEP_sin ? sinf(x[i]) : cosf(x[i]);
    return true;
}

static void run_steps(const ExpressionCode *code, size_t count, float *const strips[])
{
    for (int i = 0; i < code->count; i++) {
        const ExpressionStep *step = &code->steps[i];
        const float *from[4];
        float *to[2];
        for (int k = 0; k < 4; k++)
            from[k] = strips[step->from[k]];
        for (int k = 0; k < 2; k++)
            to[k] = strips[step->to[k]];
        const bool turns = step->operation == STEP_sin || step->operation == STEP_cos;
        if (!turns || !run_far(step, count, from[0], to[0]))
            runs[step->operation](count, from, to);
    }
}

/* What stays the same from strip to strip: constants, and parameters of which there is one. */
static void fill_constants(const ExpressionCode *code, const ExpressionStrips *in, float *strips[], float *buffer)
{
    const size_t strip = (size_t)code->strip;
    const int inputs = code->registers + code->constants;
    float *next = buffer;
    for (int i = 0; i < inputs; i++, next += strip) {
        strips[i] = next;
        if (i >= code->registers)
            fill(next, strip, code->numbers[i - code->registers]);
    }
    for (int i = 0; i < EXPRESSION_PARAMETERS; i++)
        if (code->reads[EXPRESSION_parameter + i] && !in->each[i]) {
            strips[inputs + EXPRESSION_parameter + i] = next;
            fill(next, strip, in->inputs[EXPRESSION_parameter + i][0]);
            next += strip;
        }
}

static bool advances(const ExpressionCode *code, const ExpressionStrips *in, int input)
{
    const int parameter = input - EXPRESSION_parameter;
    return code->reads[input] && (parameter < 0 || parameter >= EXPRESSION_PARAMETERS || in->each[parameter]);
}

void KERNEL(kernel_expression_run)(const ExpressionCode *code, size_t count, const ExpressionStrips *in, float *const outputs[])
{
    _Alignas(64) float buffer[EXPRESSION_BUFFER];
    float *strips[EXPRESSION_BUFFER / 16 + EXPRESSION_INPUTS + EXPRESSION_OUTPUTS];
    const int inputs = code->registers + code->constants, first_output = inputs + EXPRESSION_INPUTS;
    for (int i = 0; i < EXPRESSION_INPUTS; i++)
        strips[inputs + i] = buffer;
    fill_constants(code, in, strips, buffer);
    for (size_t at = 0; at < count; at += (size_t)code->strip) {
        for (int i = 0; i < EXPRESSION_INPUTS; i++)
            if (advances(code, in, i))
                strips[inputs + i] = (float *)(uintptr_t)(in->inputs[i] + at);      /* no step writes to an input */
        for (int i = 0; i < code->outputs; i++)
            strips[first_output + i] = outputs[i] + at;
        run_steps(code, size_min((size_t)code->strip, count - at), strips);
    }
}

void KERNEL(kernel_expression)(const ExpressionCode *code, size_t count, const ExpressionStrips *in, float *const outputs[])
{
    #pragma omp parallel for schedule(static)
    for (size_t at = 0; at < count; at += CHUNK) {
        ExpressionStrips part = *in;
        float *to[EXPRESSION_OUTPUTS];
        for (int i = 0; i < EXPRESSION_INPUTS; i++)
            if (advances(code, in, i))
                part.inputs[i] += at;
        for (int i = 0; i < code->outputs; i++)
            to[i] = outputs[i] + at;
        KERNEL(kernel_expression_run)(code, size_min(CHUNK, count - at), &part, to);
    }
}
