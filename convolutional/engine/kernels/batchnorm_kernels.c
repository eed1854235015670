/* batchnorm_kernels.c - batch norm with the residual sum and the activation that follow it, in one pass each.
 *
 *   z  = scale (x - mean) + bias + residual          scale = weight / sqrt(variance + eps)
 *   y  = f(z)
 *   dz = dy f'(z)                                    z is computed again: only x is kept
 *   dbias = sum dz,  dweight = sum dz (x - mean) / sqrt(variance + eps)          over the N = n h w pixels
 *   dx = scale dz - scale (dbias + dweight (x - mean) / sqrt(variance + eps)) / N
 *
 * (Ioffe and Szegedy, 2015, arXiv:1502.03167.) Memory bounds these loops, so each pass begins where the one before it
 * ended: sums run from the end of the tensor, as its producer left it, to the start, and what needs them runs forwards. */

#include "batchnorm_loops.h"

/* One call: the tensor's walk, the vectors per channel, and memory between the passes. */
typedef struct BatchNormCall {
    Panels       panels;
    float        eps;
    const float *mean, *variance, *weight, *bias;
    bool         fixed;               /* no gradient through mean and variance */
    const StatisticsJoin *join;       /* NULL: none */
    double      *partials;            /* [slices][2][padded]: sums of every slice */
    float       *first, *second;      /* [padded]; statistics: shift, -; backward: slope, offset */
} BatchNormCall;

/* The loop over panels that a pass runs. */
typedef struct BatchNormWork {
    PanelWork    *loop;
    BatchNormPass pass;
} BatchNormWork;

size_t KERNEL(kernel_batchnorm_scratch)(const BatchNormKernel *k)
{
    const Panels p = panels_of(&k->view);
    return p.padded * (p.slices * 2 * sizeof(double) + 2 * sizeof(float));
}

static BatchNormCall call_of(const BatchNormKernel *k, void *scratch)
{
    CHECK(activation_has_loops(k->act), "batch norm: activation %s", k->act.info ? k->act.info->key : "native");
    BatchNormCall call = { .panels = panels_of(&k->view), .eps = k->eps, .fixed = k->fixed, .partials = scratch, .join = k->join && !k->fixed ? *k->join : NULL };
    if (scratch) {
        call.first = (float *)(call.partials + call.panels.slices * 2 * call.panels.padded);
        call.second = call.first + call.panels.padded;
    }
    return call;
}

/* A store past the caches is for outputs that do not fit them; in place, the lines are there already. */
static bool streams(const Panels *p, const float *y, const float *x)
{
    return y != x && p->count * p->padded >= STREAM_LEAST;
}

/* Columns that are no whole vector are copied to one whose other lanes have x = mean and dy = 0: they add nothing. */
static void rest_work(const BatchNormWork *work, size_t at, size_t entry, size_t lanes)
{
    const BatchNormPass *pass = &work->pass;
    const size_t bytes = lanes * sizeof(float);
    float x[VECTOR], residual[VECTOR] = { 0 }, dy[VECTOR] = { 0 }, out[VECTOR], dz[VECTOR];
    BatchNormPass rest = *pass;

    memcpy(x, pass->table[TABLE_mean] + entry, sizeof x);
    memcpy(x, pass->x + at, bytes);
    rest.x = x;
    if (pass->residual)
        rest.residual = memcpy(residual, pass->residual + at, bytes);
    if (pass->dy)
        rest.dy = memcpy(dy, pass->dy + at, bytes);
    rest.out = out;
    rest.stream = false;
    rest.dz = pass->dz ? dz : NULL;
    work->loop(&rest, &(Panel){ 0, 1, VECTOR, VECTOR, entry });
    if (pass->dz)
        memcpy(pass->dz + at, dz, bytes);
    if (pass->out)
        memcpy(pass->out + at, out, bytes);
}

static void panel_visit(const void *of, const Panel *panel)
{
    const BatchNormWork *work = of;
    const size_t rest = panel->columns % VECTOR, whole = panel->columns - rest;
    if (whole > 0)
        work->loop(&work->pass, &(Panel){ panel->offset, panel->rows, whole, panel->stride, panel->entry });
    for (size_t row = 0; rest > 0 && row < panel->rows; row++)
        rest_work(work, panel->offset + row * panel->stride + whole, panel->entry + whole, rest);
}

