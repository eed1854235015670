/* train_options.c - train's flags; see train_options.h. */

#include "train_options.h"

#include "common_options.h"
#include "run_settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(name) .field = offsetof(TrainFlags, name)
#define TEXT(f)     .type = OPTION_text, FIELD(f)
#define SWITCH(f)   .type = OPTION_switch, FIELD(f)
#define REAL(f, lowest, highest)  .type = OPTION_real, FIELD(f), .argument = "F", .least = lowest, .most = highest
#define WHOLE(f, lowest, highest) .type = OPTION_whole, FIELD(f), .argument = "N", .least = lowest, .most = highest

static const Option options[] = {
    { "arch", "model", 'a', TEXT(arch), .argument = "NAME", .fallback = "baseline", .group = "Model", .help = "one of", .names = architecture_names },
    { "act", "activation", 0, TEXT(act), .argument = "NAME[:P]", .shown = "the architecture's own", .group = "Model",
      .help = "activation in every block (--list-acts)" },
    { "dropout", NULL, 0, SWITCH(dropout), .fallback = "true", .group = "Model", .help = "switch off the architecture's dropout", .rare = true },
    { "squeeze-excite", NULL, 0, SWITCH(squeeze_excite), .group = "Model", .help = "efficientnet_lite0 with squeeze-and-excitation", .rare = true },
    { "summary", NULL, 0, SWITCH(summary), .group = "Model", .help = "print the layer table and exit", .rare = true, .once = true },
    { "list-archs", NULL, 0, SWITCH(list_archs), .group = "Model", .help = "print the architectures and exit", .rare = true, .once = true },
    { "list-acts", NULL, 0, SWITCH(list_acts), .group = "Model", .help = "print the activations and exit", .rare = true, .once = true },

    { "data", "data-dir data-path", 0, TEXT(data), .argument = "PATH|shapes", .shown = "data/, or shapes", .group = "Data",
      .help = "folder: CIFAR, MNIST-style or class folders" },
    { "val-split", NULL, 0, TEXT(val_split), .argument = "F|NAME", .shown = "0.1, without a val or test part", .group = "Data",
      .help = "share, or file, to validate on" },
    { "limit", NULL, 0, WHOLE(limit, 0, 1e9), .fallback = "0", .shown = "all", .group = "Data", .help = "use only N images of each part" },
    { "img-size", "image-size imgsz input-size", 0, WHOLE(img_size, 0, 4096), .fallback = "0", .shown = "as they are; of mixed sizes or oblong: 32 or 224", .group = "Data", .help = "resize images to N x N", .rare = true },
    { "in-chans", "channels", 0, WHOLE(in_chans, 0, 3), .fallback = "0", .shown = "as they are", .group = "Data", .help = "1: grey, 3: colour", .rare = true },
    { "aug", "augment", 0, SWITCH(aug), .fallback = "true", .group = "Data", .help = "leave the images as they are: no random shifts, no flips" },
    { "crop-pad", NULL, 0, WHOLE(crop_pad, 0, 512), .fallback = "4", .group = "Data", .help = "shift images at random by up to N pixels", .rare = true },
    { "hflip", NULL, 0, TEXT(hflip), .argument = "auto|on|off", .fallback = "auto", .choices = "auto on off 0.5 0", .group = "Data",
      .help = "mirror every other image at random; auto: not digits and letters", .rare = true },
    { "skip-bad", NULL, 0, SWITCH(skip_bad), .group = "Data", .help = "skip damaged images, up to 1%, instead of stopping", .rare = true },

    { "epochs", "num-epochs max-epochs", 0, WHOLE(epochs, 1, 1e6), .shown = "the architecture's own", .group = "Training", .help = "passes over the data" },
    { "batch-size", "batch bs", 'b', WHOLE(batch, 1, 65536), .shown = "128; for few images 64 to 16", .group = "Training", .help = "images a step" },
    { "val-batch-size", NULL, 0, WHOLE(val_batch, 1, 65536), .fallback = "256", .group = "Training", .help = "images at once when validating", .rare = true },
    { "opt", "optimizer", 0, TEXT(opt), .argument = "NAME", .shown = "the architecture's own", .group = "Training", .help = "one of", .names = optimizer_names },
    { "lr", "learning-rate", 0, REAL(lr, 0, 1e6), .shown = "the architecture's own", .group = "Training", .help = "learning rate: how far a step goes at most" },
    { "weight-decay", "wd", 0, REAL(weight_decay, 0, 1e3), .shown = "the architecture's own", .group = "Training", .help = "how strongly weights are pulled to zero" },
    { "momentum", NULL, 0, REAL(momentum, 0, 1), .fallback = "0.9", .group = "Training", .help = "with --opt sgd: share of the last step that is kept", .rare = true },
    { "nesterov", NULL, 0, SWITCH(nesterov), .fallback = "true", .group = "Training", .help = "with --opt sgd: plain momentum, not Nesterov's", .rare = true },
    { "opt-betas", NULL, 0, TEXT(betas), .argument = "B1,B2", .fallback = "0.9,0.999", .group = "Training", .help = "with --opt adamw: what its two averages keep", .rare = true },
    { "opt-eps", NULL, 0, REAL(eps, 0, 1), .fallback = "1e-8", .group = "Training", .help = "with --opt adamw: added to the divisor", .rare = true },
    { "clip-grad", "clip-grad-norm grad-clip", 0, REAL(clip_grad, 0, 1e9), .shown = "the architecture's own", .group = "Training",
      .help = "shorten gradients that are longer than this; 0: never", .rare = true },
    { "smoothing", "label-smoothing", 0, REAL(smoothing, 0, 0.999), .shown = "the architecture's own", .group = "Training", .help = "label smoothing: share of each label that goes to all classes", .rare = true },
    { "sched", "scheduler lr-schedule lr-scheduler", 0, TEXT(sched), .argument = "NAME", .fallback = "cosine", .group = "Training",
      .help = "how the learning rate falls: one of", .names = schedule_names },
    { "warmup-epochs", "lr-warmup-epochs", 0, REAL(warmup_epochs, 0, 1e6), .shown = "a tenth of all", .group = "Training", .help = "epochs in which the rate rises from zero; 0.5 is half of one", .rare = true },
    { "min-lr", NULL, 0, REAL(min_lr, 0, 1e6), .fallback = "0", .group = "Training", .help = "with --sched cosine: the rate of the last step", .rare = true },
    { "decay-epochs", "lr-step-size step-size", 0, REAL(decay_epochs, 0, 1e6), .fallback = "0", .shown = "a third of all", .group = "Training", .help = "with --sched step: epochs between drops of the rate", .rare = true },
    { "decay-rate", "lr-gamma gamma", 0, REAL(decay_rate, 0, 1), .fallback = "0.1", .group = "Training", .help = "with --sched step: the factor of each drop", .rare = true },
    { "seed", NULL, 0, WHOLE(seed, 0, 1e15), .fallback = "42", .group = "Training", .help = "start of all random numbers: the same seed, the same run" },

    { "output", "output-dir save-dir", 0, TEXT(output), .argument = "DIR", .shown = "runs/<arch>-<act>-<n>", .group = "Run", .help = "folder for checkpoints and log", .once = true },
    { "resume", NULL, 0, TEXT(resume), .argument = "DIR|auto", .group = "Run", .help = "go on with a stopped run; auto: the newest under runs/", .once = true },
    { "threads", "num-threads cores", 0, WHOLE(threads, 0, 1024), .fallback = "0", .shown = "cores", .group = "Run", .help = "how many to compute with" },
    { "amp", "bf16", 0, SWITCH(amp), .group = "Run", .help = "multiply numbers of 16 bits (bfloat16) where that is faster" },
    { "plan", NULL, 0, TEXT(plan), .argument = "NAME", .fallback = "default", .group = "Run",
      .help = "how the computation is laid out; measured: try all and take the fastest; one of " PLAN_WORDS " (direct: no Winograd)", .rare = true },
    { "max-steps", NULL, 0, WHOLE(max_steps, 0, 1e15), .fallback = "0", .shown = "off", .group = "Run", .help = "save and stop after this step", .rare = true, .once = true },
    { "recovery-interval", NULL, 0, WHOLE(save_steps, 0, 1e15), .fallback = "0", .shown = "off", .group = "Run", .help = "also save every N steps", .rare = true },
    { "log-interval", NULL, 0, WHOLE(log_interval, 1, 1e9), .fallback = "50", .group = "Run", .help = "with --progress=lines, steps between lines", .rare = true },
    { "progress", NULL, 0, TEXT(progress), .argument = "NAME", .fallback = "auto", .choices = "auto bar lines none", .group = "Run",
      .help = "bar, lines or none; auto: a bar on a terminal", .rare = true, .once = true },
    { "quiet", NULL, 'q', SWITCH(quiet), .group = "Run", .help = "print only warnings, errors and the result", .rare = true, .once = true },
};

