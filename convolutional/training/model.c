/* model.c - see model.h. */

#include "model.h"

#include "parts.h"
#include "plan_cache.h"
#include "run_folder.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHOWN_ROOM = 200 };

/* The names of the folder's .safetensors files, as many as fit into a line: "a.safetensors, b.safetensors". */
static bool list_weights(const char *folder, char text[SHOWN_ROOM], Error *error)
{
    static const char ending[] = ".safetensors";
    DIR *listed = opendir(folder);
    if (!listed)
        return error_set(error, EXIT_input, "cannot open: %s: %s: correct the path or its permissions", folder, strerror(errno));
    *text = '\0';
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(listed)) != NULL; errno = 0) {
        const size_t at = strlen(text), length = strlen(entry->d_name);
        if (length > strlen(ending) && !strcmp(entry->d_name + length - strlen(ending), ending))
            snprintf(text + at, SHOWN_ROOM - at, "%s%s", at ? ", " : "", entry->d_name);
    }
    const int wrong = errno;
    (void)closedir(listed);
    return wrong == 0 || error_set(error, EXIT_input, "cannot read: %s: %s: check the disk", folder, strerror(wrong));
}

/* What is wrong with a folder that has no best.safetensors. */
static bool refuse_folder(const char *folder, Error *error)
{
    char weights[SHOWN_ROOM];
    char *arguments = run_folder_file(folder, RUN_arguments), *newest = run_folder_newest(folder, NULL);
    const bool is_run = access(arguments, F_OK) == 0;
    if (list_weights(folder, weights, error)) {
        if (*weights)
            error_set(error, EXIT_input, "no best.safetensors: %s: the folder holds %s: name one of its files", folder, weights);
        else if (is_run)
            error_set(error, EXIT_input, "no best.safetensors: %s: the run has saved nothing yet: wait for its first epoch, or go on "
                      "with train --resume %s", folder, folder);
        else if (newest)
            error_set(error, EXIT_input, "not a run's folder: %s: it holds runs, the last of them %s: name one", folder, newest);
        else
            error_set(error, EXIT_input, "not a run's folder: %s: it holds no .safetensors file: name a checkpoint, or the folder "
                      "that train wrote", folder);
    }
    free(arguments);
    free(newest);
    return false;
}

char *model_file(const char *path, Error *error)
{
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode))
        return text_copy(path);      /* what else is wrong with it is told when it is opened */
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    char *folder = text_format("%.*s", (int)length, path), *best = run_folder_file(folder, RUN_best);
    if (stat(best, &about) != 0) {
        if (errno == ENOENT)
            refuse_folder(folder, error);
        else
            error_set(error, EXIT_input, "cannot open: %s: %s: correct the path or its permissions", best, strerror(errno));
        free(best);
        best = NULL;
    }
    free(folder);
    return best;
}

char *model_average_file(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode) ? run_folder_file(path, RUN_last) : text_copy(path);
}

/* What the registry or the catalogue says about a checkpoint's metadata is about the file. */
static bool refuse(const char *path, const Error *cause, Error *error)
{
    return error_set(error, cause->code == EXIT_memory ? EXIT_memory : EXIT_input, "cannot build the checkpoint's network: %s: %s", path, cause->text);
}

/* What the checkpoint says its network is. */
static bool subject_of(const ModelInfo *info, PlanSubject *subject, Error *error)
{
    *subject = (PlanSubject){
        .arch = architecture_find(info->arch, error), .image = { info->channels, info->side, info->side },
        .options = info->network, .purpose = PURPOSE_inference,
    };
    subject->options.classes = info->class_count;
    return subject->arch && activation_parse(info->act, &subject->options.act, error);
}

/* Builds the network that the file says it is. */
static bool build(const char *path, Model *model, Error *error)
{
    Error cause;
    PlanSubject subject;
    *model = (Model){ 0 };
    if (!checkpoint_info(path, &model->info, error))
        return false;
    if (subject_of(&model->info, &subject, &cause))
        model->network = architecture_network(subject.arch, subject.image, &subject.options, &cause);
    return (model->network && network_fits(model->network, 1, &cause)) || refuse(path, &cause, error);
}

bool model_open(const char *path, Model *model, Error *error)
{
    if (build(path, model, error) && checkpoint_import(path, model->network, model->note, sizeof model->note, error))
        return true;
    model_close(model);
    return false;
}

/* Which part's average a file holds; NULL and a line if none, or if it cannot be read. */
static const char *average_in(const char *path, Error *error)
{
    Safetensors *file = safetensors_open(path, error);
    const char *found = NULL;
    for (int part = 0; file && !found && parts_averages(part); part++)
        for (size_t i = 0; !found && i < safetensors_count(file); i++)
            found = kept_is_of(parts_averages(part), safetensors_entry(file, i)->name) ? parts_averages(part) : NULL;
    if (file && !found)
        error_set(error, EXIT_input, "no averaged weights: %s: the run had no --model-ema and no --swa-start, or this is its "
                  "best.safetensors, which holds them as its weights: leave --use-ema out", path);
    safetensors_close(file);
    return found;
}

bool model_open_average(const char *path, Model *model, Error *error)
{
    const char *part = build(path, model, error) ? average_in(path, error) : NULL;
    if (part && checkpoint_load_average(path, part, model->network, error))
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
    return program_compile(model->network, &settled, PURPOSE_inference, batch);
}

ExitCode model_diverged(const char *path, Error *error)
{
    error_set(error, EXIT_diverged,
              "the network's outputs are not finite: %s: its training diverged: use an older checkpoint", path);
    return EXIT_diverged;
}

ImageOptions model_image_options(const ModelInfo *info)
{
    return (ImageOptions){ .wanted = { info->channels, info->side, info->side }, .as_stored = info->as_stored, .fit = info->fit };
}

Loader *model_loader(const Model *model, const Dataset *data, int batch)
{
    LoaderOptions options = { .batch = batch };
    memcpy(options.mean, model->info.mean, sizeof options.mean);
    memcpy(options.std, model->info.std, sizeof options.std);
    return loader_new(data, &options);
}
