/* settings_table.c - the rows; see settings.h. Their order is that of --help=all within a group, and of a checkpoint's settings. */

#include "settings_forms.h"

#include "checkpoint_text.h"
#include "plan_text.h"

#define FORM(name)    .form = &form_##name
#define FIELD(name)   .field = offsetof(TrainerOptions, name)
#define TEXT(f)       .type = SETTING_text, FIELD(f)
#define SWITCH(f)     .type = SETTING_switch, FIELD(f)
#define FLOAT(f, lowest, highest) .type = SETTING_float, FIELD(f), .argument = "F", .least = lowest, .most = highest
#define REAL(f, lowest, highest)  .type = SETTING_real, FIELD(f), .argument = "F", .least = lowest, .most = highest
#define INT(f, lowest, highest)   .type = SETTING_int, FIELD(f), .argument = "N", .least = lowest, .most = highest
#define WHOLE(f, lowest, highest) .type = SETTING_whole, FIELD(f), .argument = "N", .least = lowest, .most = highest
#define RESULT .keep = KEEP_result
#define OFF    RESULT, .fallback = "0", .absent = "0", .shown = "off", .group = "Data"      /* what is not done without a number */
#define SHARE(f) FLOAT(f, 0, 1), OFF
#define RECIPE .shown = "the architecture's own"

