/* winograd_forward.c - the Winograd convolution forward, and the gradient of its data, which is the same
 * with filters turned and channels exchanged.
 *
 * Two ways to share the work:
 *   by tiles      each thread takes a part of the tiles, and reads the U of all filters, made by all threads before;
 *   by channels   V of many tiles is made by all threads, then each takes a part of the output channels, and makes the
 *                 U of a block only when it is needed. For large filters (U would not stay in the cache) or few tiles.
 *
 * The scratch memory is sized for omp_get_max_threads() threads; the calls must see the same number. */

#include "winograd_int16.h"
#include "winograd_strip.h"

#include <omp.h>

#include "errors.h"

typedef struct ForwardPlan {
    TileGrid grid;
    int      in, out, threads;
    int      int16, by_channels;
    int      words;                 /* of the input channels */
    int      most;                  /* tiles worked on together */
    size_t   v_bytes, u_bytes, m_bytes;
    size_t   u_block;               /* bytes of U of one block */
} ForwardPlan;

enum {
    FILTERS_MOST = 12 << 20,        /* bytes of U that all threads may read again and again */
    TILES = 56,                     /* tiles worked on together by a thread: with 64 channels V and M fit into L2 */
    SHARED_MOST = 10 << 20,         /* bytes of V shared by all threads */
};

/* A spectrum in memory: words, then, in mixed precision, what those of each row or column are worth, for each section of
 * channels. */
static Spectrum spectrum_at(const ForwardPlan *plan, char *memory, size_t rows, int columns)
{
    return (Spectrum){ (uint32_t *)memory, plan->int16 ? (float *)(memory + spectrum_bytes(rows, columns)) : NULL };
}

static size_t worth_bytes(const ForwardPlan *plan, size_t count)
{
    return plan->int16 ? ((size_t)sections_of(plan->in) * count * sizeof(float) + 63) / 64 * 64 : 0;
}

static ForwardPlan forward_plan(const View *x, const View *y, int is_int16)
{
    ForwardPlan plan = { .grid = tile_grid(x), .in = x->c, .out = y->c, .threads = omp_get_max_threads(), .int16 = is_int16,
                         .words = is_int16 ? words_of(x->c) : x->c };
    plan.u_block = spectrum_bytes((size_t)plan.words, BLOCK) + worth_bytes(&plan, BLOCK);
    const size_t u_bytes = (size_t)blocks_of(plan.out) * plan.u_block;
    const size_t tile_bytes = (size_t)FREQUENCIES * (size_t)plan.words * sizeof(float);
    plan.by_channels = u_bytes > FILTERS_MOST || plan.grid.count < (size_t)plan.threads * ROWS;
    plan.most = (int)size_min(plan.grid.count, plan.by_channels ? size_max(TILES, SHARED_MOST / tile_bytes) : TILES);
    plan.v_bytes = spectrum_bytes((size_t)plan.most, plan.words) + worth_bytes(&plan, (size_t)plan.most);
    plan.u_bytes = plan.by_channels ? plan.u_block : u_bytes;
    plan.m_bytes = spectrum_bytes((size_t)plan.most, BLOCK);
    return plan;
}

static size_t forward_scratch(const ForwardPlan *plan)
{
    const size_t threads = (size_t)plan->threads;
    return plan->by_channels ? plan->v_bytes + threads * (plan->u_bytes + plan->m_bytes)
                             : plan->u_bytes + threads * (plan->v_bytes + plan->m_bytes);
}

/* One convolution to compute. */
typedef struct ForwardCall {
    const View       *x_view, *y_view;
    const Arithmetic *arithmetic;
    FilterTransform  *filter;
    const float      *x, *weights, *bias;
    float            *y;
    char             *scratch;
} ForwardCall;

static Spectrum filters_at(const ForwardPlan *plan, char *memory, int block)
{
    return spectrum_at(plan, memory, (size_t)plan->words, block_width(plan->out, block));
}

/* U of a block for the unit of input channels from c on. */
static void transform_unit(const ForwardPlan *plan, const ForwardCall *call, int block, int c, Spectrum u)
{
    call->filter(call->weights, plan->in, plan->out, block, c, int_min(c + call->arithmetic->unit, plan->in), u);
}

