/* winograd_weights.c - the gradient of the filters of a Winograd convolution.
 *
 *     dw = G^T [ sum over tiles of (B^T x B) . (A dy A^T) ] G,       36 products dU[f] = V[f]^T W[f]
 *
 * Three ways to share the work:
 *   by tiles      each thread sums the products of its part of the tiles; the sums are added in order at the end;
 *   by channels   for large filters: all threads transform some tiles, then each adds to dU of its part of the output channels;
 *   at once       the same where these few are all tiles: dU of a few channels is made, transformed and forgotten. */

#include "winograd_int16.h"
#include "winograd_strip.h"

#include <omp.h>
#include <string.h>

typedef struct WeightsPlan {
    const WinogradKernel *k;
    const Arithmetic     *arithmetic;
    TileGrid grid;
    int      in, out, threads;
    int      by_channels, at_once;
    int      most;                  /* tiles worked on together */
    float    norms[FREQUENCIES];    /* of both transforms, with integers */
    size_t   v_bytes, w_bytes, du_bytes, sums_bytes;
} WeightsPlan;

enum {
    SUMS_MOST = 5 << 20,            /* bytes of dU that each thread may have for itself */
    TILES_OWN = 64,
    TILES_SHARED = 64,
    TILES_AT_ONCE = 160,
};

static int lines_of(const WeightsPlan *plan, int tiles)
{
    return plan->k->int16 ? (tiles + 1) / 2 : tiles;
}

/* V or W in memory: words, then what those of each channel are worth. */
static size_t matrix_bytes(const WeightsPlan *plan, int tiles, int channels)
{
    return spectrum_bytes((size_t)lines_of(plan, tiles), channels) + (size_t)channels * sizeof(float);
}

static Spectrum matrix_at(const WeightsPlan *plan, char *memory, int tiles, int channels)
{
    return (Spectrum){ (uint32_t *)memory, (float *)(memory + spectrum_bytes((size_t)lines_of(plan, tiles), channels)) };
}

static WeightsPlan weights_plan(const WinogradKernel *k)
{
    WeightsPlan plan = { .k = k, .arithmetic = KERNEL(winograd_arithmetic)(k), .grid = tile_grid(&k->x), .in = k->x.c,
                         .out = k->y.c, .threads = omp_get_max_threads() };
    plan.du_bytes = (size_t)FREQUENCIES * (size_t)plan.in * (size_t)plan.out * sizeof(float);
    plan.by_channels = plan.du_bytes > SUMS_MOST;
    plan.at_once = plan.by_channels && plan.grid.count <= TILES_AT_ONCE;
    /* Longer sums of integers would leave fewer bits to each. */
    const size_t most = plan.at_once && !k->int16 ? TILES_AT_ONCE : plan.by_channels ? TILES_SHARED : TILES_OWN;
    plan.most = (int)size_min(plan.grid.count, most);
    plan.v_bytes = matrix_bytes(&plan, plan.most, plan.in);
    plan.w_bytes = matrix_bytes(&plan, plan.most, plan.out);
    if (plan.at_once)
        plan.du_bytes = (size_t)FREQUENCIES * GROUP * BLOCK * sizeof(float);
    plan.sums_bytes = (size_t)plan.out * sizeof(float);
    if (k->int16) {
        float patch[FREQUENCIES], gradient[FREQUENCIES];
        patch_norms(patch);
        gradient_norms(gradient);
        for (int f = 0; f < FREQUENCIES; f++)
            plan.norms[f] = patch[f] * gradient[f];
    }
    return plan;
}

size_t KERNEL(winograd_weights_scratch)(const WinogradKernel *k)
{
    const WeightsPlan plan = weights_plan(k);
    const size_t threads = (size_t)plan.threads;
    const size_t matrices = plan.at_once ? (size_t)runs_of(plan.grid.count, plan.most) : plan.by_channels ? 1 : threads;
    const size_t sums = plan.by_channels && !plan.at_once ? 1 : threads;
    return matrices * (plan.v_bytes + plan.w_bytes) + sums * plan.du_bytes + threads * plan.sums_bytes;
}

/* The floats of dU before those of 16 input channels and a block: dU is [block][in / 16][f][16][width]. */
static size_t du_offset(const WeightsPlan *plan, int block, int group)
{
    const size_t width = (size_t)block_width(plan->out, block);
    return (size_t)FREQUENCIES * ((size_t)block * BLOCK * (size_t)plan->in + (size_t)group * GROUP * width);
}

