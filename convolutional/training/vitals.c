/* vitals.c - see vitals.h. */

#include "vitals.h"

#include "kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 4096 };      /* values of a weight */

/* ---- units ---- */

/* The bias whose sum over a channel is what the activation reads there: NULL if there is none. */
static const Param *bias_before(const Network *network, const Tensor *z)
{
    const Module *module = z->producer;
    while (module && module->ops->sums)
        module = module->in[0]->producer;
    const Param *bias = module ? network_param_of(network, module, "bias") : NULL;
    return bias && bias->rank == 1 && bias->dims[0] == z->shape.c ? bias : NULL;
}

static void add_units(Vitals *v, const Module *activation)
{
    const Param *bias = bias_before(v->network, activation->in[0]);
    if (!bias)
        return;
    UnitVitals *units = &v->units[v->unit_count++];
    *units = (UnitVitals){ .activation = activation, .bias = bias, .channels = (int)bias->count };
    units->alive = allocate(bias->count, sizeof *units->alive, "units");
    units->positions = allocate(bias->count, sizeof *units->positions, "units");
    parameters_positions(v->network, bias, units->positions);
}

static void see_units(Vitals *v, UnitVitals *units)
{
    const float *gradient = network_parameters(v->network)->gradients + parameters_span(v->network, units->bias).offset;
    for (int c = 0; c < units->channels; c++)
        units->alive[c] = units->alive[c] || gradient[units->positions[c]] != 0.0f;
}

static bool is_moved(const Vitals *v, const Param *param)
{
    const ParamSpan span = parameters_span(v->network, param);
    return kernel_sum_of_squares(span.room, network_parameters(v->network)->gradients + span.offset) > 0.0;
}

/* Whether anything comes back at all: nothing does where every image is right beyond doubt. In front of the head everything may be dead:
 * then its bias alone is moved. */
static bool has_gradient(const Vitals *v)
{
    if (!v->layer_count)
        return false;
    const Param *head = v->layers[v->layer_count - 1].param, *bias = network_param_of(v->network, head->module, "bias");
    return (bias && is_moved(v, bias)) || is_moved(v, head);
}

void vitals_see(Vitals *v)
{
    if (!has_gradient(v))
        return;
    v->steps++;
    for (int i = 0; i < v->unit_count; i++)
        see_units(v, &v->units[i]);
}

/* ---- layers ---- */

/* Of the values that lie this far apart, there are SAMPLE or fewer. */
static size_t stride_of(size_t room)
{
    return (room + SAMPLE - 1) / SAMPLE;
}

static void copy_sample(const float *values, size_t room, float *sample)
{
    for (size_t i = 0; i < room; i += stride_of(room))
        *sample++ = values[i];
}

void vitals_before_step(Vitals *v)
{
    const Parameters *p = network_parameters(v->network);
    for (int i = 0; i < v->layer_count; i++) {
        LayerVitals *layer = &v->layers[i];
        const ParamSpan span = parameters_span(v->network, layer->param);
        layer->weight = sqrt(kernel_sum_of_squares(span.room, p->values + span.offset));
        layer->gradient = layer->param->frozen ? 0.0 : sqrt(kernel_sum_of_squares(span.room, p->gradients + span.offset));
        copy_sample(p->values + span.offset, span.room, v->before + (size_t)i * SAMPLE);
    }
}

void vitals_after_step(Vitals *v)
{
    const Parameters *p = network_parameters(v->network);
    for (int i = 0; i < v->layer_count; i++) {
        const ParamSpan span = parameters_span(v->network, v->layers[i].param);
        const float *before = v->before + (size_t)i * SAMPLE, *after = p->values + span.offset;
        double moved = 0.0, size = 0.0;
        for (size_t k = 0; k < span.room; k += stride_of(span.room), before++) {
            moved += ((double)after[k] - (double)*before) * ((double)after[k] - (double)*before);
            size += (double)*before * (double)*before;
        }
        v->layers[i].update = size > 0.0 ? sqrt(moved / size) : 0.0;
    }
}

/* ---- both ---- */

Vitals *vitals_new(Network *network)
{
    Vitals *v = allocate(1, sizeof *v, "vitals");
    const size_t modules = (size_t)network_module_count(network), params = (size_t)network_param_count(network);
    v->network = network;
    v->units = allocate(modules + 1, sizeof *v->units, "vitals");
    v->layers = allocate(params + 1, sizeof *v->layers, "vitals");
    for (size_t i = 0; i < modules; i++) {
        const Module *module = network_module(network, (int)i);
        if (module->ops->function && activation_key(module->ops->function(module)) != ACT_identity)
            add_units(v, module);
    }
    for (size_t i = 0; i < params; i++)
        if (network_param(network, (int)i)->role == PARAM_weight)
            v->layers[v->layer_count++].param = network_param(network, (int)i);
    v->before = allocate((size_t)v->layer_count * SAMPLE + 1, sizeof *v->before, "vitals");
    return v;
}

void vitals_free(Vitals *v)
{
    if (!v)
        return;
    for (int i = 0; i < v->unit_count; i++) {
        free(v->units[i].alive);
        free(v->units[i].positions);
    }
    free(v->units);
    free(v->layers);
    free(v->before);
    free(v);
}

void vitals_settle(Vitals *v)
{
    for (int i = 0; i < v->unit_count; i++) {
        UnitVitals *units = &v->units[i];
        int dead = 0;
        for (int c = 0; c < units->channels; c++)
            dead += !units->alive[c];
        units->dead = units->bias->frozen || v->steps == 0 ? 0.0 : (double)dead / units->channels;
        memset(units->alive, 0, (size_t)units->channels * sizeof *units->alive);
    }
    v->steps = 0;
}