static void forward_by_tiles(const ForwardPlan *plan, const ForwardCall *call)
{
    const int threads = omp_get_num_threads(), thread = omp_get_thread_num(), unit = call->arithmetic->unit;
    const int blocks = blocks_of(plan->out), units = int_divide_up(plan->in, unit);
    const size_t items = (size_t)blocks * (size_t)units;
    char *own = call->scratch + plan->u_bytes + (size_t)thread * (plan->v_bytes + plan->m_bytes);
    float *m = (float *)(own + plan->v_bytes);

    for (size_t item = split(items, threads, thread); item < split(items, threads, thread + 1); item++) {
        const int block = (int)(item / (size_t)units), c = (int)(item % (size_t)units) * unit;
        transform_unit(plan, call, block, c, filters_at(plan, call->scratch + (size_t)block * plan->u_block, block));
    }
    #pragma omp barrier

    const size_t first = split(plan->grid.count, threads, thread), last = split(plan->grid.count, threads, thread + 1);
    const int runs = runs_of(last - first, plan->most);
    for (int i = 0; i < runs; i++) {
        const TileRun run = run_of(first, last, runs, i), next = i + 1 < runs ? run_of(first, last, runs, i + 1) : (TileRun){ 0 };
        const int panels = int_divide_up(run.count, ROWS);
        const Spectrum v = spectrum_at(plan, own, (size_t)run.count, plan->words);
        Fetch fetch = fetch_of(call->x_view, call->x, next, (size_t)FREQUENCIES * (size_t)panels * (size_t)blocks);
        call->arithmetic->patches(call->x_view, call->x, run, panels, 0, run.count, v);
        for (int block = 0; block < blocks; block++) {
            call->arithmetic->multiply(run.count, panels, plan->in, block_width(plan->out, block), v,
                                       filters_at(plan, call->scratch + (size_t)block * plan->u_block, block), m, &fetch);
            KERNEL(winograd_outputs)(call->y_view, m, run, block, call->bias, call->y);
        }
    }
}

static void forward_by_channels(const ForwardPlan *plan, const ForwardCall *call)
{
    const int threads = omp_get_num_threads(), thread = omp_get_thread_num();
    const size_t blocks = (size_t)blocks_of(plan->out);
    const int first = (int)split(blocks, threads, thread), last = (int)split(blocks, threads, thread + 1);
    const int runs = runs_of(plan->grid.count, plan->most), unit = call->arithmetic->unit;
    char *own = call->scratch + plan->v_bytes + (size_t)thread * (plan->u_bytes + plan->m_bytes);
    float *m = (float *)(own + plan->u_bytes);

    for (int i = 0; i < runs; i++) {
        const TileRun run = run_of(0, plan->grid.count, runs, i);
        const int panels = int_divide_up(run.count, ROWS);
        const Spectrum v = spectrum_at(plan, call->scratch, (size_t)run.count, plan->words);
        Fetch none = { 0 };
        call->arithmetic->patches(call->x_view, call->x, run, panels, (int)split((size_t)run.count, threads, thread),
                                  (int)split((size_t)run.count, threads, thread + 1), v);
        #pragma omp barrier
        for (int block = first; block < last; block++) {
            const Spectrum u = filters_at(plan, own, block);
            for (int c = 0; c < plan->in; c += unit)
                transform_unit(plan, call, block, c, u);
            call->arithmetic->multiply(run.count, panels, plan->in, block_width(plan->out, block), v, u, m, &none);
            KERNEL(winograd_outputs)(call->y_view, m, run, block, call->bias, call->y);
        }
        #pragma omp barrier
    }
}

static void forward_run(const ForwardCall *call)
{
    const ForwardPlan plan = forward_plan(call->x_view, call->y_view, call->arithmetic->int16);
    #pragma omp parallel num_threads(plan.threads)
    {
        if (plan.by_channels)
            forward_by_channels(&plan, call);
        else
            forward_by_tiles(&plan, call);
    }
}

size_t KERNEL(kernel_winograd_scratch)(const WinogradKernel *k)
{
    CHECK(k->x.c % GROUP == 0 && k->y.c % GROUP == 0, "winograd: %d and %d channels, not multiples of 16", k->x.c, k->y.c);
    const ForwardPlan forward = forward_plan(&k->x, &k->y, k->int16), backward = forward_plan(&k->y, &k->x, k->int16);
    return size_max(KERNEL(winograd_weights_scratch)(k), size_max(forward_scratch(&forward), forward_scratch(&backward)));
}

void KERNEL(kernel_winograd_forward)(const WinogradKernel *k, const float *x, const float *weights, const float *bias,
                                     float *y, void *scratch)
{
    const Arithmetic *with = KERNEL(winograd_arithmetic)(k);
    forward_run(&(ForwardCall){ &k->x, &k->y, with, with->filter, x, weights, bias, y, scratch });
}

void KERNEL(kernel_winograd_backward_data)(const WinogradKernel *k, const float *dy, const float *weights, float *dx,
                                           void *scratch)
{
    const Arithmetic *with = KERNEL(winograd_arithmetic)(k);
    forward_run(&(ForwardCall){ &k->y, &k->x, with, with->filter_turned, dy, weights, NULL, dx, scratch });
}
