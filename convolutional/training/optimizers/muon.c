/* muon.c - momentum made orthogonal: all directions of a layer's matrix move alike.
 *
 *   v = momentum v + g;  u = nesterov ? g + momentum v : v, as the matrix [out, in k k]
 *   x = u / |u|;  five times, or `rounds`, x = (a I + b S + c S S) x,  S = x x^T,  (a, b, c) = (3.4445, -4.7750, 2.0315): Newton-Schulz
 *   normalised: w = sqrt(out) w / |w| first, so that lr is the share of it that a step turns       airbench94_muon
 *   w -= lr wd w;  w -= lr sqrt(max(1, out / (in k k))) x                 Jordan et al., 2024, kellerjordan.github.io/posts/muon
 *
 * All that multiplies x is a polynomial in the first S, and all such commute: with Q = a I + b S + c S S, the next S is Q S Q. So the
 * rounds are products of small symmetric matrices, of which half is computed, and x is multiplied once, by the product of all Q.
 *
 * It takes the weights of convolutions and linear layers. Biases, norms, depthwise filters and the head go by another rule,
 * which keeps its states in the same blocks: adamw its first moment in momentum_buffer, and the second in exp_avg_sq. */

#include "optimizer_rule.h"

#include "integers.h"
#include "kernels.h"
#include "parameter_groups.h"

#include <math.h>

enum {
    ROUNDS_USUAL = 5,
    ROUNDS_AT_ONCE = 5      /* then S is computed from x anew: where x has nothing, S holds rounding alone, which grows 12 times a round */
};
static const float A = 3.4445f, B = -4.7750f, C = 2.0315f;

/* A depthwise filter reads one channel: its rows have nothing to do with each other. */
static bool muon_takes(const Network *network, const Param *param)
{
    const bool grouped = param->rank == 4 && param->dims[1] != param->module->in[0]->shape.c;
    return param->role == PARAM_weight && param->rank > 1 && !grouped && !parameter_in_head(network, param);
}

/* The matrix as the iteration has it: no more rows than columns. */
typedef struct Upright {
    size_t rows, columns;
    bool   turned;
    float *x, *product;                   /* rows x columns each */
    float *s, *q, *all_q, *spare;         /* rows x rows: S, Q, the product of the Q so far */
} Upright;

static Upright upright_of(const OptimizerTensor *t)
{
    const bool turned = t->rows > t->columns;
    Upright m = { .rows = turned ? t->columns : t->rows, .columns = turned ? t->rows : t->columns, .turned = turned };
    const size_t all = m.rows * m.columns;
    m.x = t->scratch;
    m.product = m.x + all;
    m.s = m.product + all;
    m.q = m.s + m.rows * m.rows;
    m.all_q = m.q + m.rows * m.rows;
    m.spare = m.all_q + m.rows * m.rows;
    return m;
}

static size_t muon_scratch(const OptimizerTensor *t)
{
    const size_t least = size_min(t->rows, t->columns);
    return 2 * t->rows * t->columns + 4 * least * least;
}

/* The upright matrix is walked in squares: in many layouts of weights the neighbours are one above the other in it. */
enum { SQUARE = 16 };

typedef struct Square { size_t row, row_end, column, column_end; } Square;

static inline size_t squares_across(const Upright *m) { return size_divide_up(m->columns, SQUARE); }
static inline size_t square_count(const Upright *m)   { return squares_across(m) * size_divide_up(m->rows, SQUARE); }

static inline Square square_at(const Upright *m, size_t i)
{
    const size_t row = i / squares_across(m) * SQUARE, column = i % squares_across(m) * SQUARE;
    return (Square){ row, size_min(row + SQUARE, m->rows), column, size_min(column + SQUARE, m->columns) };
}

/* Where element (row, column) of the upright matrix lies in the span. */
static inline size_t place_of(const OptimizerTensor *t, const Upright *m, size_t row, size_t column)
{
    return t->positions[m->turned ? column * t->columns + row : row * t->columns + column];
}

/* Multiply-adds of the usual rounds: the first S, of which half is computed, the last product, and 17 halves of small ones. */
static double muon_cost(const OptimizerTensor *t)
{
    const double least = (double)size_min(t->rows, t->columns), most = (double)(t->rows * t->columns) / least;
    return least * least * (1.5 * most + 8.5 * least);
}

static void accumulate(const OptimizerStep *s, size_t count, const float *restrict g, float *restrict v)
{
    const float scale = s->scale, momentum = s->momentum;
    #pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < count; i++)
        v[i] = momentum * v[i] + scale * g[i];
}