/* An item of a pass that sums. */
static void item_sum(const BatchNormCall *call, size_t item, const BatchNormWork *work)
{
    const Panels *p = &call->panels;
    double *sums = call->partials + panels_item_slice(p, item) * 2 * p->padded + panels_first(p, item);
    PanelTable *table = work->pass.table;

    memset(table[TABLE_sum], 0, sizeof table[TABLE_sum]);
    memset(table[TABLE_product], 0, sizeof table[TABLE_product]);
    panels_walk(p, item, panel_visit, work);
    panels_fold(p, item, table[TABLE_sum], sums);
    panels_fold(p, item, table[TABLE_product], sums + p->padded);
}

/* Both sums of a channel over all slices, in their order. */
static void sums_total(const BatchNormCall *call, size_t channel, double *sum, double *product)
{
    const size_t padded = call->panels.padded;
    *sum = *product = 0;
    for (size_t slice = 0; slice < call->panels.slices; slice++) {
        *sum += call->partials[slice * 2 * padded + channel];
        *product += call->partials[(slice * 2 + 1) * padded + channel];
    }
}

/* Means and variances of several processes' images, each with as many: the variance is within them, and between their means. */
static void moments_join(const BatchNormCall *call, float *mean, float *variance)
{
    const size_t padded = call->panels.padded;
    double *means = call->partials, *squares = means + padded;
    for (size_t c = 0; c < padded; c++) {
        means[c] = (double)mean[c];
        squares[c] = (double)variance[c] + (double)mean[c] * (double)mean[c];
    }
    call->join->sum(call->join->context, means, 2 * padded);
    for (size_t c = 0; c < padded; c++) {
        const double shared = means[c] / call->join->processes, wide = squares[c] / call->join->processes - shared * shared;
        mean[c] = (float)shared;
        variance[c] = wide < 0 ? 0 : (float)wide;
    }
}

/* Any value near the mean will do: sums of x - shift and of its square lose nothing to a large mean. */
static float shift_of(const Panels *p, size_t channel, const float *x)
{
    const size_t rows = size_min(p->rows, 16);
    float sum = 0;
    x += channel / p->depth * p->block_stride + channel % p->depth * p->run;
    for (size_t row = 0; row < rows; row++)
        sum += x[row * p->pitch];
    return sum / (float)rows;
}

static void moments_write(const BatchNormCall *call, size_t channel, float *mean, float *variance)
{
    double sum, squares;
    sums_total(call, channel, &sum, &squares);
    const double count = (double)call->panels.count, shifted = sum / count, wide = squares / count - shifted * shifted;
    const bool padding = channel >= call->panels.channels;
    mean[channel] = padding ? 0 : (float)((double)call->first[channel] + shifted);
    variance[channel] = padding || wide < 0 ? 0 : (float)wide;
}

void KERNEL(kernel_batchnorm_statistics)(const BatchNormKernel *k, const float *x, float *mean, float *variance, void *scratch)
{
    const BatchNormCall call = call_of(k, scratch);
    const Panels *p = &call.panels;

    #pragma omp parallel if (panels_items(p) > 1)
    {
        PanelTable table[TABLE_COUNT];
        const BatchNormWork work = { statistics_panel, { .x = x, .table = table } };
        const PanelShare items = panels_share(panels_items(p)), channels = panels_share(p->padded);

        for (size_t c = channels.first; c < channels.end; c++)
            call.first[c] = shift_of(p, c, x);
        #pragma omp barrier
        for (size_t item = items.end; item-- > items.first;) {
            panels_spread(p, item, call.first, table[TABLE_mean]);
            item_sum(&call, item, &work);
        }
        #pragma omp barrier
        for (size_t c = channels.first; c < channels.end; c++)
            moments_write(&call, c, mean, variance);
    }
    if (call.join)
        moments_join(&call, mean, variance);
}

/* What z needs of an item's channels, and the gain of dx. */
static void coefficients_spread(const BatchNormCall *call, size_t item, PanelTable *table)
{
    const Panels *p = &call->panels;
    float *gain = table[TABLE_gain], *scale = table[TABLE_scale];
    panels_spread(p, item, call->mean, table[TABLE_mean]);
    panels_spread(p, item, call->bias, table[TABLE_bias]);
    panels_spread(p, item, call->weight, gain);
    panels_spread(p, item, call->variance, scale);
    for (size_t lane = 0; lane < p->group * p->lanes; lane++)
        scale[lane] = gain[lane] /= sqrtf(scale[lane] + call->eps);
}

