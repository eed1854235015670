/* batchnorm_loops.h - the inner loops of batch norm: one panel (panels.h), one activation.
 *
 * Values per channel lie in tables as wide as a panel. A loop takes one vector of columns down some rows: it
 * reads the tables once and keeps its sums in registers. */

#ifndef CONVZOO_BATCHNORM_LOOPS_H
#define CONVZOO_BATCHNORM_LOOPS_H

#include "functions.h"
#include "panels.h"

/* What an item keeps per column. */
enum {
    TABLE_mean, TABLE_scale, TABLE_bias,      /* z = scale (x - mean) + bias + residual */
    TABLE_gain, TABLE_slope, TABLE_offset,    /* dx = gain dz + slope (x - mean) + offset */
    TABLE_sum, TABLE_product,                 /* of dz and dz (x - mean); statistics: of x - mean and its square */
    TABLE_COUNT
};

typedef struct BatchNormPass {
    const float *x, *residual, *dy;   /* residual: or NULL */
    float       *out;                 /* y or dx */
    float       *dz;                  /* dresidual, or NULL */
    bool         stream;              /* out is large: store it past the caches */
    float        parameter;           /* of the activation */
    PanelTable  *table;
} BatchNormPass;

/* A vector of columns: `rows` vectors, the first at `at`, and their place in the tables. */
typedef struct Column {
    size_t at, stride, rows, entry;
    bool   stream;
} Column;

PANEL_INLINE Vector column_value(const BatchNormPass *pass, const Column *c, int table)
{
    return vector_load(pass->table[table] + c->entry);
}

PANEL_INLINE void column_store(const BatchNormPass *pass, const Column *c, Vector value)
{
    if (c->stream)
        vector_stream(pass->out + c->at, value);
    else
        vector_store(pass->out + c->at, value);
}

PANEL_INLINE void column_add(const BatchNormPass *pass, const Column *c, int table, Vector value)
{
    float *sum = pass->table[table] + c->entry;
    vector_store(sum, vector_load(sum) + value);
}

/* f(z) and f'(z); the switch goes away, the loop becomes vector code. */
PANEL_INLINE Vector fused_value(ActivationKey key, Vector z, float parameter)
{
    float lanes[VECTOR];
    vector_store(lanes, z);
    #pragma omp simd
    for (int i = 0; i < VECTOR; i++) {
        switch (key) {
#define X(name, ...) case ACT_##name: lanes[i] = f_##name(lanes[i], parameter); break;
#include "activations.def"
#undef X
        case ACT_native: case ACT_COUNT: break;
        }
    }
    return vector_load(lanes);
}

PANEL_INLINE Vector fused_slope(ActivationKey key, Vector z, float parameter)
{
    float lanes[VECTOR];
    vector_store(lanes, z);
    #pragma omp simd
    for (int i = 0; i < VECTOR; i++) {
        switch (key) {
#define X(name, ...) case ACT_##name: lanes[i] = df_##name(lanes[i], parameter); break;
#include "activations.def"
#undef X
        case ACT_native: case ACT_COUNT: break;
        }
    }
    return vector_load(lanes);
}

PANEL_INLINE void statistics_column(const BatchNormPass *pass, Column c, ActivationKey key)
{
    (void)key;
    const Vector mean = column_value(pass, &c, TABLE_mean);
    Vector sum = { 0 }, squares = { 0 };
    for (size_t row = 0; row < c.rows; row++, c.at += c.stride) {
        const Vector centered = vector_load(pass->x + c.at) - mean;
        sum += centered;
        squares += centered * centered;
    }
    column_add(pass, &c, TABLE_sum, sum);
    column_add(pass, &c, TABLE_product, squares);
}

