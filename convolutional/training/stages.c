/* stages.c - see stages.h. */

#include "stages.h"

#include "parameters.h"
#include "text.h"
#include "threads.h"
#include "trainer.h"
#include "trainer_images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- building ---- */

static bool is_full(const Trainer *t, const Stage *stage)
{
    return stage->side == t->train_set->height;
}

static bool refuse(const Trainer *t, const Stage *stage, const char *why, Error *error)
{
    return error_set(error, EXIT_usage, "%s cannot be trained at this size: --train-img-size %d: %s", t->info.arch, stage->side, why);
}

static bool same_parameters(const Trainer *t, const Stage *stage, Error *error)
{
    char why[512];
    const Param *differs = parameters_differ(stage->network, t->network);
    if (!differs)
        return true;
    snprintf(why, sizeof why, "%.100s is not what it is at %d: use an architecture that ends in a pool over all pixels, such as resnet18 or "
             "efficientnet_lite0", differs->name, t->train_set->height);
    return refuse(t, stage, why, error);
}

static ArchOptions stage_options(const Trainer *t)
{
    ArchOptions options = t->subject.options;
    options.full_side = t->train_set->height;
    return options;
}

static bool build_stage(Trainer *t, Stage *stage, Error *error)
{
    Error cause = { 0 };
    const Shape image = { t->subject.image.c, stage->side, stage->side };
    if (is_full(t, stage)) {
        stage->network = t->network;
        return true;
    }
    const ArchOptions options = stage_options(t);
    stage->network = architecture_network(t->options.arch, image, &options, &cause);
    if (!stage->network || !network_trains_with(stage->network, t->slices.samples, &cause))
        return refuse(t, stage, cause.text, error);
    if (!same_parameters(t, stage, error))
        return false;
    parameters_borrow(stage->network, t->network);
    return true;
}

bool stages_build(Trainer *t, Error *error)
{
    const StageSizes *sizes = &t->options.train_sizes;
    const ArchOptions options = stage_options(t);
    const int full = options.full_side, least = architecture_least_side(t->options.arch, &options);
    Stages *stages = &t->stages;
    for (int i = 0; i < sizes->count; i++)
        stages->of[stages->count++].side = stage_side(sizes->of[i], full, least);
    if (!sizes->count || sizes->of[sizes->count - 1].length)
        stages->of[stages->count++].side = full;
    for (int i = 0; i < stages->count; i++)
        if (!build_stage(t, &stages->of[i], error))
            return false;
    return true;
}

/* The training images at the stage's size: only pixels are new. */
static Dataset *scale_images(const Trainer *t, int side)
{
    Dataset *images = allocate(1, sizeof *images, "a data set"), *full = t->train_set;
    const ImageSize from = { full->channels, full->height, full->width }, to = { full->channels, side, side };
    const size_t plane = (size_t)from.height * (size_t)from.width, size = plane * (size_t)from.channels;
    const size_t scaled = (size_t)side * (size_t)side * (size_t)to.channels;
    *images = *full;
    images->height = images->width = side;
    images->images = allocate(full->count, scaled, "smaller images");
    const ImageFit fit = trainer_train_data(&t->options).fit;
    for (uint32_t i = 0; i < full->count; i++)
        image_fit(&(Image){ .size = from, .pixels = full->images + i * size, .pixel_step = 1, .plane_step = plane }, to, fit,
                  images->images + i * scaled);
    return images;
}

static void compile_stage(Trainer *t, Stage *stage)
{
    Purpose purpose = PURPOSE_training;
    purpose.shares_arena = true;
    for (int i = 0; i < network_param_count(t->network); i++)
        network_param(stage->network, i)->frozen = network_param(t->network, i)->frozen;
    if (t->slices.lanes == 0) {
        stage->program = program_compile(stage->network, &t->options.plan, purpose, t->slices.samples);
        return;
    }
    const int threads = threads_settle(0);
    threads_settle(1);
    for (int i = 0; i < t->slices.lanes; i++)
        stage->lanes[i] = program_compile(stage->network, &t->options.plan, purpose, t->slices.samples);
    stage->program = stage->lanes[0];
    threads_settle(threads);
}

static void free_programs(Stage *stage)
{
    if (stage->program != stage->lanes[0])
        program_free(stage->program);
    for (int i = 0; i < SLICES_LANES; i++)
        program_free(stage->lanes[i]);
    memset(stage->lanes, 0, sizeof stage->lanes);
}

void stages_compile(Trainer *t)
{
    Stages *stages = &t->stages;
    for (int i = 0; i < stages->count; i++) {
        Stage *stage = &stages->of[i];
        compile_stage(t, stage);
        stage->images = is_full(t, stage) ? t->train_set : scale_images(t, stage->side);
        stage->loader = trainer_loader(t, stage->images, true);
    }
    stages_enter(t, stage_sizes_at(&t->options.train_sizes, 0, (uint32_t)t->options.epochs));
}

static int lanes_of(const Trainer *t)
{
    return t->slices.lanes ? t->slices.lanes : 1;
}

static Program *program_of(const Stage *stage, int lane)
{
    return lane == 0 ? stage->program : stage->lanes[lane];
}