/* A run's V and W. */
typedef struct RunSpectra {
    int      lines;
    Spectrum v, w;
} RunSpectra;

/* V of frequency f and 16 input channels. */
static inline uint32_t *v_words(const WeightsPlan *plan, const RunSpectra *run, int f, int group)
{
    return run->v.words + (size_t)f * frequency_stride((size_t)run->lines, plan->in) + (size_t)group * GROUP * (size_t)run->lines;
}

/* dU of one frequency, 16 input channels and a block. */
static inline void weights_product(const WeightsPlan *plan, const RunSpectra *run, int f, int group, int block, int add,
                                   const uint32_t *ahead, float *du)
{
    const int width = block_width(plan->out, block);
    const Spectrum v = { v_words(plan, run, f, group), run->v.worth + group * GROUP };
    const Spectrum w = { run->w.words + (size_t)f * frequency_stride((size_t)run->lines, plan->out) +
                             (size_t)block * BLOCK * (size_t)run->lines, run->w.worth + block * BLOCK };
    plan->arithmetic->multiply_transposed(plan->norms[f], run->lines, width, v, w, add, ahead, du + (size_t)(f * GROUP * width));
}

/* dU of blocks first .. last - 1: add the products of a run of tiles. Frequencies outermost, so that V[f] and W[f] are read
 * from memory once. */
static void weights_accumulate(const WeightsPlan *plan, const RunSpectra *run, int add, int first, int last, float *du,
                               Fetch *fetch_x, Fetch *fetch_dy)
{
    for (int f = 0; f < FREQUENCIES; f++)
        for (int block = first; block < last; block++)
            for (int group = 0; group < plan->in / GROUP; group++) {
                weights_product(plan, run, f, group, block, add, v_words(plan, run, f, group + 1),
                                du + du_offset(plan, block, group));
                fetch_some(fetch_x);
                fetch_some(fetch_dy);
            }
}

/* dbias: the sums of all threads in order. */
static void weights_bias(const WeightsPlan *plan, const float *sums, int threads, float *dbias)
{
    for (int c = 0; c < plan->out; c++) {
        dbias[c] = 0;
        for (int t = 0; t < threads; t++)
            dbias[c] += sums[t * plan->out + c];
    }
}

/* Part `thread` of dweights from `parts` sums that lie `part` floats apart. */
static void weights_finish(const WeightsPlan *plan, int threads, int thread, const float *du, int parts, size_t part,
                           float *dweights)
{
    const int groups = plan->in / GROUP;
    const size_t items = (size_t)blocks_of(plan->out) * (size_t)groups;
    for (size_t item = split(items, threads, thread); item < split(items, threads, thread + 1); item++) {
        const int block = (int)(item / (size_t)groups), group = (int)(item % (size_t)groups);
        KERNEL(winograd_filter_gradient)(du + du_offset(plan, block, group), parts, part, plan->in, plan->out,
                                         block, group * GROUP, 0, dweights);
    }
}

static RunSpectra spectra_at(const WeightsPlan *plan, char *memory, int tiles)
{
    return (RunSpectra){ lines_of(plan, tiles), matrix_at(plan, memory, tiles, plan->in),
                         matrix_at(plan, memory + plan->v_bytes, tiles, plan->out) };
}

static void weights_by_tiles(const WeightsPlan *plan, const float *x, const float *dy, float *dweights, float *sums,
                             char *scratch)
{
    const int threads = omp_get_num_threads(), thread = omp_get_thread_num(), blocks = blocks_of(plan->out);
    const size_t part = plan->v_bytes + plan->w_bytes + plan->du_bytes;
    char *own = scratch + (size_t)thread * part;
    float *du = (float *)own;

    const size_t first = split(plan->grid.count, threads, thread), last = split(plan->grid.count, threads, thread + 1);
    const int runs = runs_of(last - first, plan->most);
    for (int i = 0; i < runs; i++) {
        const TileRun run = run_of(first, last, runs, i), next = i + 1 < runs ? run_of(first, last, runs, i + 1) : (TileRun){ 0 };
        const size_t calls = (size_t)FREQUENCIES * (size_t)blocks * (size_t)(plan->in / GROUP);
        const RunSpectra spectra = spectra_at(plan, own + plan->du_bytes, run.count);
        Fetch fetch_x = fetch_of(&plan->k->x, x, next, calls), fetch_dy = fetch_of(&plan->k->y, dy, next, calls);
        plan->arithmetic->patch_lines(&plan->k->x, x, run, 0, 1, spectra.v);
        plan->arithmetic->gradients(&plan->k->y, dy, run, 0, 1, spectra.w, sums);
        weights_accumulate(plan, &spectra, i > 0, 0, blocks, du, &fetch_x, &fetch_dy);
    }
    if (runs == 0)
        memset(du, 0, plan->du_bytes);
    #pragma omp barrier
    weights_finish(plan, threads, thread, (const float *)scratch, threads, part / sizeof(float), dweights);
}

