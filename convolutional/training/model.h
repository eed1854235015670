/* model.h - a trained network, from its checkpoint alone. */

#ifndef CONVZOO_MODEL_H
#define CONVZOO_MODEL_H

#include "checkpoint.h"
#include "loader.h"
#include "program.h"

typedef struct Model {
    ModelInfo info;
    Network  *network;         /* with its weights */
    char      note[512];       /* what had to be done about the names of its tensors, for people; "": nothing */
} Model;

/* The checkpoint that a person means: the file itself, or a run's folder's best.safetensors. The caller frees it. NULL and one
 * line that says what the folder holds instead. */
char *model_file(const char *path, Error *error);

/* The file with the averages: the file itself, or a run's folder's last.safetensors. The caller frees it. */
char *model_average_file(const char *path);

/* False and one line if the file is not a checkpoint of a network that is known here. */
bool model_open(const char *path, Model *model, Error *error);
/* The same with the averaged weights that a last.safetensors has beside those it goes on from. */
bool model_open_average(const char *path, Model *model, Error *error);
void model_close(Model *model);

/* Compiles it for inference on `batch` images; a plan that is to be measured is settled first (plan_cache.h: tell). */
Program *model_program(const Model *model, const Plan *plan, int batch, void (*tell)(void *context, const char *text), void *context);

/* The line for outputs that are not finite; returns its exit code. */
ExitCode model_diverged(const char *path, Error *error);

/* How one image file is read for it. */
ImageOptions model_image_options(const ModelInfo *info);

/* A loader that prepares images in order, as validation in training did. */
Loader *model_loader(const Model *model, const Dataset *data, int batch);

#endif
