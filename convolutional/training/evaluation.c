/* evaluation.c - see evaluation.h. */

#include "evaluation.h"

#include <string.h>

bool evaluate(Program *program, Loader *loader, int classes, const volatile sig_atomic_t *stop, LossSum *sum)
{
    Batch batch;
    *sum = (LossSum){ 0 };
    loader_start(loader, 0, 0);
    while (loader_next(loader, &batch)) {
        if (stop && *stop)
            return false;
        program_set_image(program, batch.images);
        program_forward(program);
        loss_cross_entropy(program_logits(program), batch.labels, program_batch(program), batch.count, classes, 0.0f, NULL, sum);
    }
    return true;
}

bool evaluate_views(Views *views, Loader *loader, int classes, const volatile sig_atomic_t *stop, LossSum *sum, float *logits)
{
    Batch batch;
    *sum = (LossSum){ 0 };
    loader_start(loader, 0, 0);
    while (loader_next(loader, &batch)) {
        if (stop && *stop)
            return false;
        const float *outputs = views_logits(views, batch.images, batch.count);
        if (logits)
            memcpy(logits + (size_t)sum->count * (size_t)classes, outputs, (size_t)batch.count * (size_t)classes * sizeof *logits);
        loss_cross_entropy(outputs, batch.labels, batch.count, batch.count, classes, 0.0f, NULL, sum);
    }
    return true;
}
