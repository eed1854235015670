/* parameters.c - the flat blocks and the layouts inside them; see parameters.h. */

#include "network_build.h"

#include "errors.h"
#include "layout.h"
#include "random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_UNIT = 16 };      /* floats: a place starts on a cache line, and vectors may read a whole one */

static bool in_blocks(const Param *param)
{
    return param->role != PARAM_counter;
}

static size_t room_of(const Param *param, const_dnnl_memory_desc_t layout)
{
    const size_t floats = layout ? dnnl_memory_desc_get_size(layout) / sizeof(float) : param->count;
    return (floats + ROOM_UNIT - 1) / ROOM_UNIT * ROOM_UNIT;
}

/* Offsets by role: weights first, then what is not decayed, then statistics. settled: in the layouts that were chosen, else plain. */
static void arrange(const Network *network, bool settled, ParamPlace *places, Parameters *parameters)
{
    size_t at = 0;
    for (int role = PARAM_weight; role <= PARAM_buffer; role++) {
        for (int i = 0; i < network->params.count; i++) {
            const Param *param = network_param(network, i);
            if (param->role != (ParamRole)role)
                continue;
            ParamPlace *place = &places[i];
            place->offset = at;
            place->room = room_of(param, settled ? place->layout : NULL);
            at += place->room;
        }
        if (role == PARAM_weight)
            parameters->decayed = at;
        if (role == PARAM_plain)
            parameters->trained = at;
    }
    parameters->total = at;
}

void parameters_place(Network *network)
{
    network = network_owner(network);
    if (network->placed)
        return;
    int counters = 0;
    ParamPlace *places = allocate((size_t)network->params.count + 1, sizeof *places, "parameter places");
    for (int i = 0; i < network->params.count; i++)
        if (network_param(network, i)->role == PARAM_counter)
            places[i].counter = counters++;
    Parameters parameters = network->parameters;
    arrange(network, false, places, &parameters);
    parameters.values = allocate(parameters.total, sizeof(float), "parameters");
    parameters.counters = allocate((size_t)counters, sizeof(int64_t), "counters");
    network->places = places;
    network->parameters = parameters;
    network->placed = true;
}

Parameters *network_parameters(Network *network)
{
    parameters_place(network);
    return &network_owner(network)->parameters;
}

const Param *parameters_differ(const Network *network, const Network *other)
{
    const int count = network_param_count(network);
    for (int i = 0; i < count; i++) {
        const Param *a = network_param(network, i), *b = i < network_param_count(other) ? network_param(other, i) : NULL;
        if (!b || strcmp(a->name, b->name) || a->role != b->role || a->rank != b->rank ||
            memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims))
            return a;
    }
    return count < network_param_count(other) ? network_param(other, count) : NULL;
}

void parameters_borrow(Network *network, Network *owner)
{
    const Param *differs = parameters_differ(network, owner);
    CHECK(!differs, "'%s' is not as the owner's", differs->name);
    CHECK(!network->placed && !owner->owner, "values are borrowed once, of who has them (%d, %d)", network->placed, owner->owner != NULL);
    network->placed = true;
    network->owner = owner;
}

void parameters_free(Network *network)
{
    if (network->owner)
        return;
    for (int i = 0; network->places && i < network->params.count; i++)
        if (network->places[i].layout)
            DNNL(dnnl_memory_desc_destroy(network->places[i].layout));
    free(network->places);
    free(network->parameters.values);
    free(network->parameters.gradients);
    free(network->parameters.counters);
}

const_dnnl_memory_desc_t parameters_choose_layout(Network *network, const Param *param, const_dnnl_memory_desc_t wanted)
{
    network = network_owner(network);
    ParamPlace *place = &network->places[param->index];
    if (!place->layout && !network->settled)
        DNNL(dnnl_memory_desc_clone(&place->layout, wanted));
    return place->layout;
}

/* The layout that the values lie in; NULL: plain. */
static const_dnnl_memory_desc_t layout_of(const Network *network, const Param *param)
{
    const Network *owner = network_owner(network);
    return owner->settled ? owner->places[param->index].layout : NULL;
}

static void write_values(const_dnnl_memory_desc_t layout, const Param *param, const float *plain, float *to)
{
    if (layout)
        layout_from_plain(layout, plain, to);
    else
        memcpy(to, plain, param->count * sizeof *plain);
}

/* All that can fail comes first: where memory runs out, the network is as it was. */
void parameters_settle(Network *network)
{
    network = network_owner(network);
    if (network->settled)
        return;
    const ParamPlace *plain = network->places;
    const size_t count = (size_t)network->params.count + 1;
    ParamPlace *places = allocate(count, sizeof *places, "parameter places");
    memcpy(places, plain, count * sizeof *places);
    Parameters parameters = network->parameters;
    arrange(network, true, places, &parameters);
    parameters.values = allocate(parameters.total, sizeof(float), "parameters");
    for (int i = 0; i < network->params.count; i++) {
        const Param *param = network_param(network, i);
        if (in_blocks(param))
            write_values(places[i].layout, param, network->parameters.values + plain[i].offset, parameters.values + places[i].offset);
    }
    free(network->parameters.values);
    free(network->places);
    parameters.version++;
    network->parameters = parameters;
    network->places = places;
    network->settled = true;
}

