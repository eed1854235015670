/* convzoo_run.c - a whole run in one call, for programs that embed it; see convzoo.h. */

#include "convzoo_own.h"

#include "image.h"

#include <stdio.h>
#include <string.h>

enum { EPOCHS_MOST = 1000000, BATCH_MOST = 65536, THREADS_MOST = 1024 };

/* A run, and the caller as it was. */
typedef struct Run {
    ConvzooRunOptions        given;         /* as they were: a callback may change its own */
    OwnCaller                before;
    TrainerOptions           options;
    ConvzooRunResult        *result;
    int                      code;
    Error                    error;
} Run;

/* Callbacks find the caller's own locale. */
static void tell(const Run *run, const ConvzooProgress *progress)
{
    const locale_t own = uselocale(run->before.locale);
    run->given.progress(run->given.context, progress);
    uselocale(own);
}

static void tell_step(void *context, const TrainerStep *step)
{
    tell(context, &(ConvzooProgress){
        .epoch = (int)step->epoch + 1, .epochs = (int)step->epochs, .step = step->step, .steps = step->steps,
        .loss = step->loss, .accuracy = step->top1,
        .images_per_second = step->images_per_second, .seconds_left = step->seconds_left,
    });
}

static void tell_epoch(void *context, const TrainerEpoch *epoch)
{
    tell(context, &(ConvzooProgress){
        .epoch = (int)epoch->epoch + 1, .epochs = (int)epoch->epochs, .step = epoch->step,
        .steps = epoch->step / (epoch->epoch + 1) * epoch->epochs,      /* every epoch has as many */
        .loss = epoch->train_loss, .accuracy = epoch->train_top1, .images_per_second = epoch->images_per_second,
        .epoch_ended = 1, .val_loss = epoch->val_loss, .val_accuracy = epoch->val_top1, .is_best = epoch->best,
    });
}

static void tell_note(void *context, const char *text)
{
    const Run *run = context;
    const locale_t own = uselocale(run->before.locale);
    run->given.note(run->given.context, text);
    uselocale(own);
}

static bool whole(const char *member, long long value, long long most, Error *error)
{
    return (value >= 0 && value <= most) ||
           error_set(error, EXIT_usage, "bad value %lld: ConvzooRunOptions.%s: use 0 to %lld", value, member, most);
}

static bool options_ok(const ConvzooRunOptions *o, Error *error)
{
    const bool has_data = o->data && *o->data;
    if (!o->architecture || !has_data || !o->folder)
        return error_set(error, EXIT_usage, "no %s: ConvzooRunOptions: architecture, data and folder are required",
                         !o->architecture ? "architecture" : !has_data ? "data" : "folder");
    if (o->channels == 2 || !(o->val_split >= 0.0f && o->val_split < 1.0f))
        return error_set(error, EXIT_usage, "%d channels and val_split %g: ConvzooRunOptions: use 0, 1 or 3 channels, and a share below 1",
                         o->channels, (double)o->val_split);
    return whole("epochs", o->epochs, EPOCHS_MOST, error) && whole("batch", o->batch, BATCH_MOST, error) &&
           whole("side", o->side, IMAGE_MAX_SIDE, error) && whole("channels", o->channels, 3, error) &&
           whole("threads", o->threads, THREADS_MOST, error);
}

static bool resolve(const ConvzooRunOptions *o, TrainerOptions *to, Error *error)
{
    Activation act = { 0 };
    const Architecture *arch = options_ok(o, error) ? architecture_find(o->architecture, error) : NULL;
    if (!arch || (o->activation && !activation_parse(o->activation, &act, error)) || !own_recipe(arch, &o->optimizer, to, error))
        return false;
    to->network.act = act;
    to->data.path = o->data;
    to->data.side = o->side;
    to->data.channels = o->channels;
    to->data.limit = o->limit;
    to->data.val_split = o->val_split;
    to->data.val_if_none = true;
    to->data.threads = o->threads;
    to->epochs = o->epochs ? o->epochs : to->epochs;
    to->batch = o->batch ? o->batch : to->batch;
    to->seed = o->seed;
    to->folder = o->folder;
    to->resume = o->resume != 0;
    to->stop = o->stop;
    return true;
}

static void fill_result(const Trainer *trainer, ConvzooRunResult *result)
{
    if (!result)
        return;
    *result = (ConvzooRunResult){ .best_accuracy = trainer->state.best_top1 };
    if (trainer->state.best_top1 >= 0.0)
        result->best_epoch = (int)trainer->state.best_epoch + 1;
    snprintf(result->best_path, sizeof result->best_path, "%s", trainer->folder->files[RUN_best]);
}

static void run(void *context)
{
    Run *run = context;
    if (!resolve(&run->given, &run->options, &run->error)) {
        run->code = (int)run->error.code;
        return;
    }
    run->options.report = (TrainerReport){
        .context = run, .note = run->given.note ? tell_note : NULL,
        .step = run->given.progress ? tell_step : NULL, .epoch = run->given.progress ? tell_epoch : NULL,
    };
    Trainer *trainer = trainer_open(&run->options, &run->error);
    run->code = trainer ? trainer_run(trainer, &run->error) : (int)run->error.code;
    if (trainer)
        fill_result(trainer, run->result);
    trainer_close(trainer);
}

int convzoo_run(const ConvzooRunOptions *options, ConvzooRunResult *result, ConvzooError *error)
{
    Run own = { .given = *options, .result = result, .code = EXIT_memory };
    own.before = own_enter(options->threads);
    const bool done = memory_guard(run, &own, &own.error) && own.code == EXIT_ok;
    own_leave(own.before);
    return done ? CONVZOO_OK : own_failed(&own.error, error);
}
