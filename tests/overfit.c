/* overfit.c - can this network learn 64 images by heart with this activation? A network that cannot has a fault, or an
 * activation that lets no gradient through.
 *
 * usage: overfit [--steps N] [--lr F] ARCH[:ACT]...      ACT: a name, `all` for the catalogue, nothing for the architecture's own
 *
 * The first 64 images of the built-in set, without augmentation or dropout, AdamW at a constant rate after 20 steps of warm-up.
 * A line each: the steps until all 64 are right in a training step, or the best of all steps. Exit status 1 if any failed. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "architectures.h"
#include "dataset.h"
#include "loader.h"
#include "loss.h"
#include "optimizer.h"
#include "parameters.h"
#include "program.h"

enum { IMAGES = 64, WARM_UP = 20 };

typedef struct Trial {
    const Dataset *data;
    int            steps;
    float          lr;
} Trial;

/* Steps until every image is right; 0: never, and *best is the most that were. */
static int overfit(const Trial *trial, Network *net, const Batch *batch, uint32_t *best)
{
    Program *program = program_compile(net, &(Plan){0}, PURPOSE_training, IMAGES);
    Optimizer *optimizer = optimizer_new(net, &(OptimizerOptions){ .kind = OPTIMIZER_adamw, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f });
    int solved = 0;
    program_set_image(program, batch->images);
    for (int step = 0; step < trial->steps && !solved; step++) {
        LossSum sum = {0};
        program_set_step(program, 1, (uint64_t)step);
        program_forward(program);
        loss_cross_entropy(program_logits(program), batch->labels, IMAGES, IMAGES, trial->data->classes, 0,
                           program_logits_gradient(program), &sum);
        program_backward(program);
        optimizer_step(optimizer, trial->lr * (float)(step < WARM_UP ? step + 1 : WARM_UP) / WARM_UP);
        *best = sum.top1 > *best ? sum.top1 : *best;
        solved = sum.top1 == IMAGES ? step + 1 : 0;
    }
    optimizer_free(optimizer);
    program_free(program);
    return solved;
}

static bool try_one(const Trial *trial, const Architecture *arch, Activation act, const Batch *batch)
{
    Error error;
    char name[64];
    const ArchOptions options = { .classes = trial->data->classes, .act = act, .no_dropout = true };
    Network *net =
        architecture_network(arch, (Shape){ trial->data->channels, trial->data->height, trial->data->width }, &options, &error);
    if (!net)
        error_exit(&error);
    parameters_init(net, 1);
    uint32_t best = 0;
    const int steps = overfit(trial, net, batch, &best);
    if (steps)
        printf("%-20s %-12s %4d steps\n", arch->key, activation_text(act, name, sizeof name), steps);
    else
        printf("%-20s %-12s not in %d steps: %u of %d\n", arch->key, activation_text(act, name, sizeof name), trial->steps, best,
               IMAGES);
    fflush(stdout);
    network_free(net);
    return steps > 0;
}

/* "arch", "arch:act" or "arch:all" */
static bool try_all(const Trial *trial, const char *word, const Batch *batch)
{
    Error error;
    char arch_name[64];
    const char *colon = strchr(word, ':');
    snprintf(arch_name, sizeof arch_name, "%.*s", colon ? (int)(colon - word) : (int)strlen(word), word);
    const Architecture *arch = architecture_find(arch_name, &error);
    if (!arch)
        error_exit(&error);
    bool all_well = true;
    Activation act = activation_of(arch->act);
    if (colon && !strcmp(colon, ":all")) {
        for (int key = ACT_native + 1; key < ACT_COUNT; key++) {
            act = activation_of((ActivationKey)key);
            all_well = try_one(trial, arch, act, batch) && all_well;
        }
        return all_well;
    }
    if (colon && !activation_parse(colon + 1, &act, &error))
        error_exit(&error);
    return try_one(trial, arch, act, batch);
}

static const char usage_line[] = "overfit [--steps N] [--lr F] ARCH[:ACT]...";

static int print_help(void)
{
    printf("Usage: %s\nCan a network learn 64 images by heart? A line each: the steps it took.\n"
           "  --steps N   give up after so many [400]\n  --lr F      learning rate [0.001]\n"
           "ARCH is one of %s.\nACT is an activation, or all; without it the architecture's own.\n"
           "Example: overfit lenet resnet18:gelu\n", usage_line, architecture_names());
    return fflush(stdout) == 0 ? EXIT_ok : EXIT_write;
}

_Noreturn static void usage(const char *wrong)
{
    Error error;
    error_set(&error, EXIT_usage, "not understood: %.100s: usage is %s", wrong, usage_line);
    error_exit(&error);
}

int main(int argc, char **argv)
{
    program_name_set(argv[0]);
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
        return print_help();
    Trial trial = { .steps = 400, .lr = 1e-3f };
    int at = 1;
    Error error;
    for (; at < argc && !strncmp(argv[at], "--", 2); at += 2) {
        if (at + 1 < argc && !strcmp(argv[at], "--steps"))
            trial.steps = atoi(argv[at + 1]);
        else if (at + 1 < argc && !strcmp(argv[at], "--lr"))
            trial.lr = strtof(argv[at + 1], NULL);
        else
            usage(argv[at]);
    }
    if (at >= argc || trial.steps < 1 || !(trial.lr > 0))
        usage("no architecture, or no steps");
    Dataset *data = dataset_open(&(DataOptions){ .path = "shapes", .limit = IMAGES, .seed = 1 }, SPLIT_train, &error);
    if (!data)
        error_exit(&error);
    trial.data = data;
    LoaderOptions options = { .batch = IMAGES, .seed = 1 };
    dataset_statistics(data, options.mean, options.std);
    Loader *loader = loader_new(data, &options);
    Batch batch;
    loader_start(loader, 0, 0);
    bool all_well = loader_next(loader, &batch);
    for (; at < argc; at++)
        all_well = try_all(&trial, argv[at], &batch) && all_well;
    loader_free(loader);
    dataset_free(data);
    return all_well ? 0 : 1;
}
