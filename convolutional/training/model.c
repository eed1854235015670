/* model.c - see model.h. */

#include "model.h"

#include "plan_cache.h"

#include <string.h>

/* What the registry or the catalogue says about a checkpoint's metadata is about the file. */
static bool refuse(const char *path, const Error *cause, Error *error)
{
    return error_set(error, EXIT_input, "cannot build the checkpoint's network: %s: %s", path, cause->text);
}

/* What the checkpoint says its network is. */
static bool subject_of(const ModelInfo *info, PlanSubject *subject, Error *error)
{
    *subject = (PlanSubject){
        .arch = architecture_find(info->arch, error), .image = { info->channels, info->side, info->side },
        .options = { .classes = info->class_count, .squeeze_excite = info->squeeze_excite }, .mode = MODE_inference,
    };
    return subject->arch && activation_parse(info->act, &subject->options.act, error);
}

bool model_open(const char *path, Model *model, Error *error)
{
    Error cause;
    *model = (Model){ 0 };
    if (!checkpoint_info(path, &model->info, error))
        return false;
    PlanSubject subject;
    if (subject_of(&model->info, &subject, &cause))
        model->network = architecture_network(subject.arch, subject.image, &subject.options, &cause);
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

Program *model_program(const Model *model, const Plan *plan, int batch, void (*tell)(void *context, const char *text), void *context)
{
    PlanSubject subject;
    Error error;
    CHECK(subject_of(&model->info, &subject, &error), "the network was built before: %s", error.text);
    subject.batch = batch;
    Plan settled = *plan;
    plan_settle(&settled, &subject, tell, context);
    return program_compile(model->network, &settled, MODE_inference, batch);
}

ExitCode model_diverged(const char *path, Error *error)
{
    error_set(error, EXIT_diverged,
              "the network's outputs are not finite: %s: its training diverged: use an older checkpoint", path);
    return EXIT_diverged;
}

Loader *model_loader(const Model *model, const Dataset *data, int batch)
{
    LoaderOptions options = { .batch = batch };
    memcpy(options.mean, model->info.mean, sizeof options.mean);
    memcpy(options.std, model->info.std, sizeof options.std);
    return loader_new(data, &options);
}