PANEL_INLINE void forward_column(const BatchNormPass *pass, Column c, ActivationKey key)
{
    const Vector mean = column_value(pass, &c, TABLE_mean);
    const Vector scale = column_value(pass, &c, TABLE_scale), bias = column_value(pass, &c, TABLE_bias);
    for (size_t row = 0; row < c.rows; row++, c.at += c.stride) {
        Vector z = (vector_load(pass->x + c.at) - mean) * scale + bias;
        if (pass->residual)
            z += vector_load(pass->residual + c.at);
        column_store(pass, &c, fused_value(key, z, pass->parameter));
    }
}

PANEL_INLINE Vector dz_at(const BatchNormPass *pass, size_t at, Vector centered, Vector scale, Vector bias, ActivationKey key)
{
    const Vector dy = vector_load(pass->dy + at);
    if (key == ACT_identity)
        return dy;
    Vector z = centered * scale + bias;
    if (pass->residual)
        z += vector_load(pass->residual + at);
    return dy * fused_slope(key, z, pass->parameter);
}

PANEL_INLINE void sums_column(const BatchNormPass *pass, Column c, ActivationKey key)
{
    const Vector mean = column_value(pass, &c, TABLE_mean);
    const Vector scale = column_value(pass, &c, TABLE_scale), bias = column_value(pass, &c, TABLE_bias);
    Vector sum = { 0 }, product = { 0 };
    for (size_t row = 0; row < c.rows; row++, c.at += c.stride) {
        const Vector centered = vector_load(pass->x + c.at) - mean;
        const Vector dz = dz_at(pass, c.at, centered, scale, bias, key);
        if (pass->dz)
            vector_store(pass->dz + c.at, dz);
        sum += dz;
        product += dz * centered;
    }
    column_add(pass, &c, TABLE_sum, sum);
    column_add(pass, &c, TABLE_product, product);
}

PANEL_INLINE void gradient_column(const BatchNormPass *pass, Column c, ActivationKey key)
{
    const Vector mean = column_value(pass, &c, TABLE_mean);
    const Vector scale = column_value(pass, &c, TABLE_scale), bias = column_value(pass, &c, TABLE_bias);
    const Vector gain = column_value(pass, &c, TABLE_gain);
    const Vector slope = column_value(pass, &c, TABLE_slope), offset = column_value(pass, &c, TABLE_offset);
    for (size_t row = 0; row < c.rows; row++, c.at += c.stride) {
        const Vector centered = vector_load(pass->x + c.at) - mean;
        const Vector dz = dz_at(pass, c.at, centered, scale, bias, key);
        column_store(pass, &c, gain * dz + (slope * centered + offset));
    }
}

typedef void PanelWork(const BatchNormPass *pass, const Panel *panel);

/* A loop over the columns of a panel whose rows are whole vectors, for one activation. */
#define PANEL_WORK(name, column_work, key)                                                              \
    static void name(const BatchNormPass *of, const Panel *panel)                                       \
    {                                                                                                   \
        const BatchNormPass pass = *of;                                                                 \
        const size_t step = panel_rows(panel);                                                          \
        const bool stream = pass.stream && panel_aligned(panel, pass.out);                              \
        for (size_t row = 0; row < panel->rows; row += step)                                            \
            for (size_t column = 0; column < panel->columns; column += VECTOR)                          \
                column_work(&pass, (Column){ panel->offset + row * panel->stride + column,              \
                                             panel->stride, size_min(step, panel->rows - row),          \
                                             panel->entry + column, stream }, key);                     \
    }

PANEL_WORK(statistics_panel, statistics_column, ACT_identity)
#define X(key, ...)                                                         \
    PANEL_WORK(forward_panel_##key, forward_column, ACT_##key)              \
    PANEL_WORK(sums_panel_##key, sums_column, ACT_##key)                    \
    PANEL_WORK(gradient_panel_##key, gradient_column, ACT_##key)
#include "activations.def"
#undef X

static const struct {
    PanelWork *forward, *sums, *gradient;
} batchnorm_panels[ACT_COUNT] = {
#define X(key, ...) [ACT_##key] = { forward_panel_##key, sums_panel_##key, gradient_panel_##key },
#include "activations.def"
#undef X
};

#endif
