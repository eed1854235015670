/* statistics.c - see statistics.h. */

#include "statistics.h"

#include <stdlib.h>

/* They start from nothing; those of frozen modules stay what they are. */
static void clear(Network *network)
{
    for (int i = 0; i < network_param_count(network); i++) {
        const Param *param = network_param(network, i);
        if (param_is_trained(param) || !param->module->ops->batch_statistics || network_freezes(network, param->module))
            continue;
        if (param->role == PARAM_counter) {
            *parameters_counter(network, param) = 0;
            continue;
        }
        float *zeros = allocate(param->count, sizeof *zeros, "statistics");
        parameters_import(network, network_parameters(network)->values, param, zeros);
        free(zeros);
    }
}

void statistics_measure(Trainer *t)
{
    Parameters *p = network_parameters(t->network);
    Batch batch;
    if (p->total == p->trained)
        return;
    clear(t->network);
    p->cumulative = true;
    loader_start(t->loader, t->state.epoch, 0);
    for (uint64_t step = t->state.step; loader_next(t->loader, &batch) && !trainer_agree_stop(t); step++)
        slices_statistics(t, &batch, step);
    p->cumulative = false;
}