const OptionTable train_options = {
    .usage = "[OPTION...] [ARCH]",
    .about = "Train a convolutional network on images, on the CPU.",
    .examples = "--arch convnext --act gelu                       # the recipe for ConvNeXt\n"
                "resnet18 --act silu --data photos/ --epochs 30   # class folders of images\n"
                "--resume auto                                    # go on with the newest run\n",
    .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1,
    .tried = tried_in_training,
};

/* A number that was not given takes the recipe's; else it replaces it. */
static void settle(double *flag, float *option)
{
    if (isnan(*flag))
        *flag = shortest_decimal(*option);
    else
        *option = (float)*flag;
}

static bool parse_betas(const char *text, OptimizerOptions *optimizer, Error *error)
{
    char *comma, *end = NULL;
    const double beta1 = strtod(text, &comma), beta2 = *comma == ',' ? strtod(comma + 1, &end) : -1.0;
    if (comma == text || *comma != ',' || end == comma + 1 || *end ||
        !(beta1 >= 0.0 && (float)beta1 < 1.0f && beta2 >= 0.0 && (float)beta2 < 1.0f))
        return error_set(error, EXIT_usage,
                         "bad value '%.100s': --opt-betas: use two numbers from 0 to below 1, such as 0.9,0.999", text);
    optimizer->beta1 = (float)beta1;
    optimizer->beta2 = (float)beta2;
    return true;
}

