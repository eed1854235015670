/* suspects.c - --suspects: the training images with the highest losses when training ends, in suspects.csv: their labels may be wrong. */

#include "files.h"
#include "text.h"
#include "trainer.h"
#include "trainer_images.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Suspect {
    uint32_t index;                  /* in the training set */
    int      predicted;
    double   loss, probability;      /* cross-entropy; of what was predicted */
} Suspect;

static void *suspects_open(Trainer *t)
{
    return t->folder && t->options.parts.suspects > 0 ? t->folder : NULL;
}

static Suspect suspect_of(const float *logits, int classes, uint16_t label, uint32_t index)
{
    Suspect s = { .index = index };
    double sum = 0;
    for (int k = 1; k < classes; k++)
        s.predicted = logits[k] > logits[s.predicted] ? k : s.predicted;
    for (int k = 0; k < classes; k++)
        sum += exp((double)logits[k] - (double)logits[s.predicted]);
    s.loss = log(sum) + (double)logits[s.predicted] - (double)logits[label];
    s.probability = 1 / sum;
    return s;
}

/* Of every training image as it is, in order. False if a signal came. */
static bool measure(const Trainer *t, Suspect *suspects)
{
    LoaderOptions options = trainer_loader_options(&t->options, t->train_set, false, t->info.mean, t->info.std);
    options.batch = program_batch(t->val_program);
    Loader *loader = loader_new(t->train_set, &options);
    uint32_t index = 0;
    Batch batch;
    bool stopped = false;
    loader_start(loader, 0, 0);
    while (!stopped && loader_next(loader, &batch)) {
        program_set_image(t->val_program, batch.images);
        program_forward(t->val_program);
        const float *logits = program_logits(t->val_program);
        for (int i = 0; i < batch.count; i++, index++)
            suspects[index] = suspect_of(logits + i * t->info.class_count, t->info.class_count, batch.labels[i], index);
        stopped = trainer_own_stop(t) != 0;
    }
    loader_free(loader);
    return !stopped;
}

/* The highest loss first; of equal ones the earlier image. */
static int by_loss(const void *a, const void *b)
{
    const Suspect *x = a, *y = b;
    return x->loss != y->loss ? (x->loss < y->loss) - (x->loss > y->loss) : (x->index > y->index) - (x->index < y->index);
}

/* A class's name as a cell: quoted, its quotes doubled. */
static void write_name(FILE *file, const char *name)
{
    fputc('"', file);
    for (; *name; name++)
        fprintf(file, *name == '"' ? "\"\"" : "%c", *name);
    fputc('"', file);
}

static bool write_table(const Trainer *t, const Suspect *suspects, uint32_t count, const char *path, Error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file)
        return error_set(error, EXIT_memory, "no memory for %s: leave --suspects out", path);
    fputs("index,label,predicted,loss,probability\n", file);
    for (uint32_t i = 0; i < count; i++) {
        fprintf(file, "%u,", suspects[i].index);
        write_name(file, t->info.classes[t->train_set->labels[suspects[i].index]]);
        fputc(',', file);
        write_name(file, t->info.classes[suspects[i].predicted]);
        fprintf(file, ",%.7g,%.7g\n", suspects[i].loss, suspects[i].probability);
    }
    const bool ok = fclose(file) == 0 && file_replace(path, text, size, error);
    free(text);
    return ok;
}

/* Nothing where a signal came meanwhile: the next call does it. */
static void list_suspects(const Trainer *t)
{
    const uint32_t all = t->train_set->count, wanted = (uint32_t)t->options.parts.suspects, count = wanted < all ? wanted : all;
    Suspect *suspects = allocate(all, sizeof *suspects, "losses of images");
    Error error;
    if (measure(t, suspects)) {
        qsort(suspects, all, sizeof *suspects, by_loss);
        if (write_table(t, suspects, count, t->folder->files[RUN_suspects], &error))
            trainer_note(t, "suspects.csv: the %u training images with the highest losses, from %.3g down (image %u, labelled %.40s, taken for %.40s): "
                         "look whether their labels are right", count, suspects[0].loss, suspects[0].index,
                         t->info.classes[t->train_set->labels[suspects[0].index]], t->info.classes[suspects[0].predicted]);
        else
            trainer_note(t, "warning: %s; training goes on without this record", error.text);
    }
    free(suspects);
}

/* Of a run that is not over the list says nothing yet; one that is over, and was stopped before it had one, gets it now. */
static bool suspects_cut_back(Trainer *t, void *state, Error *error)
{
    (void)state;
    (void)error;
    bool there;
    Error wrong;
    const char *path = t->folder->files[RUN_suspects];
    if (!trainer_finished(t) && unlink(path) != 0 && errno != ENOENT)
        trainer_note(t, "warning: cannot remove: %s: %s: it is of an earlier end of the run", path, strerror(errno));
    else if (trainer_finished(t) && file_there(path, &there, &wrong) && !there)
        list_suspects(t);
    return true;
}

static void suspects_after_epoch(Trainer *t, void *state, const TrainerEpoch *epoch)
{
    (void)state;
    if (epoch->epoch + 1 >= epoch->epochs || parts_finished(t))
        list_suspects(t);
}

const RunPart part_suspects = { .key = "suspects", .open = suspects_open, .cut_back = suspects_cut_back, .after_epoch = suspects_after_epoch };
