/* sequential.c - see sequential.h. */

#include "sequential.h"

#include <stdio.h>

const char *layer_next(Sequence *sequence)
{
    snprintf(sequence->name, sizeof sequence->name, "%d", sequence->count++);
    return sequence->name;
}
