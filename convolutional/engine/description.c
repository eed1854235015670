/* description.c - see description.h. */

#include "description.h"

#include "errors.h"

#include <string.h>

ModuleDescription network_describe(const Network *network, const Module *module)
{
    const ModuleOps *ops = module->ops;
    ModuleDescription d = { .kind = ops->kind, .name = module->name, .inputs = module->inputs, .out = module->out->shape };
    for (int i = 0; i < module->inputs; i++)
        d.in[i] = module->in[i]->shape;
    for (int i = 0; i < network_param_count(network); i++) {
        const Param *param = network_param(network, i);
        if (param->module != module)
            continue;
        CHECK(d.param_count < DESCRIPTION_NUMBERS, "'%s' has more than %d parameters", d.name, DESCRIPTION_NUMBERS);
        d.params[d.param_count++] = param;
    }
    if (ops->function)
        d.function = ops->function(module);
    if (ops->macs)
        d.macs = ops->macs(module);
    if (ops->describe)
        ops->describe(module, &d);
    return d;
}

void description_integer(ModuleDescription *d, const char *name, int64_t value)
{
    CHECK(d->integer_count < DESCRIPTION_NUMBERS, "'%s' has more than %d integers: %s", d->name, DESCRIPTION_NUMBERS, name);
    d->integers[d->integer_count++] = (DescribedInteger){ name, value };
}

void description_float(ModuleDescription *d, const char *name, float value)
{
    CHECK(d->float_count < DESCRIPTION_NUMBERS, "'%s' has more than %d floats: %s", d->name, DESCRIPTION_NUMBERS, name);
    d->floats[d->float_count++] = (DescribedFloat){ name, value };
}

int64_t description_get_integer(const ModuleDescription *d, const char *name)
{
    int i = 0;
    while (i < d->integer_count && strcmp(d->integers[i].name, name))
        i++;
    CHECK(i < d->integer_count, "%s '%s' has no integer '%s'", d->kind, d->name, name);
    return d->integers[i].value;
}

float description_get_float(const ModuleDescription *d, const char *name)
{
    int i = 0;
    while (i < d->float_count && strcmp(d->floats[i].name, name))
        i++;
    CHECK(i < d->float_count, "%s '%s' has no float '%s'", d->kind, d->name, name);
    return d->floats[i].value;
}

const Param *description_get_param(const ModuleDescription *d, const char *part)
{
    for (int i = 0; i < d->param_count; i++)
        if (!strcmp(d->params[i]->part, part))
            return d->params[i];
    return NULL;
}

size_t description_trained(const ModuleDescription *d)
{
    size_t count = 0;
    for (int i = 0; i < d->param_count; i++)
        count += param_is_trained(d->params[i]) ? d->params[i]->count : 0;
    return count;
}
