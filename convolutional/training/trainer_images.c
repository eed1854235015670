/* trainer_images.c - see trainer_images.h. */

#include "trainer_images.h"

#include "png_file.h"
#include "preview.h"
#include "settings.h"

#include <string.h>

DataOptions trainer_train_data(const TrainerOptions *o)
{
    DataOptions data = o->data;
    data.fit.crop_pct = 1.0;
    return data;
}

void trainer_settle_augmentation(TrainerOptions *o, const Dataset *data)
{
    ResizedCrop *crop = &o->augment.resized;
    if (!crop->automatic)
        return;
    crop->automatic = false;
    if (data->height > SMALL_SIDE && !o->augment.written && settings_is_usual("crop-pad", o) && settings_is_usual("pad-mode", o)) {
        crop->least = 0.08f;
        crop->most = 1.0f;
    }
}

/* Digits and letters are told apart by how they lie. */
static bool is_automatic(const TrainerOptions *o)
{
    return o->flip == FLIP_automatic || o->flip == FLIP_alternating_automatic;
}

static bool mirrors(const TrainerOptions *o, const Dataset *data)
{
    return o->flip != FLIP_off && (!is_automatic(o) || data->mirror_ok);
}

static bool alternates(const TrainerOptions *o)
{
    return o->flip == FLIP_alternating || o->flip == FLIP_alternating_automatic;
}

/* settings.c has seen that the options go together. */
static Pipeline pipeline_of(const TrainerOptions *o, const Dataset *data)
{
    Pipeline pipeline = { 0 };
    Error error;
    const char *flip = !mirrors(o, data) ? "" : alternates(o) ? "hflip:0.5,alternating" : "hflip:0.5";
    CHECK(o->no_augment || augment_compose(&o->augment, o->crop_pad, flip, &pipeline, &error), "%s", error.text);
    return pipeline;
}

LoaderOptions trainer_loader_options(const TrainerOptions *o, const Dataset *data, bool training, const float *mean, const float *std)
{
    LoaderOptions options = { .batch = training ? o->batch : o->val_batch, .training = training, .balanced = o->balanced, .seed = o->seed };
    if (training)
        options.pipeline = pipeline_of(o, data);
    options.threads = !training ? 1 : o->loader_threads ? o->loader_threads : pipeline_is_light(&options.pipeline) ? 1 : 2;
    memcpy(options.mean, mean, sizeof options.mean);
    memcpy(options.std, std, sizeof options.std);
    return options;
}

Loader *trainer_loader(const Trainer *t, const Dataset *data, bool training)
{
    LoaderOptions options = trainer_loader_options(&t->options, data, training, t->info.mean, t->info.std);
    options.share = t->slices.share;
    if (training)      /* of a stage's smaller images, the same share is moved */
        pipeline_scale(&options.pipeline, (double)data->height / t->train_set->height);
    Loader *loader = loader_new(data, &options);
    const int threads = loader_threads(loader);
    if (threads < options.threads)
        trainer_note(t, "note: %d of %d threads that make batches %s could be started: the batches are the same, but a step may wait for "
                        "them: allow more threads (ulimit -u)", threads, options.threads, training ? "for training" : "for validation");
    return loader;
}

void trainer_tell_augmentation(const Trainer *t)
{
    const TrainerOptions *o = &t->options;
    const Pipeline pipeline = pipeline_of(o, t->train_set);
    char crop[64] = "not shifted", text[PIPELINE_TEXT];
    if (o->crop_pad)
        snprintf(crop, sizeof crop, "shifted by up to %d pixels", o->crop_pad);
    if (!o->no_augment && o->augment.resized.most > 0.0f)
        trainer_note(t, "training images are boxes of %.3g%% to %.3g%% of the area, cut at random and enlarged (--scale off shifts them instead)",
                     100.0 * (double)o->augment.resized.least, 100.0 * (double)o->augment.resized.most);
    if (o->no_augment)
        trainer_note(t, "augmentation: off (--no-aug)");
    else if (o->augment.written || !pipeline_is_light(&pipeline))
        trainer_note(t, "augmentation: %s", pipeline_text(&pipeline, text));
    else
        trainer_note(t, "augmentation: images are %s and %s", crop,
                     mirrors(o, t->train_set) ? alternates(o) ? "mirrored in every other epoch" : "every other one mirrored, at random"
                     : is_automatic(o)        ? "not mirrored, for these are digits or letters (--hflip on mirrors them)"
                                              : "not mirrored (--hflip off)");
}

bool trainer_preview(const TrainerOptions *options, const char *path, int count, Error *error)
{
    float mean[DATASET_MAX_CHANNELS], std[DATASET_MAX_CHANNELS];
    TrainerOptions o = *options;
    o.data.seed = o.seed;
    const DataOptions train_data = trainer_train_data(&o);
    Dataset *data = dataset_open(&train_data, SPLIT_train, error);
    if (!data)
        return false;
    dataset_statistics(data, mean, std);
    trainer_settle_augmentation(&o, data);
    const LoaderOptions loader = trainer_loader_options(&o, data, true, mean, std);
    Tiles tiles = preview_tiles(data, &loader, count);
    dataset_free(data);
    const bool written = png_file_write(path, tiles.pixels, tiles.channels, tiles.h, tiles.w, error);
    tiles_free(&tiles);
    return written;
}