static const Setting settings[] = {
    { "arch", "model", 'a', TEXT(arch), FORM(arch), RESULT, .argument = "NAME", .fallback = "baseline", .group = "Model", .help = "one of", .names = architecture_names },
    { "act", "activation", 0, TEXT(network.act), FORM(act), RESULT, .argument = "NAME[:P]", RECIPE, .group = "Model",
      .help = "activation in every block (--list-acts)" },
    { "dropout", NULL, 0, SWITCH(network.no_dropout), FORM(denied), RESULT, .fallback = "true", .group = "Model", .help = "switch off the architecture's dropout", .rare = true },
    { "gate-same", NULL, 0, SWITCH(network.gate_same), RESULT, .absent = "false", .group = "Model", .help = "with a gated unit: fewer channels, for as many parameters as with another activation", .rare = true },
    { "squeeze-excite", NULL, 0, SWITCH(network.squeeze_excite), RESULT, .group = "Model", .help = "efficientnet_lite0 with squeeze-and-excitation", .rare = true },

    { "drop", "drop-rate", 0, FLOAT(network.dropout, 0, 0.99), RESULT, .fallback = "0", .absent = "0", RECIPE, .group = "Model",
      .help = "dropout in front of the last layers", .rare = true },
    { "drop-path", "drop-path-rate stochastic-depth", 0, FLOAT(network.drop_path, 0, 0.99), RESULT, .fallback = "0", .absent = "0", .group = "Model",
      .help = "stochastic depth: how often the last residual block is left out; earlier ones less", .rare = true },
    { "bn-eps", NULL, 0, FLOAT(network.bn_eps, 0, 1), RESULT, .fallback = "0", .absent = "0", RECIPE, .group = "Model", .help = "batch norm: added to the variance", .rare = true },
    { "bn-momentum", NULL, 0, FLOAT(network.bn_momentum, 0, 1), RESULT, .fallback = "0", .absent = "0", RECIPE, .group = "Model",
      .help = "batch norm: share of a step in the running statistics", .rare = true },
    { "zero-init-last", NULL, 0, SWITCH(network.zero_init_last), RESULT, .absent = "false", .group = "Model",
      .help = "each residual branch's last norm starts with scale 0", .rare = true },
    { "identity-init", "dirac-init", 0, SWITCH(network.identity_init), RESULT, .absent = "false", .group = "Model",
      .help = "3x3 convolutions start with filters that pass their input on", .rare = true },
    { "layer-scale", "layer-scale-init ls-init-value", 0, FLOAT(network.layer_scale, 0, 10), RESULT, .fallback = "0", .absent = "0", RECIPE, .group = "Model",
      .help = "convnext: what layer scales start with", .rare = true },
    { "stem", "patch-size", 0, INT(network.stem, 1, ARCH_STEM_MOST), RESULT, .fallback = "0", .absent = "0", .shown = "2; above 64 pixels 4", .group = "Model",
      .help = "convnext: N x N pixels become one; 1: 3x3 filters at every pixel", .rare = true },
    { "depth", NULL, 0, INT(network.depth, 1, ARCH_DEPTH_MOST), RESULT, .fallback = "0", .absent = "0", RECIPE, .group = "Model", .help = "mlp: hidden layers", .rare = true },
    { "width", NULL, 0, INT(network.width, 1, ARCH_WIDTH_MOST), RESULT, .fallback = "0", .absent = "0", RECIPE, .group = "Model", .help = "mlp: units of each hidden layer",
      .rare = true },
    { "whiten", "whiten-eps", 0, FLOAT(fine_tune.whiten, 0, 1), RESULT, .fallback = "0", .absent = "0", .shown = "off", .group = "Model",
      .help = "the first layer starts as a whitening of the images, with this eps; 5e-4 is usual", .rare = true },

    { "initial-checkpoint", "init finetune fine-tune", 0, TEXT(fine_tune.checkpoint), .argument = "FILE", .shown = "random weights",
      .group = "Fine-tuning", .help = "start from a checkpoint's weights; a head for other classes is new", .rare = true },
    { "freeze", NULL, 0, TEXT(fine_tune.freeze), RESULT, .absent = "", .argument = "NAMES", .shown = "nothing", .group = "Fine-tuning",
      .help = "leave these parameters alone: all-but-head, or names and patterns such as layer1,bn*", .rare = true },
    { "unfreeze-epoch", NULL, 0, INT(fine_tune.unfreeze_epoch, 0, 1e6), RESULT, .fallback = "0", .absent = "0", .shown = "never", .group = "Fine-tuning",
      .help = "train what --freeze names as well after N epochs", .rare = true },
    { "head-lr-mult", "head-lr-factor", 0, FLOAT(optimizer.head_lr, 1e-6, 1e6), RESULT, .fallback = "1", .absent = "1", .group = "Fine-tuning",
      .help = "factor of the last layer's learning rate", .rare = true },

    { "data", "data-dir data-path", 0, TEXT(data.path), .argument = "PATH|shapes", .shown = "data/, or shapes", .group = "Data",
      .help = "folder: CIFAR, MNIST-style or class folders" },
    { "val-split", NULL, 0, TEXT(data), FORM(val_split), RESULT, .argument = "F|NAME", .shown = "0.1, without a val or test part", .group = "Data",
      .help = "share, or file, to validate on" },
    { "limit", NULL, 0, INT(data.limit, 0, 1e9), RESULT, .fallback = "0", .shown = "all", .group = "Data", .help = "use only N images of each part" },
    { "img-size", "image-size imgsz input-size", 0, INT(data.side, 0, 4096), RESULT, .fallback = "0", .shown = "as they are; of mixed sizes or oblong: 32 or 224", .group = "Data", .help = "resize images to N x N", .rare = true },
    { "train-img-size", "train-image-size train-size", 0, TEXT(train_sizes), FORM(train_sizes), RESULT, .argument = "N:E,N", .fallback = "none", .absent = "none", .shown = "as --img-size", .group = "Data",
      .help = "train on smaller images: 16:2,24:2,32 is 2 epochs at 16, 2 at 24, the rest at 32; validation at full size", .rare = true },
    { "crop", "crop-mode", 0, TEXT(data.fit.crop), FORM(image_crop), RESULT, .argument = "centre|pad|squash", .fallback = "centre", .absent = "centre", .group = "Data",
      .help = "images of other shapes: cut to the middle, all of them in a grey frame, or both sides scaled", .rare = true },
    { "interpolation", NULL, 0, TEXT(data.fit.filter), FORM(image_filter), RESULT, .argument = "bilinear|bicubic", .fallback = "bilinear", .absent = "bilinear", .group = "Data",
      .help = "how images are scaled to their size", .rare = true },
    { "crop-pct", NULL, 0, REAL(data.fit.crop_pct, CROP_PCT_LEAST, 1), RESULT, .fallback = "1", .absent = "1", .group = "Data",
      .help = "validation sees the middle of larger images, --img-size / F, as timm's: 0.875 scales to 256 for 224", .rare = true },
    { "in-chans", "channels", 0, INT(data.channels, 0, 3), RESULT, .fallback = "0", .shown = "as they are", .group = "Data", .help = "1: grey, 3: colour", .rare = true },
    { "skip-bad", NULL, 0, SWITCH(data.skip_bad), RESULT, .group = "Data", .help = "skip damaged images, up to 1%, instead of stopping", .rare = true },
    { "exif-orientation", NULL, 0, SWITCH(data.as_stored), FORM(denied), RESULT, .fallback = "true", .absent = "false", .group = "Data",
      .help = "take photographs as they are stored, however the camera was held", .rare = true },
    { "aug", "augment", 0, .type = SETTING_text, .field = 0, FORM(aug), RESULT, .deniable = true, .argument = "STEPS", .fallback = "true", .shown = "shifts and flips", .group = "Data",
      .help = "as \"crop:4 hflip:0.5 randaugment\", or --no-aug" },
    { "crop-pad", NULL, 0, INT(crop_pad, 0, 512), RESULT, .fallback = "4", .group = "Data", .help = "shift images at random by up to N pixels", .rare = true },
    { "hflip", NULL, 0, TEXT(flip), FORM(hflip), RESULT, .argument = "auto|on|off|alternating|auto-alternating", .fallback = "auto", .group = "Data",
      .help = "mirror every other image at random, or all of them every other epoch; auto: not digits and letters", .rare = true },
    { "pad-mode", NULL, 0, TEXT(augment.pad_mode), FORM(pad_mode), RESULT, .argument = "mean|reflect|edge", .fallback = "mean", .absent = "mean", .group = "Data", .help = "what comes in where an image is shifted", .rare = true },
    { "scale", NULL, 0, TEXT(augment.resized), FORM(scale), RESULT, .argument = "A,B|off", .fallback = "auto", .absent = "off", .shown = "off; above 64 pixels 0.08,1", .group = "Data",
      .help = "instead of shifts: a box of so large a share of the image's area, enlarged", .rare = true },
    { "ratio", NULL, 0, TEXT(augment.resized), FORM(ratio), RESULT, .argument = "A,B", .fallback = "0.75,1.3333334", .absent = "0.75,1.3333334", .group = "Data",
      .help = "with --scale: the box's width to its height", .rare = true },
    { "vflip", "flipud", 0, SHARE(augment.vflip), .help = "turn so large a share of the images upside down", .rare = true },
    { "rotate", "degrees", 0, FLOAT(augment.rotate, 0, 180), OFF, .help = "rotate by up to F degrees, either way", .rare = true },
    { "aa", "auto-augment autoaugment", 0, TEXT(augment.policy), FORM(policy), RESULT, .argument = "NAME", .fallback = "none", .absent = "none", .group = "Data", .help = "choose operations at random: rand-m9-n2, ta or augmix", .rare = true },
    { "color-jitter", "colour-jitter jitter", 0, SHARE(augment.color_jitter), .help = "change brightness, contrast and saturation by up to this share", .rare = true },
    { "grayscale-prob", "grayscale", 0, SHARE(augment.grayscale), .help = "make so large a share grey", .rare = true },
    { "gaussian-blur-prob", "gaussian-blur", 0, SHARE(augment.blur), .help = "blur so large a share by up to a pixel", .rare = true },
    { "noise-std", NULL, 0, SHARE(augment.noise), .help = "add noise of this deviation, in shares of white", .rare = true },
    { "reprob", "random-erase random-erasing erasing", 0, SHARE(augment.erase), .help = "erase a box in so large a share", .rare = true },
    { "remode", NULL, 0, TEXT(augment.erase_mode), FORM(erase_mode), RESULT, .argument = "const|rand|pixel", .fallback = "const", .absent = "const", .group = "Data", .help = "with --reprob: the mean, one colour, or noise", .rare = true },
    { "recount", NULL, 0, INT(augment.erase_boxes, 1, 16), RESULT, .fallback = "1", .absent = "1", .group = "Data", .help = "with --reprob: boxes that share the area", .rare = true },
    { "cutout-size", "cutout", 0, FLOAT(augment.cutout, 0, 512), OFF, .help = "black out a square of F pixels, with the mean", .rare = true },
    { "mixup", "mixup-alpha", 0, FLOAT(augment.mixup, 0, 100), OFF, .help = "blend images and labels in pairs, by shares of Beta(F, F)", .rare = true },
    { "cutmix", "cutmix-alpha", 0, FLOAT(augment.cutmix, 0, 100), OFF, .help = "exchange boxes in pairs, of shares of Beta(F, F)", .rare = true },
    { "mixup-prob", NULL, 0, FLOAT(augment.mix_rate, 0, 1), RESULT, .fallback = "1", .absent = "1", .group = "Data", .help = "with --mixup or --cutmix: the share of the batches", .rare = true },
    { "mixup-off-epoch", NULL, 0, INT(augment.mix_epochs, 0, 1e6), RESULT, .fallback = "0", .absent = "0", .shown = "never", .group = "Data", .help = "with --mixup or --cutmix: mix no more from this epoch on", .rare = true },

    { "recipe", NULL, 0, TEXT(recipe), FORM(recipe), RESULT, .fallback = "default", .absent = "default", .argument = "NAME", .group = "Training",
      .help = "default, fast (minutes) or best (a night): what is not given" },
    { "epochs", "num-epochs max-epochs", 0, INT(epochs, 1, 1e6), .keep = KEEP_length, RECIPE, .group = "Training", .help = "passes over the data" },
    { "batch-size", "batch bs", 'b', INT(batch, 1, 65536), RESULT, .fallback = "0", .shown = "128; for few images 64 to 16", .group = "Training", .help = "images a step" },
    { "usual-batch-size", NULL, 0, INT(usual_batch, 1, 65536), RESULT, .fallback = "128", .absent = "128", .group = "Training",
      .help = "images a step where --batch-size does not say; for few images a half of it, a quarter, ... down to 16", .rare = true },
    { "val-batch-size", NULL, 0, INT(val_batch, 1, 65536), .fallback = "256", .group = "Training", .help = "images at once when validating", .rare = true },
    { "loss", NULL, 0, TEXT(loss), FORM(loss), RESULT, .argument = "ce|bce", .fallback = "ce", .absent = "ce", .group = "Training", .help = "cross-entropy, or a sigmoid a class summed over classes", .rare = true },
    { "class-weights", NULL, 0, TEXT(class_weights), FORM(class_weights), RESULT, .argument = "auto|none", .fallback = "none", .absent = "none", .group = "Training", .help = "auto: rare classes count more in the loss, by the inverse of their number", .rare = true },
    { "balance", NULL, 0, SWITCH(balanced), RESULT, .absent = "false", .group = "Training", .help = "an epoch has every class equally often: images of rare ones come again", .rare = true },
    { "logit-scale", NULL, 0, FLOAT(logit_scale, 1e-4, 1e4), RESULT, .fallback = "1", .absent = "1", .group = "Training", .help = "factor of the logits in the training loss", .rare = true },
    { "smoothing", "label-smoothing", 0, FLOAT(label_smoothing, 0, 0.999), RESULT, .fallback = "0", RECIPE, .group = "Training", .help = "label smoothing: share of each label that goes to all classes", .rare = true },
    { "opt", "optimizer", 0, TEXT(optimizer.kind), FORM(optimizer), RESULT, .argument = "NAME", RECIPE, .group = "Training", .help = "one of", .names = optimizer_names },
    { "momentum", NULL, 0, FLOAT(optimizer.momentum, 0, 1), RESULT, .fallback = "0.9", .group = "Training", .help = "share of the last step that is kept: sgd, nesterov, rmsprop, lars, muon", .rare = true },
    { "nesterov", NULL, 0, SWITCH(optimizer.nesterov), RESULT, .fallback = "true", .group = "Training", .help = "plain momentum, not Nesterov's: sgd, muon", .rare = true },
    { "opt-betas", NULL, 0, TEXT(optimizer), FORM(betas), .argument = "B1,B2", .fallback = "0.9,0.999", .group = "Training", .help = "what the averages of gradients and of their squares keep: adam and its kin, rmsprop, lion, lamb", .rare = true },
    { "opt-beta1", NULL, 0, FLOAT(optimizer.beta1, 0, 0.99999994), RESULT, .fallback = "0.9", .group = "Training", .help = "the first of --opt-betas", .hidden = true },
    { "opt-beta2", NULL, 0, FLOAT(optimizer.beta2, 0, 0.99999994), RESULT, .fallback = "0.999", .group = "Training", .help = "the second of --opt-betas", .hidden = true },
    { "opt-eps", NULL, 0, FLOAT(optimizer.eps, 0, 1), RESULT, .fallback = "1e-8", .group = "Training", .help = "added to the divisor: adam and its kin, rmsprop, adagrad, lamb", .rare = true },
    { "weight-decay", "wd", 0, FLOAT(optimizer.weight_decay, 0, 1e3), RESULT, RECIPE, .group = "Training", .help = "how strongly weights are pulled to zero", .rare = true },
    { "clip-grad", "clip-grad-norm grad-clip", 0, FLOAT(optimizer.clip_norm, 0, 1e9), RESULT, .fallback = "0", RECIPE, .group = "Training",
      .help = "shorten gradients that are longer than this; 0: never", .rare = true },
    { "clip-mode", NULL, 0, TEXT(optimizer.clip_mode), FORM(clip), RESULT, .absent = "norm", .argument = "NAME", .fallback = "norm", .group = "Training",
      .help = "what --clip-grad bounds: one of", .names = clip_names, .rare = true },
    { "param-groups", NULL, 0, TEXT(optimizer.param_groups), FORM(groups), RESULT, .absent = "none", .argument = "TEXT", .fallback = "none", .group = "Training",
      .help = "rates, decay and freezing by name: \"norm-bias lr*64 decay/64; stem.* frozen\"", .rare = true },
    { "muon-other", NULL, 0, TEXT(optimizer.other), FORM(optimizer), RESULT, .absent = "adamw", .argument = "NAME", .fallback = "adamw", .group = "Training",
      .help = "with --opt muon: what steps biases, norms and the head", .rare = true },
    { "muon-other-lr", NULL, 0, FLOAT(optimizer.other_lr, 0, 1e6), RESULT, .absent = "0.1", .fallback = "0.1", .group = "Training", .help = "with --opt muon: that one's share of --lr", .rare = true },
    { "muon-other-momentum", NULL, 0, FLOAT(optimizer.other_momentum, 0, 1), RESULT, .absent = "0", .fallback = "0", .shown = "--momentum", .group = "Training", .help = "with --opt muon: that one's momentum", .rare = true },
    { "muon-rounds", "muon-ns-steps ns-steps", 0, INT(optimizer.muon_rounds, 0, 100), RESULT, .absent = "0", .fallback = "0", .shown = "5", .group = "Training", .help = "with --opt muon: rounds of Newton and Schulz, which make a step orthogonal", .rare = true },
    { "muon-normalise", "muon-normalize", 0, SWITCH(optimizer.muon_normalise), RESULT, .absent = "false", .group = "Training", .help = "with --opt muon: before each step a layer's weights are scaled to a norm of 1 an output", .rare = true },
    { "sched", "scheduler lr-schedule lr-scheduler", 0, TEXT(schedule), FORM(schedule), RESULT, .argument = "NAME", .fallback = "cosine", .group = "Training",
      .help = "how the learning rate falls: one of", .names = schedule_names, .rare = true },
    { "lr", "learning-rate", 0, FLOAT(lr, 0, 1e6), RESULT, RECIPE, .group = "Training", .help = "learning rate: how far a step goes at most" },
    { "min-lr", NULL, 0, FLOAT(min_lr, 0, 1e6), RESULT, .fallback = "0", .group = "Training", .help = "with --sched cosine, linear, poly, plateau: the lowest rate", .rare = true },
    { "warmup-epochs", "lr-warmup-epochs", 0, REAL(warmup_epochs, 0, 1e6), RESULT, .fallback = "-1", .shown = "a tenth of all", .group = "Training", .help = "epochs in which the rate rises; 0.5 is half of one", .rare = true },
    { "decay-epochs", "lr-step-size step-size", 0, REAL(decay_epochs, 0, 1e6), RESULT, .fallback = "0", .shown = "a third of all", .group = "Training", .help = "with --sched step, exp: epochs between drops of the rate", .rare = true },
    { "decay-rate", "lr-gamma gamma", 0, FLOAT(decay_rate, 0, 1), RESULT, .fallback = "0.1", .group = "Training", .help = "with --sched step, multistep, exp, plateau: the factor of each drop", .rare = true },
    { "warmup-lr", NULL, 0, FLOAT(schedule_options.warmup_lr, 0, 1e6), RESULT, .absent = "0", .fallback = "0", .group = "Training", .help = "the rate that warm-up starts from", .rare = true },
    { "decay-milestones", "milestones lr-steps", 0, TEXT(schedule_options.milestones), FORM(milestones), RESULT, .absent = "none", .argument = "E,E,..", .fallback = "none", .group = "Training",
      .help = "with --sched multistep: the epochs at which the rate drops", .rare = true },
    { "sched-power", "poly-power", 0, FLOAT(schedule_options.power, 0, 100), RESULT, .absent = "1", .fallback = "1", .group = "Training", .help = "with --sched poly: the power", .rare = true },
    { "patience-epochs", "reduce-patience", 0, INT(schedule_options.patience, 0, 1e6), RESULT, .absent = "10", .fallback = "10", .group = "Training", .help = "with --sched plateau: epochs without a better loss before the rate drops", .rare = true },
    { "sched-start", NULL, 0, FLOAT(schedule_options.start, 0, 1e3), RESULT, .absent = "-1", .fallback = "-1", .shown = "the schedule's own", .group = "Training", .help = "with --sched onecycle, triangle: the first rate, as a share of --lr", .rare = true },
    { "sched-peak", NULL, 0, FLOAT(schedule_options.peak, 0, 1), RESULT, .absent = "-1", .fallback = "-1", .shown = "the schedule's own", .group = "Training", .help = "likewise: when the rate is at --lr, as a share of the run", .rare = true },
    { "sched-end", NULL, 0, FLOAT(schedule_options.end, 0, 1e3), RESULT, .absent = "-1", .fallback = "-1", .shown = "the schedule's own", .group = "Training", .help = "likewise: the last rate, as a share of --lr", .rare = true },
    { "seed", NULL, 0, WHOLE(seed, 0, 1e15), RESULT, .fallback = "42", .group = "Training", .help = "start of all random numbers: the same seed, the same run" },

    { "max-time", "time-limit", 0, TEXT(max_seconds), FORM(duration), RESULT, .argument = "TIME", .fallback = "0", .shown = "off", .absent = "0", .group = "Training", .help = "end in this time, 30m or 2h: the number of epochs follows from a measurement", .rare = true },
    { "model-ema", "ema", 0, SWITCH(parts.ema), RESULT, .absent = "false", .group = "Averaging", .help = "validate, and keep as the best, a moving average of the weights", .rare = true },
    { "model-ema-decay", "ema-decay", 0, FLOAT(parts.ema_decay, 0, 1), RESULT, .fallback = "0.999", .absent = "0.999", .group = "Averaging", .help = "with --model-ema: share of the average that a step leaves", .rare = true },
    { "model-ema-warmup", "ema-warmup", 0, SWITCH(parts.ema_warmup), RESULT, .fallback = "true", .absent = "true", .group = "Averaging", .help = "with --model-ema: the same share from the first step on, not a smaller one at first", .rare = true },
    { "swa-start", "swa", 0, INT(parts.swa_start, 0, 1e6), RESULT, .fallback = "0", .shown = "off", .absent = "0", .group = "Averaging", .help = "validate, and keep as the best, the mean of the weights after epochs N, N+1, ...", .rare = true },
    { "swa-lr", NULL, 0, FLOAT(parts.swa_lr, 0, 1e6), RESULT, .fallback = "0", .shown = "the schedule's", .absent = "0", .group = "Averaging", .help = "with --swa-start: the learning rate from there on", .rare = true },
    { "lookahead", NULL, 0, SWITCH(parts.lookahead), RESULT, .absent = "false", .group = "Averaging", .help = "slow weights that the optimizer returns to every few steps", .rare = true },
    { "lookahead-k", "lookahead-steps", 0, INT(parts.lookahead_k, 1, 1e6), RESULT, .fallback = "5", .absent = "5", .group = "Averaging", .help = "with --lookahead: how many steps", .rare = true },
    { "lookahead-alpha", NULL, 0, FLOAT(parts.lookahead_alpha, 0, 1), RESULT, .fallback = "0.5", .absent = "0.5", .group = "Averaging", .help = "with --lookahead: how far the slow weights go towards the optimizer's", .rare = true },
    { "lookahead-rising", NULL, 0, SWITCH(parts.lookahead_rising), RESULT, .absent = "false", .group = "Averaging", .help = "with --lookahead: all the way at first, hardly at all in the end, as airbench does", .rare = true },
    { "sam-rho", "sam", 0, FLOAT(parts.sam_rho, 0, 100), RESULT, .fallback = "0", .shown = "off", .absent = "0", .group = "Training", .help = "sharpness-aware steps, with gradients taken this far uphill; a step costs two", .rare = true },
    { "grad-accum-steps", "gradient-accumulation-steps accumulate-grad-batches accumulate", 0, INT(parts.accumulate, 1, 65536), RESULT, .fallback = "1", .absent = "1", .group = "Training", .help = "batches whose gradients make one step", .rare = true },
    { "early-stop", "early-stopping early-stopping-patience patience", 0, INT(parts.early_stop, 0, 1e6), RESULT, .fallback = "0", .shown = "off", .absent = "0", .group = "Training", .help = "end after N epochs without a better validation", .rare = true },
    { "early-delta", "early-stopping-delta min-delta", 0, FLOAT(parts.early_delta, 0, 1e6), RESULT, .fallback = "0", .absent = "0", .group = "Training", .help = "with --early-stop: how much better it must be; of top1, 0.01 is one percent", .rare = true },
    { "early-metric", NULL, 0, TEXT(parts.early_metric), FORM(early_metric), RESULT, .argument = "top1|loss", .fallback = "top1", .absent = "top1", .group = "Training", .help = "with --early-stop: what is to get better", .rare = true },

    { "log", "logger report-to", 0, TEXT(parts.tensorboard), FORM(logger), .argument = "plain|tb", .fallback = "plain", .group = "Run",
      .help = "log.jsonl and log.csv; tb: also event files for TensorBoard, with histograms of the weights and pictures", .rare = true },
    { "suspects", NULL, 0, INT(parts.suspects, 0, 1e9), .fallback = "0", .shown = "off", .group = "Run",
      .help = "after the last epoch, list the N training images with the highest losses: their labels may be wrong", .rare = true },
    { "act-stats", "activation-stats", 0, INT(parts.act_stats, 0, 1e6), .fallback = "0", .shown = "off", .group = "Run",
      .help = "keep, every N epochs, what each activation does to numbers and gradients, for `activations inspect RUN --history`", .rare = true },

    { "bn", "batch-norm", 0, TEXT(bn_group), FORM(bn), RESULT, .argument = "local|sync|ghost:N", .fallback = "local", .absent = "local", .group = "Ranks",
      .help = "batch norm's statistics are those of a rank's images, of all ranks', or of groups of N", .rare = true },
    { "reproducible", "deterministic", 0, SWITCH(reproducible), RESULT, .absent = "false", .group = "Ranks",
      .help = "the same bits with 1, 2 or 4 ranks and any number of threads: a batch is computed in four parts", .rare = true },
    { "lr-scaling", "scale-lr lr-base-scale", 0, TEXT(lr_scaling), FORM(lr_scaling), RESULT, .argument = "linear|sqrt|none", .fallback = "none", .absent = "none", .group = "Ranks",
      .help = "the rate for a batch that is not the recipe's: larger by as much, or by its square root", .rare = true },
    { "gradient-type", "gradient-dtype", 0, TEXT(exchange.wire), FORM(wire), RESULT, .argument = "f32|bf16", .fallback = "f32", .absent = "f32", .group = "Ranks",
      .help = "what gradients travel as between ranks; bf16 is half as much", .rare = true },
    { "bucket-bytes", "bucket-size", 0, .type = SETTING_whole, FIELD(exchange.bucket_bytes), .argument = "N", .least = 0, .most = 1e9, .fallback = "0", .shown = "measured", .group = "Ranks",
      .help = "how much of the gradients is sent at a time", .rare = true },
    { "overlap", NULL, 0, SWITCH(exchange.late), FORM(denied), .fallback = "true", .group = "Ranks", .help = "send nothing before backward is done: to see what that costs", .rare = true },

    { "plan", NULL, 0, TEXT(plan), FORM(plan), RESULT, .argument = "NAME", .fallback = "default", .group = "Run",
      .help = "how the computation is laid out; measured: try all and take the fastest; one of " PLAN_WORDS " (direct: no Winograd)", .rare = true },
    { "amp", "bf16", 0, SWITCH(plan.precision), FORM(amp), RESULT, .fallback = "false", .group = "Run", .help = "multiply numbers of 16 bits (bfloat16) where that is faster" },
    { "threads", "num-threads cores", 0, INT(data.threads, 0, 1024), .fallback = "0", .shown = "cores", .group = "Run", .help = "how many to compute with" },
    { "workers", "num-workers loader-threads", 'j', INT(loader_threads, 0, 64), .fallback = "0", .shown = "1; 2 for more than shifts and flips", .group = "Run", .help = "threads that load and augment; any number gives the same batches", .rare = true },
    { "output", "output-dir save-dir", 0, TEXT(folder), .argument = "DIR", .shown = "runs/<arch>-<act>-<n>", .group = "Run", .help = "folder for checkpoints and log", .keep = KEEP_call },
    { "max-steps", NULL, 0, WHOLE(most_steps, 0, 1e15), .fallback = "0", .shown = "off", .group = "Run", .help = "save and stop after this step", .rare = true, .keep = KEEP_call },
    { "recovery-interval", NULL, 0, WHOLE(save_steps, 0, 1e15), .fallback = "0", .shown = "off", .group = "Run", .help = "also save every N steps", .rare = true },
};
_Static_assert(sizeof settings / sizeof *settings <= SETTINGS_MOST, "every setting has its place in SettingTexts");

int settings_count(void)
{
    return sizeof settings / sizeof *settings;
}

const Setting *settings_at(int index)
{
    return &settings[index];
}
