/* evaluation.c - see evaluation.h. */

#include "evaluation.h"

#include "errors.h"

#include <stdlib.h>
#include <string.h>

/* Adds a part of a batch: rows that are no samples are not counted. */
static void measure(Program *program, const Batch *batch, int from, int classes, LossSum *sum)
{
    const int rows = program_batch(program), left = batch->count - from, count = left < 0 ? 0 : left < rows ? left : rows;
    if (count == 0)
        return;
    program_set_image(program, batch->images + (size_t)from * shape_size(network_image(program_network(program))->shape));
    program_forward(program);
    loss_cross_entropy(program_logits(program), batch->labels + from, rows, count, classes, 0.0f, NULL, sum);
}

/* This rank's parts of all batches, in order; those that a signal leaves out are 0. Returns the signal. */
static int measure_all(Program *program, Loader *loader, int classes, const volatile sig_atomic_t *stop, const Ranks *ranks, PartWord *words)
{
    const int rows = program_batch(program), parts = loader_samples(loader) / rows;
    Batch batch;
    loader_start(loader, 0, 0);
    while (loader_next(loader, &batch)) {
        if (stop && *stop)
            return (int)*stop;
        for (int i = 0; i < parts; i++) {
            measure(program, &batch, i * rows, classes, &words++->sum);
            ranks_alive(ranks);
        }
    }
    return 0;
}

int evaluate_shared(Program *program, Loader *loader, int classes, const volatile sig_atomic_t *stop, const Ranks *ranks, LossSum *sum)
{
    const size_t parts = (size_t)(loader_samples(loader) / program_batch(program)), batches = loader_batches(loader);
    const size_t own = parts * batches + 1, count = (size_t)ranks_count(ranks);      /* the last one tells of a signal */
    PartWord *words = allocate(own, sizeof *words, "losses of batches"), *all = allocate(count * own, sizeof *all, "losses of batches");
    words[own - 1].stop = measure_all(program, loader, classes, stop, ranks, words);
    ranks_gather(ranks, words, own * sizeof *words, all);
    int signal_number = 0;
    *sum = (LossSum){ 0 };
    for (size_t b = 0; b < batches; b++)
        for (size_t r = 0; r < count; r++)
            for (size_t i = 0; i < parts; i++)
                loss_add(sum, &all[r * own + b * parts + i].sum);
    for (size_t r = 0; r < count; r++)
        signal_number = all[r * own + own - 1].stop > signal_number ? all[r * own + own - 1].stop : signal_number;
    free(words);
    free(all);
    return signal_number;
}

bool evaluate(Program *program, Loader *loader, int classes, const volatile sig_atomic_t *stop, LossSum *sum)
{
    return evaluate_shared(program, loader, classes, stop, NULL, sum) == 0;
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
        LossSum own = { 0 };      /* each batch by itself, as evaluate sums: the same bits */
        loss_cross_entropy(outputs, batch.labels, batch.count, batch.count, classes, 0.0f, NULL, &own);
        loss_add(sum, &own);
    }
    return true;
}
