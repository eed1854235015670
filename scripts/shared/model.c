/* model.c - see model.h. */

#include "model.h"

#include "architectures.h"

#include <string.h>

/* What the registry or the catalogue says about a checkpoint's metadata is about the file. */
static bool refuse(const char *path, const Error *cause, Error *error)
{
    return error_set(error, EXIT_input, "cannot build the checkpoint's network: %s: %s", path, cause->text);
}

bool model_open(const char *path, Model *model, Error *error)
{
    Error cause;
    *model = (Model){ 0 };
    if (!checkpoint_info(path, &model->info, error))
        return false;
    const ModelInfo *info = &model->info;
    ArchOptions options = { .classes = info->class_count, .squeeze_excite = info->squeeze_excite };
    const Architecture *arch = architecture_find(info->arch, &cause);
    if (arch && activation_parse(info->act, &options.act, &cause))
        model->network = architecture_network(arch, (Shape){ info->channels, info->side, info->side }, &options, &cause);
    if (model->network ? checkpoint_load(path, model->network, NULL, NULL, error) : refuse(path, &cause, error))
        return true;
    model_close(model);
    return false;
}

void model_close(Model *model)
{
    network_free(model->network);
    model_info_clear(&model->info);
    model->network = NULL;
}

Loader *model_loader(const Model *model, const Dataset *data, int batch)
{
    LoaderOptions options = { .batch = batch };
    memcpy(options.mean, model->info.mean, sizeof options.mean);
    memcpy(options.std, model->info.std, sizeof options.std);
    return loader_new(data, &options);
}
