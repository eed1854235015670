/* statistics.c - see statistics.h. */

#include "statistics.h"

#include <string.h>

/* They start from nothing. */
static void clear(Network *network)
{
    Parameters *p = network_parameters(network);
    memset(p->values + p->trained, 0, (p->total - p->trained) * sizeof *p->values);
    for (int i = 0; i < network_param_count(network); i++)
        if (network_param(network, i)->role == PARAM_counter)
            *parameters_counter(network, network_param(network, i)) = 0;
    p->version++;
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
    for (uint64_t step = t->state.step; loader_next(t->loader, &batch) && !(t->options.stop && *t->options.stop); step++) {
        program_set_image(t->program, batch.images);
        program_set_step(t->program, t->options.seed, step);
        program_forward(t->program);
    }
    p->cumulative = false;
}
