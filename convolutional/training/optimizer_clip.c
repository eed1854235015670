/* optimizer_clip.c - gradients that are too large are made smaller before the step; see optimizer.h. */

#include "optimizer_rule.h"

#include "names.h"
#include "parameter_groups.h"

#include <math.h>
#include <string.h>

#define X(key) #key,
static const char *const clips[] = { CLIP_MODES(X) };
#undef X

const char *clip_name(ClipMode mode)
{
    CHECK((unsigned)mode < CLIP_COUNT, "clip mode %d of %d", (int)mode, CLIP_COUNT);
    return clips[mode];
}

const char *clip_names(void)
{
#define X(key) " " #key
    static const char names[] = CLIP_MODES(X);
#undef X
    return names + 1;
}

bool clip_parse(const char *name, ClipMode *mode, Error *error)
{
    for (int i = 0; i < CLIP_COUNT; i++)
        if (names_match(clips[i], name, strlen(name))) {
            *mode = (ClipMode)i;
            return true;
        }
    return error_set(error, EXIT_usage, "unknown way to clip '%.100s': --clip-mode: use one of %s", name, clip_names());
}

/* ---- by value ---- */

static void clip_values(size_t count, float *g, float most)
{
    #pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < count; i++)
        g[i] = g[i] > most ? most : g[i] < -most ? -most : g[i];
}

/* ---- by the weights of each output ---- */

static const double LEAST_NORM = 1e-3;      /* a weight that starts at zero can leave it */

/* One output's `count` values, where `positions` says, or side by side. */
static void clip_output(size_t count, const uint32_t *positions, const float *w, float *g, double most)
{
    double weights = 0, gradients = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t at = positions ? positions[i] : i;
        weights += (double)w[at] * (double)w[at];
        gradients += (double)g[at] * (double)g[at];
    }
    const double bound = most * fmax(sqrt(weights), LEAST_NORM), norm = sqrt(gradients);
    if (norm <= bound)
        return;
    const float scale = (float)(bound / fmax(norm, 1e-6));
    for (size_t i = 0; i < count; i++)
        g[positions ? positions[i] : i] *= scale;
}

static void clip_outputs(const Optimizer *optimizer, const Param *param)
{
    const Parameters *p = network_parameters(optimizer->network);
    const size_t offset = parameters_span(optimizer->network, param).offset;
    const size_t outputs = param->role == PARAM_weight && param->rank > 1 ? (size_t)param->dims[0] : 1, count = param->count / outputs;
    const uint32_t *positions = optimizer->positions[param->index];
    CHECK(positions || outputs == 1, "'%s': its positions are not known", param->name);
    #pragma omp parallel for schedule(static)
    for (size_t i = 0; i < outputs; i++)
        clip_output(count, positions ? positions + i * count : NULL, p->values + offset, p->gradients + offset,
                    optimizer->options.clip_norm);
}

float optimizer_clip(const Optimizer *optimizer, double norm)
{
    const OptimizerOptions *o = &optimizer->options;
    const Parameters *p = network_parameters(optimizer->network);
    if (!(o->clip_norm > 0))
        return 1;
    if (o->clip_mode == CLIP_norm) {
        const double scale = o->clip_norm / (norm + 1e-6);
        return scale < 1 ? (float)scale : 1;
    }
    if (o->clip_mode == CLIP_value)
        clip_values(p->trained, p->gradients, o->clip_norm);
    else
        for (int i = 0; i < network_param_count(optimizer->network); i++) {
            const Param *param = network_param(optimizer->network, i);
            if (param_is_trained(param) && !parameter_in_head(optimizer->network, param))
                clip_outputs(optimizer, param);
        }
    return 1;
}
