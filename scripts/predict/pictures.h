/* pictures.h - what predict draws of each image: where the answer comes from, and what a layer makes of it. */

#ifndef CONVZOO_PICTURES_H
#define CONVZOO_PICTURES_H

#include "attention.h"
#include "model.h"

typedef struct PictureOptions {
    const char *gradcam, *saliency, *features;      /* folders; NULL: not asked for */
    const char *layer;                              /* that is looked at; NULL: the last convolution's features */
    const char *about;                              /* a class; NULL: the likeliest one of each image */
} PictureOptions;

typedef struct Pictures Pictures;

/* False and a line if an option is there without one that uses it. */
bool pictures_check(const PictureOptions *options, Error *error);

/* Makes the folders. *pictures stays NULL if nothing was asked for; the caller frees it with pictures_free. */
bool pictures_new(const PictureOptions *options, const Model *model, const Plan *plan, Pictures **pictures, Error *error);
void pictures_free(Pictures *pictures);

/* Draws `count` images, normalised, c h w each; names: which files they are. pictures NULL: nothing is done. */
bool pictures_draw(Pictures *pictures, const float *images, const float *logits, const char *const *names, int count, Error *error);

#endif
