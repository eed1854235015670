/* trainer.c - setting a run up: data, network, folder, programs, and the state of a run that goes on. */

#include "trainer.h"

#include "clock.h"
#include "files.h"
#include "evaluation.h"
#include "parameter_groups.h"
#include "random.h"
#include "rank_agreement.h"
#include "resume.h"
#include "time_plan.h"
#include "plan_text.h"
#include "run_settings.h"
#include "settings.h"
#include "text.h"
#include "trainer_data.h"
#include "trainer_images.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void trainer_note(const Trainer *trainer, const char *format, ...)
{
    if (!trainer->options.report.note)
        return;
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    trainer->options.report.note(trainer->options.report.context, text);
}

TrainerOptions trainer_defaults(const Architecture *arch, const OptimizerKind *optimizer)
{
    char *texts[SETTINGS_MOST] = { 0 };
    TrainerOptions options;
    Error error;
    texts[settings_index("arch")] = text_copy(arch->key);
    if (optimizer)
        texts[settings_index("opt")] = text_copy(optimizer_name(*optimizer));
    CHECK(settings_resolve(&(SettingLayer){ .texts = texts }, 1, &options, &error), "defaults of %s: %s", arch->key, error.text);
    free(texts[settings_index("arch")]);
    free(texts[settings_index("opt")]);
    return options;
}

ArchOptions trainer_network_options(const TrainerOptions *o, int side)
{
    ArchOptions options = o->network;
    if (!options.stem && side <= SMALLEST_SIDE)
        options.stem = o->small_stem;
    return options;
}

static bool build_network(Trainer *t, Error *error)
{
    Error why;
    const TrainerOptions *o = &t->options;
    const Dataset *data = t->train_set;
    t->subject = (PlanSubject){
        .arch = o->arch, .image = { data->channels, data->height, data->width }, .purpose = PURPOSE_training, .batch = t->slices.samples,
        .options = trainer_network_options(o, data->height),
    };
    t->subject.options.classes = data->classes;
    t->network = architecture_network(o->arch, t->subject.image, &t->subject.options, error);
    if (!t->network || !network_trains_with(t->network, t->slices.samples, error) ||
        !parameter_groups_check(o->optimizer.param_groups, t->network, error))
        return false;

    ModelInfo *info = &t->info;
    snprintf(info->arch, sizeof info->arch, "%s", o->arch->key);
    activation_text(o->network.act, info->act, sizeof info->act);
    info->classes = allocate((size_t)data->classes, sizeof *info->classes, "class names");
    info->class_count = data->classes;
    for (int i = 0; i < data->classes; i++)
        info->classes[i] = text_copy(data->class_names[i]);
    if (!class_names_check(info->classes, info->class_count, &why))
        return error_set(error, EXIT_input, "%s: %s", data->path, why.text);
    info->channels = data->channels;
    info->side = data->height;
    info->network = t->subject.options;
    info->as_stored = o->data.as_stored;
    info->fit = o->data.fit;
    snprintf(info->held_out, sizeof info->held_out, "%s", t->val_set->held_out ? t->val_set->held_out : "");
    dataset_statistics(data, info->mean, info->std);
    trainer_note(t, "%s with %s: %zu parameters, %.1f million multiply-adds an image of %dx%dx%d, %d classes", info->arch,
                 info->act, network_trained_count(t->network), network_macs(t->network) * 1e-6, data->channels, data->height,
                 data->width, data->classes);
    return true;
}

static void prepare_loss(Trainer *t)
{
    const TrainerOptions *o = &t->options;
    const int classes = t->train_set->classes;
    if (o->class_weights) {
        uint32_t *counts = allocate((size_t)classes, sizeof *counts, "a histogram");
        t->class_weights = allocate((size_t)classes, sizeof *t->class_weights, "weights of classes");
        dataset_histogram(t->train_set, counts);
        loss_class_weights(counts, classes, t->class_weights);
        free(counts);
    }
    t->loss = (LossOptions){ .kind = o->loss, .smoothing = o->label_smoothing, .logit_scale = o->logit_scale, .class_weights = t->class_weights };
}

static uint64_t steps_of(double epochs, uint32_t batches)
{
    const double steps = round(epochs * batches);
    return steps < 1.0 ? 1 : (uint64_t)steps;
}

static uint64_t warmup_steps(const TrainerOptions *o, uint64_t steps, uint32_t batches)
{
    if (schedule_rises(o->schedule) || o->warmup_epochs == 0.0)
        return 0;
    return o->warmup_epochs < 0.0 ? steps / 10 : steps_of(o->warmup_epochs, batches);
}

