/* evaluation.c - see evaluation.h. */

#include "evaluation.h"

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
