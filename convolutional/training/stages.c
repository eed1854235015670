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

enum { MOST_SIDE = 4096, MOST_EPOCHS = 1000000 };

/* ---- as text ---- */

static bool read_number(const char **at, int most, int *number)
{
    char *end;
    const long value = strtol(*at, &end, 10);
    const bool ok = end != *at && **at >= '0' && **at <= '9' && value >= 1 && value <= most;
    *number = ok ? (int)value : 0;
    *at = end;
    return ok;
}

bool stage_sizes_parse(const char *text, StageSizes *sizes, Error *error)
{
    StageSizes read = { 0 };
    const char *at = text;
    bool ok = true;
    while (ok && *at) {
        ok = read.count < STAGES_MOST && (read.count == 0 || read.of[read.count - 1].epochs) && read_number(&at, MOST_SIDE, &read.of[read.count].side);
        if (ok && *at == ':') {
            at++;
            ok = read_number(&at, MOST_EPOCHS, &read.of[read.count].epochs);
        }
        read.count++;
        ok = ok && (!*at || (*at == ',' && at[1]));
        at += *at == ',';
    }
    if (!ok)
        return error_set(error, EXIT_usage, "bad value '%.100s': --train-img-size: use up to %d sizes and their epochs, such as 16:2,24:2,32 "
                         "for two epochs at 16, two at 24 and the rest at 32", text, STAGES_MOST);
    *sizes = read;
    return true;
}

const char *stage_sizes_text(const StageSizes *sizes, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < sizes->count && at < size; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s%d", i ? "," : "", sizes->of[i].side);
        if (sizes->of[i].epochs && at < size)
            at += (size_t)snprintf(text + at, size - at, ":%d", sizes->of[i].epochs);
    }
    return text;
}

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
             "efficientnet_lite0, and sizes that are all above %d or all up to it", differs->name, t->train_set->height, SMALL_SIDE);
    return refuse(t, stage, why, error);
}

static bool build_stage(Trainer *t, Stage *stage, Error *error)
{
    Error cause = { 0 };
    const Shape image = { t->subject.image.c, stage->side, stage->side };
    if (is_full(t, stage)) {
        stage->network = t->network;
        return true;
    }
    stage->network = architecture_network(t->options.arch, image, &t->subject.options, &cause);
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
    Stages *stages = &t->stages;
    for (int i = 0; i < sizes->count; i++)
        stages->of[stages->count++] = (Stage){ .side = sizes->of[i].side, .epochs = (uint32_t)sizes->of[i].epochs };
    if (!stages->count || stages->of[stages->count - 1].epochs)
        stages->of[stages->count++] = (Stage){ .side = t->train_set->height };
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
    for (int i = 0; i < network_param_count(t->network); i++)
        network_param(stage->network, i)->frozen = network_param(t->network, i)->frozen;
    if (t->slices.lanes == 0) {
        stage->program = program_compile(stage->network, &t->options.plan, PURPOSE_training, t->slices.samples);
        return;
    }
    const int threads = threads_settle(0);
    threads_settle(1);
    for (int i = 0; i < t->slices.lanes; i++)
        stage->lanes[i] = program_compile(stage->network, &t->options.plan, PURPOSE_training, t->slices.samples);
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
    t->program = stages->of[0].program;
    t->loader = stages->of[0].loader;
}

void stages_recompile(Trainer *t)
{
    t->program = NULL;
    slices_follow(t);
    for (int i = 0; i < t->stages.count; i++) {
        free_programs(&t->stages.of[i]);
        compile_stage(t, &t->stages.of[i]);
    }
    t->program = t->stages.of[t->stages.current].program;
    slices_follow(t);
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

void stages_tell(const Trainer *t)
{
    char text[512] = "";
    uint32_t begin = 0;
    if (!t->options.train_sizes.count)
        return;
    for (int i = 0; i < t->stages.count; i++) {
        const Stage *stage = &t->stages.of[i];
        const size_t at = strlen(text);
        if (begin >= (uint32_t)t->options.epochs)
            snprintf(text + at, sizeof text - at, ", %d never, for that is after epoch %d", stage->side, t->options.epochs);
        else if (stage->epochs)
            snprintf(text + at, sizeof text - at, "%s%d in epochs %u to %u", i ? ", " : "", stage->side, begin + 1, begin + stage->epochs);
        else
            snprintf(text + at, sizeof text - at, "%s%d from epoch %u on", i ? ", " : "", stage->side, begin + 1);
        begin += stage->epochs;
    }
    trainer_note(t, "sizes of the training images: %s; validation at %d; %.1f MiB of smaller images, programs of %.0f MiB", text,
                 t->train_set->height, image_mib(t), (double)stages_program_bytes(t) / (1 << 20));
}

/* ---- training ---- */

void stages_epoch(Trainer *t, uint32_t epoch)
{
    Stages *stages = &t->stages;
    int now = 0;
    for (uint32_t first = 0; stages->of[now].epochs && epoch >= first + stages->of[now].epochs; now++)
        first += stages->of[now].epochs;
    if (now == stages->current)
        return;
    stages->current = now;
    t->program = stages->of[now].program;
    t->loader = stages->of[now].loader;
    slices_follow(t);
    trainer_note(t, "epoch %u: training images are %d x %d from here on", epoch + 1, stages->of[now].side, stages->of[now].side);
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
    t->stages = (Stages){ 0 };
    t->program = NULL;
    t->loader = NULL;
}

size_t stages_program_bytes(const Trainer *t)
{
    size_t bytes = 0;
    for (int i = 0; i < t->stages.count; i++)
        bytes += program_arena_bytes(t->stages.of[i].program) * (size_t)(t->slices.lanes ? t->slices.lanes : 1);
    return bytes;
}