static void copy_numbers(TrainFlags *flags, TrainerOptions *o)
{
    settle(&flags->lr, &o->lr);
    settle(&flags->weight_decay, &o->optimizer.weight_decay);
    settle(&flags->smoothing, &o->label_smoothing);
    settle(&flags->clip_grad, &o->optimizer.clip_norm);
    if (flags->epochs < 0)
        flags->epochs = o->epochs;
    o->epochs = (int)flags->epochs;
    o->batch = flags->batch > 0 ? (int)flags->batch : 0;
    o->val_batch = (int)flags->val_batch;
    o->optimizer.momentum = (float)flags->momentum;
    o->optimizer.nesterov = flags->nesterov;
    o->optimizer.eps = (float)flags->eps;
    o->min_lr = (float)flags->min_lr;
    o->warmup_epochs = isnan(flags->warmup_epochs) ? -1.0 : flags->warmup_epochs;
    o->decay_epochs = flags->decay_epochs;
    o->decay_rate = (float)flags->decay_rate;
    o->seed = (uint64_t)flags->seed;
    o->save_steps = (uint64_t)flags->save_steps;
    o->most_steps = (uint64_t)flags->max_steps;
}

static void copy_data(const TrainFlags *flags, TrainerOptions *o)
{
    o->data.path = flags->data;
    o->data.limit = (uint32_t)flags->limit;
    o->data.side = (int)flags->img_size;
    o->data.channels = (int)flags->in_chans;
    o->data.skip_bad = flags->skip_bad;
    o->data.threads = (int)flags->threads;
    o->no_augment = !flags->aug;
    o->crop_pad = (int)flags->crop_pad;
    o->flip = !strcmp(flags->hflip, "auto")                                 ? FLIP_automatic
              : !strcmp(flags->hflip, "on") || !strcmp(flags->hflip, "0.5") ? FLIP_on
                                                                            : FLIP_off;
}

bool train_options_resolve(TrainFlags *flags, TrainerOptions *o, Error *error)
{
    OptimizerKind kind;
    const Architecture *arch = architecture_find(flags->arch, error);
    if (!arch || (flags->opt && !optimizer_parse(flags->opt, &kind, error)))
        return false;
    *o = trainer_defaults(arch, flags->opt ? &kind : NULL);
    flags->opt = optimizer_name(o->optimizer.kind);
    o->no_dropout = !flags->dropout;
    o->squeeze_excite = flags->squeeze_excite;
    copy_numbers(flags, o);
    copy_data(flags, o);
    if (flags->in_chans == 2)
        return error_set(error, EXIT_usage, "bad value '2': --in-chans: use 1 for grey or 3 for colour");
    if (!(o->optimizer.eps > 0.0f))
        return error_set(error, EXIT_usage, "bad value '%g': --opt-eps: use a number above 0, such as 1e-8", flags->eps);
    return (!flags->act || activation_parse(flags->act, &o->act, error)) && schedule_parse(flags->sched, &o->schedule, error) &&
           plan_parse(flags->plan, &o->plan, error) && (!flags->amp || plan_mix_precision(&o->plan, "--amp", error)) &&
           val_split_parse(flags->val_split, &o->data, error) && parse_betas(flags->betas, &o->optimizer, error);
}
