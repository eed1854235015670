/* layers.h - a network as a table of its layers: shapes, options, parameters, multiply-adds, bytes, and where it was measured time. */

#ifndef CONVZOO_LAYERS_H
#define CONVZOO_LAYERS_H

#include <jansson.h>
#include <stdio.h>

#include "description.h"

enum { LAYER_OPTIONS = ACTIVATION_TEXT + 64 };

/* What the layer was built with, shortly: "3x3 stride 2 pad 1"; what is usual (stride 1, one group) or the output's shape says is left out.
 * Returns text. */
const char *layer_options(const ModuleDescription *description, char text[LAYER_OPTIONS]);

/* What an image's output takes in f32, and what all the layer's values take in a file. */
double layer_output_bytes(const ModuleDescription *description);
double layer_parameter_bytes(const ModuleDescription *description);

/* A line a layer and one for the sums; bytes are those of one image's output. seconds: of a step, by module (timed_step.h), one more than there
 * are modules, the last for all beside the layers; NULL: not measured, and without these columns. */
void layers_print(const Network *network, const double *seconds, FILE *stream);

/* { "layers": [{ "name", "kind", "inputs": [names], "output": [c, h, w], "options": {}, "parameters", "multiply_adds", "output_bytes",
 * "parameter_bytes", "seconds", "share" }], "total": {} }; an input is "" where it is the image. The caller owns it. */
json_t *layers_json(const Network *network, const double *seconds);

#endif
