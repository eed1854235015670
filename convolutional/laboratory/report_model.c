/* report_model.c - a run's network for its report: numbers, layers, and what share of the time each takes. */

#include "report_parts.h"

#include "description.h"
#include "random.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 32, WARM_UP = 1, RUNS = 3 };

/* Seconds of each module, summed over a few batches of noise. A kernel that several modules share counts for the one that it is named after. */
static double *time_modules(const Model *model)
{
    const Network *network = model->network;
    const size_t count = (size_t)BATCH * (size_t)model->info.channels * (size_t)model->info.side * (size_t)model->info.side;
    double *seconds = allocate((size_t)network_module_count(network) + 1, sizeof *seconds, "times");
    float *images = allocate(count, sizeof *images, "images");
    Program *program = model_program(model, &(Plan){ 0 }, BATCH, NULL, NULL);
    Random random = random_stream(0, 0, 0, RANDOM_init);
    for (size_t i = 0; i < count; i++)
        images[i] = random_normal(&random);
    program_set_image(program, images);
    for (int i = 0; i < WARM_UP; i++)
        program_forward(program);
    program_profile(program, true);
    for (int i = 0; i < RUNS; i++)
        program_forward(program);
    const int kernels = program_profile_rows(program, NULL, 0);
    KernelProfile *rows = allocate((size_t)kernels + 1, sizeof *rows, "a profile");
    program_profile_rows(program, rows, kernels);
    for (int i = 0; i < kernels; i++)
        if (rows[i].layer >= 0 && rows[i].layer < network_module_count(network))
            seconds[rows[i].layer] += rows[i].seconds;
    free(rows);
    program_free(program);
    free(images);
    return seconds;
}

static json_t *layers_of(const Model *model)
{
    const Network *network = model->network;
    double *seconds = time_modules(model), all = 0;
    json_t *list = json_made(json_array());
    for (int i = 0; i < network_module_count(network); i++)
        all += seconds[i];
    for (int i = 0; i < network_module_count(network); i++) {
        const ModuleDescription d = network_describe(network, network_module(network, i));
        json_append(list, json_pack("{s:s, s:s, s:[i, i, i], s:I, s:f, s:o}", "name", d.name, "kind", d.kind, "out", d.out.c, d.out.h, d.out.w,
                                    "parameters", (json_int_t)description_trained(&d), "macs", d.macs, "share", json_finite(seconds[i] / all)));
    }
    free(seconds);
    return list;
}

void report_model(ReportRun *run, const Model *model, const char *file)
{
    const ModelInfo *info = &model->info;
    json_t *classes = json_made(json_array()), *mean = json_made(json_array()), *std = json_made(json_array());
    for (int k = 0; k < info->class_count; k++)
        json_append(classes, json_string(info->classes[k]));
    for (int c = 0; c < info->channels; c++) {
        json_append(mean, json_finite((double)info->mean[c]));
        json_append(std, json_finite((double)info->std[c]));
    }
    report_set(run->data, "model", json_pack("{s:o, s:s, s:s, s:I, s:f, s:i, s:i, s:o, s:o, s:o, s:f, s:o}", "file", json_text(file), "arch", info->arch, "act", info->act,
                                             "parameters", (json_int_t)network_trained_count(model->network), "macs", network_macs(model->network),
                                             "side", info->side, "channels", info->channels, "classes", classes, "mean", mean, "std", std,
                                             "temperature", info->temperature, "layers", layers_of(model)));
    run->found = true;
}