void KERNEL(kernel_batchnorm_forward)(const BatchNormKernel *k, const float *x, const float *mean, const float *variance,
                                      const float *weight, const float *bias, const float *residual, float *y)
{
    BatchNormCall call = call_of(k, NULL);
    call.mean = mean, call.variance = variance, call.weight = weight, call.bias = bias;
    const Panels *p = &call.panels;

    #pragma omp parallel if (panels_items(p) > 1)
    {
        PanelTable table[TABLE_COUNT];
        const BatchNormWork work = {
            batchnorm_panels[k->act.info->id].forward,
            { .x = x, .residual = residual, .out = y, .stream = streams(p, y, x), .parameter = k->act.parameters[0],
              .table = table },
        };
        const PanelShare items = panels_share(panels_items(p));

        for (size_t item = items.first; item < items.end; item++) {
            coefficients_spread(&call, item, table);
            panels_walk(p, item, panel_visit, &work);
            panels_clear(p, item, y);
        }
        _mm_sfence();
    }
}

/* The sums of all processes are, at the place of the first slice's, the only ones that are left. */
static void sums_join(BatchNormCall *call)
{
    const size_t padded = call->panels.padded;
    for (size_t c = 0; c < padded; c++) {
        double sum, product;
        sums_total(call, c, &sum, &product);
        call->partials[c] = sum;
        call->partials[padded + c] = product;
    }
    call->join->sum(call->join->context, call->partials, 2 * padded);
}

/* What dx needs of a channel's sums over `count` values. */
static void slopes_write(const BatchNormCall *call, size_t channel, double sum, double product, double count)
{
    const double inverse = 1 / sqrt((double)call->variance[channel] + (double)call->eps);
    const double share = (double)call->weight[channel] * inverse / count;
    call->first[channel] = call->fixed ? 0 : (float)(-share * inverse * inverse * product);
    call->second[channel] = call->fixed ? 0 : (float)(-share * sum);
}

/* dweight and dbias, and what dx needs of them. */
static void gradients_write(const BatchNormCall *call, size_t channel, float *dweight, float *dbias)
{
    double sum, product;
    sums_total(call, channel, &sum, &product);
    const double inverse = 1 / sqrt((double)call->variance[channel] + (double)call->eps);
    const bool padding = channel >= call->panels.channels;
    dbias[channel] = padding ? 0 : (float)sum;
    dweight[channel] = padding ? 0 : (float)(product * inverse);
    slopes_write(call, channel, sum, product, (double)call->panels.count);
}

static void gradient_write(const BatchNormCall *call, PanelShare items, const BatchNormWork *work)
{
    const Panels *p = &call->panels;
    for (size_t item = items.first; item < items.end; item++) {
        coefficients_spread(call, item, work->pass.table);
        panels_spread(p, item, call->first, work->pass.table[TABLE_slope]);
        panels_spread(p, item, call->second, work->pass.table[TABLE_offset]);
        panels_walk(p, item, panel_visit, work);
        panels_clear(p, item, work->pass.out);
    }
}

void KERNEL(kernel_batchnorm_backward)(const BatchNormKernel *k, const float *x, const float *mean, const float *variance,
                                       const float *weight, const float *bias, const float *residual, const float *dy,
                                       float *dx, float *dweight, float *dbias, float *dresidual, void *scratch)
{
    BatchNormCall call = call_of(k, scratch);
    call.mean = mean, call.variance = variance, call.weight = weight, call.bias = bias;
    const Panels *p = &call.panels;

    #pragma omp parallel if (panels_items(p) > 1)
    {
        PanelTable table[TABLE_COUNT];
        BatchNormWork work = {
            batchnorm_panels[k->act.info->id].sums,
            { .x = x, .residual = residual, .dy = dy, .dz = dresidual, .parameter = k->act.parameters[0],
              .table = table },
        };
        const PanelShare items = panels_share(panels_items(p)), channels = panels_share(p->padded);

        for (size_t item = items.end; item-- > items.first;) {
            coefficients_spread(&call, item, table);
            item_sum(&call, item, &work);
            if (dresidual)
                panels_clear(p, item, dresidual);
        }
        #pragma omp barrier
        for (size_t c = channels.first; c < channels.end; c++)
            gradients_write(&call, c, dweight, dbias);
        #pragma omp barrier
        if (call.join) {
            #pragma omp master
            sums_join(&call);
            #pragma omp barrier
            for (size_t c = channels.first; c < channels.end; c++)
                slopes_write(&call, c, call.partials[c], call.partials[p->padded + c], (double)p->count * call.join->processes);
            #pragma omp barrier
        }
        /* Where dz was kept it is read again, which is less than dy and the residual. */
        const float *dz = dresidual ? dresidual : dy;
        work.loop = batchnorm_panels[dresidual ? ACT_identity : k->act.info->id].gradient;
        work.pass.dy = dz;
        work.pass.dz = NULL;
        work.pass.out = dx;
        work.pass.stream = streams(p, dx, dz);
        gradient_write(&call, items, &work);
        _mm_sfence();
    }
}
