/* fine_tune.c - see fine_tune.h. */

#include "fine_tune.h"

#include "checkpoint_start.h"
#include "files.h"
#include "freeze.h"
#include "integers.h"
#include "model.h"
#include "parameter_groups.h"
#include "trainer.h"
#include "whitening.h"

#include <stdlib.h>
#include <string.h>

enum { WHITEN_IMAGES = 5000, WHITEN_BYTES = 256 << 20 };      /* at most; the first few are enough for a covariance */

/* ---- first values ---- */

/* Whether there is a checkpoint to go on from. */
static bool goes_on(const Trainer *t, bool *known, Error *error)
{
    bool last = false, previous = false;
    *known = false;
    if (t->options.resume && (!file_there(t->folder->files[RUN_last], &last, error) ||
                              !file_there(t->folder->files[RUN_previous], &previous, error)))
        return false;
    *known = last || previous;
    return true;
}

/* Training images as they are without augmentation, in the order of the first epoch; the caller frees them. */
static float *take_images(const Trainer *t, int *count)
{
    const size_t size = shape_size(network_image(t->network)->shape), room = WHITEN_BYTES / (size * sizeof(float));
    const size_t most = size_min(room, WHITEN_IMAGES);
    float *images = allocate(most, size * sizeof *images, "images to whiten");
    LoaderOptions options = { .batch = t->options.batch, .training = true, .seed = t->options.seed };
    memcpy(options.mean, t->info.mean, sizeof options.mean);
    memcpy(options.std, t->info.std, sizeof options.std);
    Loader *loader = loader_new(t->train_set, &options);
    Batch batch;
    size_t taken = 0;
    loader_start(loader, 0, 0);
    while (taken < most && loader_next(loader, &batch)) {
        const size_t more = size_min((size_t)batch.count, most - taken);
        memcpy(images + taken * size, batch.images, more * size * sizeof *images);
        taken += more;
    }
    loader_free(loader);
    *count = (int)taken;
    return images;
}

static bool whiten(Trainer *t, Error *error)
{
    int count;
    float *images = take_images(t, &count);
    const bool ok = whitening_apply(t->network, images, count, (double)t->options.fine_tune.whiten, error);
    if (ok)
        trainer_note(t, "the first layer whitens %d training images (eps %g)", count, (double)t->options.fine_tune.whiten);
    free(images);
    return ok;
}

static bool start_from(Trainer *t, Error *error)
{
    char note[1024], *path = model_file(t->options.fine_tune.checkpoint, error);
    const bool ok = path && checkpoint_start_from(path, t->network, &t->info, note, sizeof note, error);
    if (ok)
        trainer_note(t, "%s", note);
    free(path);
    return ok;
}

static bool freeze(Trainer *t, Error *error)
{
    const FineTuneOptions *o = &t->options.fine_tune;
    char until[64] = "";
    if (!freeze_apply(t->network, o->freeze, error))
        return false;
    if (o->unfreeze_epoch)
        snprintf(until, sizeof until, " for %d epochs", o->unfreeze_epoch);
    trainer_note(t, "frozen%s: %zu of %zu parameters (%s)", until, freeze_count(t->network), network_trained_count(t->network), o->freeze);
    return true;
}

/* What the optimiser is told to leave alone, nobody moves. */
static void freeze_groups(Trainer *t)
{
    for (int i = 0; i < network_param_count(t->network); i++) {
        Param *param = network_param(t->network, i);
        if (param_is_trained(param) && parameter_settings(t->options.optimizer.param_groups, t->network, param).frozen)
            param->frozen = true;
    }
}

bool fine_tune_begin(Trainer *t, Error *error)
{
    const FineTuneOptions *o = &t->options.fine_tune;
    bool known;
    if (o->whiten > 0.0f && o->checkpoint)
        return error_set(error, EXIT_usage, "two ways to start the first layer: --whiten and --initial-checkpoint: give one of them");
    if (!goes_on(t, &known, error))
        return false;
    parameters_init(t->network, t->options.seed);
    freeze_groups(t);
    known = known || !ranks_first(t->options.ranks);      /* the others get rank 0's values */
    return (known || !(o->whiten > 0.0f) || whiten(t, error)) && (known || !o->checkpoint || start_from(t, error)) &&
           (!o->freeze || freeze(t, error));
}

/* ---- unfreezing ---- */

void fine_tune_epoch(Trainer *t)
{
    const int epoch = t->options.fine_tune.unfreeze_epoch;
    if (epoch == 0 || t->state.epoch < (uint32_t)epoch || t->thawed)
        return;
    t->thawed = true;
    freeze_lift(t->network);
    freeze_groups(t);
    stages_recompile(t);
    optimizer_regroup(t->optimizer, (uint64_t)epoch * t->batches);
    trainer_note(t, "epoch %u: all parameters are trained from here on", t->state.epoch + 1);
}