static void gather(const OptimizerStep *s, const OptimizerTensor *t, const Upright *m, const float *g, const float *v)
{
    const float of_gradient = s->options->nesterov ? s->scale : 0, of_moment = s->options->nesterov ? s->momentum : 1;
    #pragma omp parallel for schedule(static)
    for (size_t i = 0; i < square_count(m); i++) {
        const Square q = square_at(m, i);
        for (size_t row = q.row; row < q.row_end; row++)
            for (size_t column = q.column; column < q.column_end; column++) {
                const size_t at = place_of(t, m, row, column);
                m->x[row * m->columns + column] = of_gradient * g[at] + of_moment * v[at];
            }
    }
}

static void take_off(const OptimizerTensor *t, const Upright *m, float keep, float rate, float *w)
{
    #pragma omp parallel for schedule(static)
    for (size_t i = 0; i < square_count(m); i++) {
        const Square q = square_at(m, i);
        for (size_t row = q.row; row < q.row_end; row++)
            for (size_t column = q.column; column < q.column_end; column++) {
                const size_t at = place_of(t, m, row, column);
                w[at] = keep * w[at] - rate * m->x[row * m->columns + column];
            }
    }
}

static void multiply_by(size_t count, float factor, float *x)
{
    #pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < count; i++)
        x[i] *= factor;
}

static void swap(float **a, float **b)
{
    float *const kept = *a;
    *a = *b;
    *b = kept;
}

/* Q of S. */
static void make_polynomial(const Upright *m)
{
    const size_t n = m->rows;
    kernel_matrix_symmetric(n, m->s, m->s, m->q);
    #pragma omp parallel for schedule(static)
    for (size_t row = 0; row < n; row++) {
        const float *restrict s = m->s + row * n;
        float *restrict q = m->q + row * n;
        for (size_t column = 0; column < n; column++)
            q[column] = B * s[column] + C * q[column];
        q[row] += A;
    }
}

/* x becomes what so many rounds make of it, at most ROUNDS_AT_ONCE. */
static void do_rounds(Upright *m, int rounds)
{
    const size_t n = m->rows;
    kernel_matrix_gram(n, m->columns, m->x, m->s);
    for (int round = 0; round < rounds; round++) {
        make_polynomial(m);
        if (round > 0) {
            kernel_matrix_symmetric(n, m->q, m->all_q, m->spare);
            swap(&m->all_q, &m->spare);
        }
        if (round + 1 < rounds) {
            kernel_matrix_symmetric(n, m->q, m->s, m->spare);
            kernel_matrix_symmetric(n, m->spare, m->q, m->s);
        }
        if (round == 0)
            swap(&m->all_q, &m->q);
    }
    kernel_matrix_product(n, m->columns, n, m->all_q, m->x, m->product);
    swap(&m->x, &m->product);
}

static void make_orthogonal(Upright *m, int rounds)
{
    const size_t all = m->rows * m->columns;
    multiply_by(all, (float)(1 / (sqrt(kernel_sum_of_squares(all, m->x)) + 1e-7)), m->x);
    for (; rounds > ROUNDS_AT_ONCE; rounds -= ROUNDS_AT_ONCE)
        do_rounds(m, ROUNDS_AT_ONCE);
    do_rounds(m, rounds);
}

/* What gives the weights the norm of `rows` rows of norm 1. */
static float unit_of(const OptimizerTensor *t, const float *w)
{
    const double norm = sqrt(kernel_sum_of_squares(t->room, w));
    return norm > 0 ? (float)(sqrt((double)t->rows) / norm) : 1;
}

static void muon_tensor(const OptimizerStep *s, const OptimizerTensor *t, float *w, const float *g, float *const *state)
{
    Upright m = upright_of(t);
    const int rounds = s->options->muon_rounds ? s->options->muon_rounds : ROUNDS_USUAL;
    const float keep = (1 - s->lr * s->decay) * (s->options->muon_normalise ? unit_of(t, w) : 1);
    const float rate = s->lr * sqrtf(fmaxf(1, (float)t->rows / (float)t->columns));
    accumulate(s, t->room, g, state[0]);
    if (t->elsewhere)
        return;
    gather(s, t, &m, g, state[0]);
    make_orthogonal(&m, rounds);
    take_off(t, &m, keep, rate, w);
}

const OptimizerRule optimizer_muon = {
    .name = "muon", .aliases = "", .about = "momentum made orthogonal, for matrices (Jordan et al., 2024)",
    .defaults = "lr=0.02 weight-decay=0.01 momentum=0.95", .state_names = { "momentum_buffer", "exp_avg_sq" }, .states = 1,
    .takes = muon_takes, .tensor = muon_tensor, .scratch = muon_scratch, .cost = muon_cost,
};
