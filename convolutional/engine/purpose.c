/* purpose.c - what a program is compiled for, as modules ask. */

#include "program_build.h"

#include <string.h>

const Purpose PURPOSE_training = { .statistics = STATISTICS_batch, .dropout = true, .gradients = GRADIENTS_parameters };
const Purpose PURPOSE_inference = { .statistics = STATISTICS_running, .gradients = GRADIENTS_none };

const Plan    *program_plan(const Program *program)     { return &program->plan; }
const StepKey *program_step_key(const Program *program) { return &program->key; }

bool program_takes_statistics(const Program *program, const Module *module)
{
    return program->purpose.statistics == STATISTICS_batch && !network_freezes(program->network, module);
}

bool program_drops(const Program *program)
{
    return program->purpose.dropout;
}

bool program_has_backward(const Program *program)
{
    return program->purpose.gradients != GRADIENTS_none;
}

dnnl_prop_kind_t program_forward_kind(const Program *program)
{
    return program_has_backward(program) ? dnnl_forward_training : dnnl_forward_inference;
}

bool program_trains_param(const Program *program, const Param *param)
{
    return program->purpose.gradients == GRADIENTS_parameters && param_is_trained(param) && !param->frozen;
}

bool program_trains(const Program *program, const Module *module)
{
    const Network *network = program->network;
    for (int i = 0; i < network_param_count(network); i++) {
        const Param *param = network_param(network, i);
        if (param->module == module && program_trains_param(program, param))
            return true;
    }
    return false;
}

char program_planned_algorithm(const Program *program, const Module *module)
{
    int layer = 0;
    for (int i = 0; i < module->index; i++)
        layer += network_module(program->network, i)->ops->algorithm != NULL;
    return layer < (int)strlen(program->plan.layers) ? program->plan.layers[layer] : '.';
}
