/* pipeline.h - an augmentation: a list of steps, written as text.
 *
 *   "crop:4 hflip:0.5 rotate:15@0.3"      step:values, values being numbers and a word between commas, in the order of the step's
 *                                         row in augmentations.def; @0.3: for three images of ten alone
 *
 * A sample's picture is a pure function of (seed, epoch, sample): each step draws from a stream of its own. Crops with the mean and
 * flips of every other image, in this order and alone, are made by augment.c in the pass that normalises. */

#ifndef CONVZOO_PIPELINE_H
#define CONVZOO_PIPELINE_H

#include "steps.h"

enum { PIPELINE_MOST = 16, PIPELINE_TYPED = 600, PIPELINE_TEXT = 1024 };      /* steps; bytes that are read; bytes with the usual values written out */

typedef struct Pipeline {
    int  count;
    Step steps[PIPELINE_MOST];
} Pipeline;

/* "" is no step at all. False and one line that names the choices if a step or a value is not one. */
bool pipeline_parse(const char *text, Pipeline *pipeline, Error *error);

/* One step into a pipeline, as the flags people know do it ("vflip:0.5"): in the place of the step of that key, else behind the others. */
bool pipeline_set(Pipeline *pipeline, const char *text, Error *error);
/* NULL if it is not there. */
const Step *pipeline_find(const Pipeline *pipeline, const char *key);

/* The text that gives this pipeline again, values that are the usual ones left out behind the first. text: PIPELINE_TEXT bytes; returns it. */
const char *pipeline_text(const Pipeline *pipeline, char *text);

/* What was meant for other images, for such whose sides are so many times theirs: all that is counted in pixels. Whole pixels stay at least 1. */
void pipeline_scale(Pipeline *pipeline, double factor);

/* Whether augment.c can do it, and with what. */
bool pipeline_is_plain(const Pipeline *pipeline, int *crop_pad, bool *flip);

/* Whether all its steps are crops and flips, of any kind: next to no work. */
bool pipeline_is_light(const Pipeline *pipeline);

void pipeline_apply(const Pipeline *pipeline, Canvas *canvas, uint64_t seed, uint32_t epoch, uint32_t sample);

/* Mixes a finished batch by one of the steps that mix; false if there is none, or not for this batch: all is then as it was. Where there
 * are several, each has as many batches as another. `number` counts the batches of the epoch. */
bool pipeline_mix(const Pipeline *pipeline, MixedBatch *batch, uint64_t seed, uint32_t epoch, uint32_t number);

#endif