Schedule trainer_schedule(const TrainerOptions *o, uint32_t batches)
{
    const uint64_t steps = (uint64_t)o->epochs * batches;
    return (Schedule){
        .kind = o->schedule, .lr = o->lr, .min_lr = o->min_lr, .steps = steps, .epoch_steps = batches, .options = o->schedule_options,
        .warmup = warmup_steps(o, steps, batches),
        .decay_steps = steps_of(o->decay_epochs > 0.0 ? o->decay_epochs : o->epochs / 3.0, batches),
        .decay_rate = o->decay_rate,
    };
}

/* A recipe that is changed in part may not suit what it is changed to. */
static void tell_settings(const Trainer *t)
{
    const TrainerOptions *o = &t->options;
    char text[1024];
    if (o->resume)
        return;
    if (*settings_recipe_note(o, text, sizeof text))
        trainer_note(t, "%s", text);
    if (*settings_idle(o, text, sizeof text))
        trainer_note(t, "note: asked for, and changes nothing here: %s", text);
    if (o->min_lr > o->lr && schedule_lr(&t->schedule, t->schedule.steps) > o->lr)
        trainer_note(t, "note: --min-lr %g is above --lr %g: the rate rises", (double)o->min_lr, (double)o->lr);
}

static void compile(Trainer *t)
{
    const TrainerOptions *o = &t->options;
    stages_compile(t);
    Plan exact = o->plan;
    exact.precision = PRECISION_f32;      /* the figures are those of evaluate */
    Purpose validation = PURPOSE_inference;
    validation.shares_arena = true;
    t->val_program = program_compile(t->network, &exact, validation, o->val_batch / t->slices.share.parts);
    stages_place(t);
    slices_open(t);
    t->optimizer = optimizer_new(t->network, &o->optimizer);
    optimizer_share(t->optimizer, o->ranks);
    prepare_loss(t);
    t->val_loader = trainer_loader(t, t->val_set, false);
    const uint32_t turns = o->parts.accumulate > 1 ? (uint32_t)o->parts.accumulate : 1, batches = loader_batches(t->loader);
    t->turns = turns < batches ? turns : batches;
    t->batches = batches / t->turns;
    t->schedule = trainer_schedule(o, t->batches);
    tell_settings(t);
    if (o->max_seconds == 0.0)      /* otherwise the plan tells */
        stages_tell(t);
    trainer_note(t, "epochs %d, steps %u each, batch %d; %s, lr %g, %s; plan %s%s, %.0f MiB; %s%s", o->epochs, t->batches,
                 o->batch, optimizer_name(o->optimizer.kind), (double)o->lr, schedule_name(o->schedule), plan_text(&o->plan),
                 o->plan.precision == PRECISION_mixed ? ", amp" : "",
                 (double)stages_arena_bytes(t) / (1 << 20),
                 t->folder ? "folder " : "nothing is written", t->folder ? t->folder->path : "");
}

bool trainer_ends_epoch(const Trainer *t, uint64_t step)
{
    return step % t->batches == 0 || step == t->schedule.steps;
}

int trainer_own_stop(const Trainer *t)
{
    return t->options.stop ? (int)*t->options.stop : 0;
}

int trainer_stop(const Trainer *t)
{
    return ranks_count(t->options.ranks) > 1 ? t->stop : trainer_own_stop(t);
}

int trainer_agree_stop(Trainer *t)
{
    const Ranks *ranks = t->options.ranks;
    const int count = ranks_count(ranks);
    if (count == 1)
        return trainer_stop(t);
    const int32_t own = trainer_own_stop(t);
    int32_t *all = allocate((size_t)count, sizeof *all, "ranks");
    ranks_gather(ranks, &own, sizeof own, all);
    for (int i = 0; i < count; i++)
        t->stop = all[i] > t->stop ? all[i] : t->stop;
    free(all);
    return t->stop;
}

bool trainer_evaluate(Trainer *t, bool stoppable, LossSum *sum)
{
    const int signal_number = evaluate_shared(t->val_program, t->val_loader, t->info.class_count, stoppable ? t->options.stop : NULL,
                                              t->options.ranks, sum);
    t->stop = signal_number > t->stop ? signal_number : t->stop;
    return signal_number == 0;
}

uint64_t trainer_data_hash(const Trainer *t)
{
    return random_mix(dataset_hash(t->train_set)) ^ dataset_hash(t->val_set);
}

/* What the last bits of a result depend on, beside options, data and threads. */
static void describe_machine(char *text, size_t size)
{
    char kernels[64];
    snprintf(text, size, "convzoo %s, %s", CONVZOO_VERSION, program_kernels(kernels, sizeof kernels));
}

static bool open_folder(Trainer *t, Error *error)
{
    const TrainerOptions *o = &t->options;
    t->folder = run_folder_open(o->folder, t->info.arch, t->info.act, o->resume, error);
    return t->folder != NULL;
}

