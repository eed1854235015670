/* measured.c - a checkpoint's outputs over a data set; see measured.h. */

#include "measured.h"

#include <stdlib.h>

#include "clock.h"
#include "common_options.h"

Measured measured_new(const char *path, const Model *model, const Dataset *data, const Pass *pass)
{
    const int batch = (uint32_t)pass->batch < data->count ? pass->batch : (int)data->count;
    float *logits = allocate((size_t)data->count * (size_t)model->info.class_count, sizeof *logits, "the outputs");
    Measured m = { .path = path, .info = &model->info, .data = data, .views = pass->views.set,
                   .outputs = { data->count, model->info.class_count, logits, data->labels } };
    Program *program = model_program(model, pass->plan, batch, pass->quiet ? NULL : note_print, NULL);
    Views *views = views_new(model->network, program, pass->views);
    Loader *loader = model_loader(model, data, batch);
    const double begin = seconds_now();
    evaluate_views(views, loader, model->info.class_count, NULL, &m.sum, logits);
    m.seconds = seconds_now() - begin;
    m.metrics = metrics_new(&m.outputs);
    loader_free(loader);
    views_free(views);
    program_free(program);
    return m;
}

void measured_clear(Measured *measured)
{
    free((float *)measured->outputs.logits);
    metrics_free(measured->metrics);
    *measured = (Measured){ 0 };
}
