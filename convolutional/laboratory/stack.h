/* stack.h - a plain stack of linear layers with an activation behind each, for experiments: the zoo's mlp, with a start of the weights
 * of one's choice, and every layer's numbers and gradients to be looked at.
 *
 *   layer i, from 0:   z = weight a + bias    the sums, what the activation reads
 *                      a = f(z)               what the next layer reads */

#ifndef CONVZOO_STACK_H
#define CONVZOO_STACK_H

#include <stdint.h>

#include "network.h"

/* X(key, how weights start) */
#define STACK_STARTS(X)                                                             \
    X(he,     "variance 2 / fan-in: for relu")                                      \
    X(xavier, "variance 2 / (fan-in + fan-out)")                                    \
    X(lecun,  "variance 1 / fan-in: for selu")                                      \
    X(fitted, "variance 1 / (fan-in E f(z)^2): for the activation, whichever it is") \
    X(small,  "a standard deviation of 0.01")                                       \
    X(large,  "variance 4 / fan-in")

#define X(key, about) STACK_##key,
typedef enum { STACK_STARTS(X) STACK_START_COUNT } StackStart;
#undef X

const char *stack_start_name(StackStart start);
/* The start that an activation usually comes with: lecun for selu, xavier for those that saturate on both sides, he for relu
 * and its kin, fitted for the rest. */
StackStart  stack_start_usual(Activation act);

typedef struct StackOptions {
    Activation act;
    StackStart start;
    int        inputs, depth, width, classes, batch;
    float      bias;               /* hidden layers' biases start with it */
    float      clip_norm;          /* bound of the gradients' norm in training; 0: none */
    uint64_t   seed;
} StackOptions;

typedef enum { STACK_sums, STACK_outputs } StackPlace;

typedef struct Stack Stack;

/* Exits with a line if memory runs out, as all that allocates. */
Stack *stack_new(const StackOptions *options);
void   stack_free(Stack *stack);

/* batch x inputs, filled by the caller; with standard normal numbers by stack_fill_normal. */
float *stack_inputs(Stack *stack);
void   stack_fill_normal(Stack *stack, uint64_t seed);
const float *stack_logits(const Stack *stack);             /* batch x classes */

void stack_forward(Stack *stack);
/* From a gradient of the logits that is standard normal, drawn from seed. */
void stack_backward_normal(Stack *stack, uint64_t seed);

typedef struct StackScore {
    double loss;                   /* mean cross-entropy, nats */
    double right;                  /* share of the batch whose label has the largest logit */
} StackScore;

/* Forward, cross-entropy of the labels, backward, a step of plain gradient descent. What the score was before the step. */
StackScore stack_train(Stack *stack, const uint16_t *labels, float lr);
/* Forward alone. */
StackScore stack_measure(Stack *stack, const uint16_t *labels);

/* batch x width numbers, valid until the next call: a layer's, since the last forward; the loss's gradient by them, since the last
 * backward. Of the sums of a gated unit only x, without its gate. */
const float *stack_values(Stack *stack, int layer, StackPlace place);
const float *stack_gradient(Stack *stack, int layer, StackPlace place);
int          stack_count(const Stack *stack);              /* batch x width */

/* ---- of many numbers ---- */

typedef struct Moments {
    double mean, variance, norm;
} Moments;

Moments moments_of(const float *values, int count);

/* Points of the plane on interleaved spiral arms, a class an arm, between -1 and 1, with a little noise: a task that takes a few
 * layers. points: 2 x count. */
void spirals_fill(float *points, uint16_t *labels, int count, int classes, uint64_t seed);

#endif