/* What the largest of a lane's programs needs: only one of them runs at a time. */
static size_t arena_bytes(const Trainer *t, int lane)
{
    size_t most = lane == 0 ? program_arena_bytes(t->val_program) : 0;
    for (int i = 0; i < t->stages.count; i++) {
        const size_t bytes = program_arena_bytes(program_of(&t->stages.of[i], lane));
        most = bytes > most ? bytes : most;
    }
    return most;
}

void stages_place(Trainer *t)
{
    for (int lane = 0; lane < lanes_of(t); lane++) {
        void **arena = &t->stages.arenas[lane];
        free(*arena);
        *arena = allocate(arena_bytes(t, lane), 1, "activations");
        for (int i = 0; i < t->stages.count; i++)
            program_set_arena(program_of(&t->stages.of[i], lane), *arena);
    }
    program_set_arena(t->val_program, t->stages.arenas[0]);
}

void stages_recompile(Trainer *t)
{
    t->program = NULL;
    slices_follow(t);
    for (int i = 0; i < t->stages.count; i++) {
        free_programs(&t->stages.of[i]);
        compile_stage(t, &t->stages.of[i]);
    }
    stages_place(t);
    stages_enter(t, t->stages.current);
}

/* Of what is held beside the full images. */
static double image_mib(const Trainer *t)
{
    double bytes = 0.0;
    for (int i = 0; i < t->stages.count; i++) {
        const Dataset *images = t->stages.of[i].images;
        bytes += images == t->train_set ? 0.0 : (double)images->count * images->channels * images->height * images->width;
    }
    return bytes / (1 << 20);
}

/* The first epoch of a stage, counted from 0; of stage `count`: how many epochs there are. */
static uint32_t begin_of(const Trainer *t, int stage)
{
    return stage == 0 ? 0 : stage_sizes_end(&t->options.train_sizes, stage - 1, (uint32_t)t->options.epochs);
}

/* One stage's epochs, for people, who count from 1. */
static void describe_stage(const Trainer *t, int i, char *text, size_t size)
{
    const uint32_t epochs = (uint32_t)t->options.epochs, begin = begin_of(t, i), end = begin_of(t, i + 1);
    const int side = t->stages.of[i].side;
    if (begin == epochs)
        snprintf(text, size, "%d never, for that is after epoch %u", side, epochs);
    else if (begin == end)
        snprintf(text, size, "%d never, for its share is no whole epoch", side);
    else if (i + 1 == t->stages.count)
        snprintf(text, size, "%d from epoch %u on", side, begin + 1);
    else
        snprintf(text, size, "%d in epochs %u to %u", side, begin + 1, end);
}

void stages_tell(const Trainer *t)
{
    char text[1024] = "";
    if (!t->options.train_sizes.count)
        return;
    for (int i = 0; i < t->stages.count; i++) {
        const size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, "%s", i ? ", " : "");
        describe_stage(t, i, text + strlen(text), sizeof text - strlen(text));
    }
    trainer_note(t, "sizes of the training images: %s; validation at %d; %.1f MiB of smaller images", text, t->train_set->height, image_mib(t));
}

/* ---- training ---- */

void stages_enter(Trainer *t, int stage)
{
    t->stages.current = stage;
    t->program = t->stages.of[stage].program;
    t->loader = t->stages.of[stage].loader;
    slices_follow(t);
}

void stages_epoch(Trainer *t, uint32_t epoch)
{
    const int now = stage_sizes_at(&t->options.train_sizes, epoch, (uint32_t)t->options.epochs);
    if (now == t->stages.current)
        return;
    stages_enter(t, now);
    trainer_note(t, "epoch %u: training images are %d x %d from here on", epoch + 1, t->stages.of[now].side, t->stages.of[now].side);
}

double stages_steps_left(const Trainer *t)
{
    const Stages *stages = &t->stages;
    const double now = network_macs(stages->of[stages->current].network);
    double left = 0.0;
    uint64_t done = t->state.step;
    for (int i = 0; i < stages->count; i++) {
        const uint64_t end = (uint64_t)begin_of(t, i + 1) * t->batches, last = end < t->schedule.steps ? end : t->schedule.steps;
        if (last <= done)
            continue;
        left += (double)(last - done) * network_macs(stages->of[i].network) / now;
        done = last;
    }
    return left;
}

void stages_close(Trainer *t)
{
    for (int i = 0; i < t->stages.count; i++) {
        Stage *stage = &t->stages.of[i];
        loader_free(stage->loader);
        free_programs(stage);
        if (stage->network != t->network)
            network_free(stage->network);
        if (stage->images && stage->images != t->train_set) {
            free(stage->images->images);
            free(stage->images);
        }
    }
    for (int lane = 0; lane < SLICES_LANES; lane++)
        free(t->stages.arenas[lane]);
    t->stages = (Stages){ 0 };
    t->program = NULL;
    t->loader = NULL;
}

size_t stages_arena_bytes(const Trainer *t)
{
    size_t bytes = 0;
    for (int lane = 0; lane < lanes_of(t); lane++)
        bytes += arena_bytes(t, lane);
    return bytes;
}