/* Own part of dweights, which are too many to stay in the cache until they are used, from all tiles. */
static void weights_at_once(const WeightsPlan *plan, const RunSpectra *all, int runs, int first, int last, float *du,
                            float *dweights)
{
    const int stream = (uintptr_t)dweights % 64 == 0;
    for (int block = first; block < last; block++)
        for (int group = 0; group < plan->in / GROUP; group++) {
            for (int f = 0; f < FREQUENCIES; f++)
                for (int i = 0; i < runs; i++)
                    weights_product(plan, &all[i], f, group, block, i > 0, v_words(plan, &all[i], f + 1, group), du);
            KERNEL(winograd_filter_gradient)(du, 1, 0, plan->in, plan->out, block, group * GROUP, stream, dweights);
        }
}

static void weights_by_channels(const WeightsPlan *plan, const float *x, const float *dy, float *dweights, float *sums,
                                char *scratch)
{
    const int threads = omp_get_num_threads(), thread = omp_get_thread_num(), blocks = blocks_of(plan->out);
    const int first = (int)split((size_t)blocks, threads, thread), last = (int)split((size_t)blocks, threads, thread + 1);
    const int runs = runs_of(plan->grid.count, plan->most), kept = plan->at_once ? runs : 1;
    const size_t run_bytes = plan->v_bytes + plan->w_bytes;
    RunSpectra spectra[TILES_AT_ONCE / TILES_SHARED + 1];
    float *du = (float *)(scratch + (size_t)kept * run_bytes + (plan->at_once ? (size_t)thread * plan->du_bytes : 0));

    for (int i = 0; i < runs; i++) {
        const TileRun run = run_of(0, plan->grid.count, runs, i);
        RunSpectra *own = &spectra[i % kept];
        Fetch none = { 0 };
        *own = spectra_at(plan, scratch + (size_t)(i % kept) * run_bytes, run.count);
        plan->arithmetic->patch_lines(&plan->k->x, x, run, thread, threads, own->v);
        plan->arithmetic->gradients(&plan->k->y, dy, run, thread, threads, own->w, sums);
        if (plan->at_once)
            continue;
        #pragma omp barrier
        weights_accumulate(plan, own, i > 0, first, last, du, &none, &none);
        #pragma omp barrier
    }
    if (plan->at_once) {
        #pragma omp barrier
        weights_at_once(plan, spectra, runs, first, last, du, dweights);
    } else {
        weights_finish(plan, threads, thread, du, 1, 0, dweights);
    }
}

void KERNEL(kernel_winograd_backward_weights)(const WinogradKernel *k, const float *x, const float *dy,
                                              float *dweights, float *dbias, void *scratch)
{
    const WeightsPlan plan = weights_plan(k);
    float *all_sums = scratch;
    char *rest = (char *)scratch + (size_t)plan.threads * plan.sums_bytes;
    #pragma omp parallel num_threads(plan.threads)
    {
        float *sums = all_sums + omp_get_thread_num() * plan.out;
        memset(sums, 0, plan.sums_bytes);
        if (plan.by_channels)
            weights_by_channels(&plan, x, dy, dweights, dbias ? sums : NULL, rest);
        else
            weights_by_tiles(&plan, x, dy, dweights, dbias ? sums : NULL, rest);
        #pragma omp barrier
        if (dbias && omp_get_thread_num() == 0)
            weights_bias(&plan, all_sums, omp_get_num_threads(), dbias);
    }
}