/* What a run begins with, or is prolonged to; also one that was resumed before it had a checkpoint, whatever it had begun with. */
static bool write_arguments(const Trainer *t, Error *error)
{
    const char *arguments = t->options.arguments;
    return !arguments || !t->folder || (t->saved_step && !t->prolonged) ||
           file_replace(t->folder->files[RUN_arguments], arguments, strlen(arguments), error);
}

/* While a save is under way there are last, prev and the new file, and best beside them. Better refused now than after an epoch. */
static bool check_room(const Trainer *t, Error *error)
{
    const Kept parts = parts_keep(t), kept = kept_all(t->optimizer, &parts);
    uint64_t bytes = 3 * kept_bytes(&kept, t->network) + kept_bytes(&kept_network, t->network);
    for (int file = 0; file < RUN_FILES; file++) {
        struct stat about;
        const uint64_t there = stat(t->folder->files[file], &about) == 0 ? (uint64_t)about.st_blocks * 512 : 0;
        bytes -= there < bytes ? there : bytes;
    }
    return files_have_room(t->folder->path, bytes, error);
}

/* Data, network and folder, up to what is compiled. given: what was asked for; a batch larger than the data shrinks in t->options alone. */
static bool prepare(Trainer *t, TrainerOptions *given, Error *error)
{
    t->state.best_top1 = -1.0;
    describe_machine(t->state.machine, sizeof t->state.machine);
    t->options.plan = given->plan;
    t->options.data.as_stored = given->data.as_stored;
    t->options.augment.resized = given->augment.resized;
    rank_agreement_options(t);
    if (!trainer_data_open(t, error) || !build_network(t, error))
        return false;
    return given->trial || !ranks_first(given->ranks) || open_folder(t, error);
}

/* The first values, and all that a step needs. */
static bool build(Trainer *t, TrainerOptions *given, Error *error)
{
    if (ranks_first(given->ranks))
        plan_settle(&t->options.plan, &t->subject, t->options.report.note, t->options.report.context);
    rank_agreement_options(t);
    given->plan = t->options.plan;
    given->max_seconds = t->options.max_seconds;
    given->data.as_stored = t->options.data.as_stored;
    given->augment.resized = t->options.augment.resized;
    run_settings_write(given, t->state.settings, sizeof t->state.settings);
    if (!ranks_agree(t->options.ranks, stages_build(t, error) && fine_tune_begin(t, error), error))
        return false;
    compile(t);
    parts_open(t);
    return true;
}

/* Where the run stands, and its files. */
static bool go_on(Trainer *t, const TrainerOptions *given, Error *error)
{
    char settings[sizeof t->state.settings];
    memcpy(settings, t->state.settings, sizeof settings);
    return (!t->folder || check_room(t, error)) && (!given->resume || resume_state(t, settings, error)) && write_arguments(t, error) &&
           parts_cut_back(t, error);
}

static bool start(Trainer *t, Error *error)
{
    TrainerOptions given = t->options;
    const Ranks *ranks = given.ranks;
    given.resume = t->options.resume = given.resume && ranks_first(ranks);
    if (!ranks_agree(ranks, parts_check(&given.parts, error) && time_plan_check(&given, error) && (!given.resume || resume_settings(&given, error)), error))
        return false;
    if (!ranks_agree(ranks, prepare(t, &given, error), error) || !build(t, &given, error))
        return false;
    if (!ranks_agree(ranks, rank_agreement_same_run(t, error), error))
        return false;
    if (!ranks_agree(ranks, given.trial || go_on(t, &given, error), error))
        return false;
    rank_agreement_state(t);
    return true;
}

Trainer *trainer_open(const TrainerOptions *options, Error *error)
{
    CHECK(!options->resume || (options->folder && !options->trial), "resume needs a folder, and is no trial");
    Trainer *t = allocate(1, sizeof *t, "the trainer");
    t->options = *options;
    t->opened = seconds_now();
    if (!t->options.network.act.info)
        t->options.network.act = activation_of(options->arch->act);
    if (start(t, error))
        return t;
    trainer_close(t);
    return NULL;
}

void trainer_close(Trainer *t)
{
    if (!t)
        return;
    parts_close(t);
    slices_close(t);
    stages_close(t);
    loader_free(t->val_loader);
    free(t->class_weights);
    optimizer_free(t->optimizer);
    program_free(t->val_program);
    network_free(t->network);
    model_info_clear(&t->info);
    dataset_free(t->train_set);
    dataset_free(t->val_set);
    weights_copy_free(&t->best_weights);
    free(t->log_owed);
    run_folder_close(t->folder);
    free(t);
}

bool trainer_finished(const Trainer *t)
{
    return t->state.epoch >= (uint32_t)t->options.epochs || parts_finished(t);
}