void parameters_need_gradients(Network *network)
{
    network = network_owner(network);
    if (!network->parameters.gradients)
        network->parameters.gradients = allocate(network->parameters.trained, sizeof(float), "gradients");
}

void parameters_export(const Network *network, const float *block, const Param *param, float *plain)
{
    const ParamPlace *place = &network_owner(network)->places[param->index];
    CHECK(in_blocks(param), "'%s' is a counter, it lies in no block", param->name);
    const_dnnl_memory_desc_t layout = layout_of(network, param);
    if (layout)
        layout_to_plain(layout, block + place->offset, plain);
    else
        memcpy(plain, block + place->offset, param->count * sizeof *plain);
}

void parameters_import(Network *network, float *block, const Param *param, const float *plain)
{
    const ParamPlace *place = &network_owner(network)->places[param->index];
    CHECK(in_blocks(param), "'%s' is a counter, it lies in no block", param->name);
    write_values(layout_of(network, param), param, plain, block + place->offset);
    Parameters *parameters = &network_owner(network)->parameters;
    if (block == parameters->values)
        parameters->version++;
}

ParamSpan parameters_span(const Network *network, const Param *param)
{
    const ParamPlace *place = &network_owner(network)->places[param->index];
    CHECK(in_blocks(param), "'%s' is a counter, it lies in no block", param->name);
    return (ParamSpan){ place->offset, place->room };
}

/* Sends every value's index through the layout, in two digits that a float holds exactly; padding comes out as 0. */
static void trace_positions(const ParamPlace *place, size_t count, uint32_t *positions)
{
    enum { DIGIT = 1 << 20 };
    float *plain = allocate(count, sizeof *plain, "positions");
    float *low = allocate(place->room, sizeof *low, "positions"), *high = allocate(place->room, sizeof *high, "positions");
    for (size_t i = 0; i < count; i++)
        plain[i] = (float)(i % DIGIT + 1);
    layout_from_plain(place->layout, plain, low);
    for (size_t i = 0; i < count; i++)
        plain[i] = (float)(i / DIGIT);
    layout_from_plain(place->layout, plain, high);
    for (size_t at = 0; at < place->room; at++)
        if (low[at] > 0)
            positions[(size_t)high[at] * DIGIT + (size_t)low[at] - 1] = (uint32_t)at;
    free(plain);
    free(low);
    free(high);
}

void parameters_positions(const Network *network, const Param *param, uint32_t *positions)
{
    const ParamPlace *place = &network_owner(network)->places[param->index];
    CHECK(in_blocks(param), "'%s' is a counter, it lies in no block", param->name);
    CHECK(place->room <= UINT32_MAX, "'%s' has room for %zu values", param->name, place->room);
    if (layout_of(network, param))
        trace_positions(place, param->count, positions);
    else
        for (size_t i = 0; i < param->count; i++)
            positions[i] = (uint32_t)i;
}

int64_t *parameters_counter(Network *network, const Param *param)
{
    parameters_place(network);
    CHECK(param->role == PARAM_counter, "'%s' is no counter", param->name);
    network = network_owner(network);
    return &network->parameters.counters[network->places[param->index].counter];
}

/* Uniform with variance gain^2 / fan_in. */
static void draw(float *plain, const Param *param, Random random)
{
    const float bound = param->init.gain * sqrtf(3.0f / (float)param->init.fan_in);
    for (size_t i = 0; i < param->count; i++)
        plain[i] = bound * (2.0f * random_uniform(&random) - 1.0f);
}

/* Filter i is 1 at its middle for channel i, else 0. */
static void start_as_identity(float *plain, const Param *param)
{
    const size_t filters = (size_t)param->dims[0], channels = (size_t)param->dims[1], rows = (size_t)param->dims[2],
                 columns = (size_t)param->dims[3];
    for (size_t i = 0; i < filters && i < channels; i++) {
        float *filter = plain + i * channels * rows * columns;
        memset(filter, 0, channels * rows * columns * sizeof *filter);
        filter[(i * rows + rows / 2) * columns + columns / 2] = 1;
    }
}

void parameters_init(Network *network, uint64_t seed)
{
    parameters_place(network);
    network = network_owner(network);
    for (int i = 0; i < network->params.count; i++) {
        const Param *param = network_param(network, i);
        if (param->role == PARAM_counter) {
            *parameters_counter(network, param) = 0;
            continue;
        }
        float *plain = allocate(param->count, sizeof *plain, param->name);
        if (param->init.fan_in > 0)
            draw(plain, param, random_stream(seed, 0, (uint64_t)i, RANDOM_init));
        else
            for (size_t k = 0; k < param->count; k++)
                plain[k] = param->init.constant;
        if (param->init.identity)
            start_as_identity(plain, param);
        parameters_import(network, network->parameters.values, param, plain);
        free(plain);
    }
}
