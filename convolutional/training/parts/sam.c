/* sam.c - sharpness-aware minimisation (Foret et al., 2020, arXiv:2010.01412).
 *
 *   g = gradient at w;  the step's gradient = gradient at w + rho g / |g|, of the same batch with the same dropout
 *
 * Statistics and counters move once, at w. Nothing is kept: each step begins anew. */

#include "trainer_step.h"

#include "kernels.h"

#include <math.h>
#include <stdlib.h>

enum { CHUNK = 1 << 14 };      /* floats */

static void *sam_open(Trainer *t)
{
    if (!(t->options.parts.sam_rho > 0.0f))
        return NULL;
    WeightsCopy *before = allocate(1, sizeof *before, "weights before a climb");
    weights_copy_take(before, t->network);      /* now, so that no step allocates */
    return before;
}

static void climb(size_t count, float *restrict w, const float *restrict g, float scale)
{
    for (size_t i = 0; i < count; i++)
        w[i] += scale * g[i];
}

static bool sam_after_gradients(Trainer *t, void *state, const Batch *batch, Error *error)
{
    Parameters *p = network_parameters(t->network);
    LossSum above = { 0 };
    const double norm = sqrt(kernel_sum_of_squares(p->trained, p->gradients));
    if (!isfinite(norm))      /* the optimizer tells it */
        return true;
    const float scale = (float)(t->options.parts.sam_rho / (norm + 1e-12));
    weights_copy_take(state, t->network);
    #pragma omp parallel for schedule(static)
    for (size_t i = 0; i < p->trained; i += CHUNK)
        climb(p->trained - i < CHUNK ? p->trained - i : CHUNK, p->values + i, p->gradients + i, scale);
    p->version++;
    const bool ok = trainer_gradients(t, batch, &above, error);
    weights_copy_put(state, t->network);
    return ok;
}

static void sam_close(void *state)
{
    weights_copy_free(state);
    free(state);
}

const RunPart part_sam = { .key = "sam", .open = sam_open, .after_gradients = sam_after_gradients, .close = sam_close };
