/* description.h - what a module is, as data: for tables, summaries, exports and pictures.
 *
 * It is enough to build the module again: the kind, the numbers that its constructor was given with the usual ones filled in,
 * the shapes that it reads and writes, and its parameters, each with its part in the module's formula. */

#ifndef CONVZOO_DESCRIPTION_H
#define CONVZOO_DESCRIPTION_H

#include "network.h"

enum { DESCRIPTION_NUMBERS = 16 };      /* of each sort; a module that has more is stopped by a CHECK */

typedef struct DescribedInteger { const char *name; int64_t value; } DescribedInteger;
typedef struct DescribedFloat   { const char *name; float value; } DescribedFloat;

struct ModuleDescription {
    const char      *kind;                                  /* "conv2d" */
    const char      *name;                                  /* the module's */
    int              inputs;
    Shape            in[MODULE_MAX_INPUTS], out;
    DescribedInteger integers[DESCRIPTION_NUMBERS];         /* "kernel", "stride" ... */
    DescribedFloat   floats[DESCRIPTION_NUMBERS];           /* "eps" ... */
    const Param     *params[DESCRIPTION_NUMBERS];           /* param->part: "weight", "bias", "running_mean" ... */
    int              integer_count, float_count, param_count;
    Activation       function;                              /* of an activation; else ACT_native */
    double           macs;                                  /* multiply-adds a sample */
};

ModuleDescription network_describe(const Network *network, const Module *module);

/* For a module's `describe`. Names are literals. */
void description_integer(ModuleDescription *description, const char *name, int64_t value);
void description_float(ModuleDescription *description, const char *name, float value);

/* A number that the kind is known to have; CHECK stops if it has none of that name. */
int64_t      description_get_integer(const ModuleDescription *description, const char *name);
float        description_get_float(const ModuleDescription *description, const char *name);
/* NULL if there is none. */
const Param *description_get_param(const ModuleDescription *description, const char *part);
/* Trained values. */
size_t       description_trained(const ModuleDescription *description);

#endif
