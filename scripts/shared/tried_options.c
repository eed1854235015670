/* tried_options.c - see tried_options.h. */

#include "tried_options.h"

#include "names.h"

#include <stddef.h>
#include <string.h>

static const TriedOption everywhere[] = {
    { "j workers num-workers nworkers loader-workers",
      "images are read by the same threads that compute: --threads N says how many" },
    { "device gpu gpus gpu-id cuda no-cuda use-cuda use-gpu mps accelerator devices",
      "convzoo computes on the processor alone: leave it out; --threads N says how many cores" },
    { "distributed world-size local-rank rank nodes dist-url dist-backend sync-bn",
      "several processes, on one machine or many, are started by mpirun: leave it out; see docs/ranks.md" },
    { "num-classes nb-classes n-classes classes nc", "the number of classes comes from the data or the checkpoint: leave it out" },
    { "mean std", "mean and standard deviation are measured on the training images and kept in the checkpoint: leave it out" },
    { "center-crop", "images are cut to their middle: train --crop-pct 0.875 says of how much larger ones" },
    { "crop-pct interpolation crop-mode",
      "a checkpoint says how its images come to size, as train's --crop, --interpolation and --crop-pct had it: leave it out" },
    { "channels-last", "use --plan channels-last" },
    { "download dataset-download", "nothing is fetched: download the data set and give its folder, --data PATH" },
    { "deterministic use-deterministic-algorithms benchmark cudnn",
      "results are the same at every run with the same seed and threads: leave it out" },
    { "compile torchcompile torchscript jit", "networks are always compiled: leave it out" },
    { "v verbose debug", "everything is shown unless --quiet is given: leave it out; --version is the program's version" },
    { "p print-freq log-freq", "use --log-interval N (of train)" },
    { NULL, NULL }
};

const TriedOption tried_in_training[] = {
    { "pretrained pretrained-path weights start-from from-checkpoint transfer",
      "weights are not fetched: --initial-checkpoint FILE starts from a checkpoint's; --resume DIR goes on with a run" },
    { "checkpoint load load-model ckpt start-epoch resume-from continue restore",
      "to go on with a run: --resume DIR; to measure a checkpoint: evaluate FILE" },
    { "test-only eval-only evaluate e validate test eval mode", "training does not test: evaluate FILE measures a checkpoint" },
    { "save save-model save-path o name project experiment log-dir exp-name",
      "a run is saved in its folder, with its log and its best weights: --output DIR names it" },
    { "randaugment ra", "use --aa rand-m9-n2, or --aug \"crop:4 hflip randaugment:9,2\"" },
    { "trivialaugment augmix ta", "use --aa ta, or --aa augmix" },
    { "mixup-switch-prob mixup-mode", "with --mixup and --cutmix each has half of the batches, and a batch one share: leave it out" },
    { "bce-loss", "use --loss bce" },
    { "fliplr flip horizontal-flip", "use --hflip on, off, alternating or auto-alternating" },
    { "fp16 half mixed-precision precision amp-dtype dtype use-amp autocast",
      "use --amp: it multiplies numbers of 16 bits (bfloat16) where that is faster" },
    { "dataset data-set ds d train-dir train-data", "give the data's folder: --data PATH; what is in it is recognised by its files" },
    { "val-dir test-dir val-data val-path test-data", "put the images to validate on into val/ or test/ beside train/, and give the folder above: --data PATH" },
    { "lr-warmup-decay lr-warmup-method", "use --warmup-lr F, the rate that warm-up starts from; it rises along a line" },
    { "lr-base base-lr blr lr-base-size", "use --lr: it is not scaled by the batch size" },
    { "warmup-steps warmup", "use --warmup-epochs F; fractions of an epoch are taken" },
    { "layer-decay", "name the layers and their rates: --param-groups 'layer1* lr/4; layer2* lr/2'" },
    { "weighted sampler weighted-sampler", "use --balance, or --class-weights auto" },
    { "lr-find auto-lr-find lr-finder", "use --find-lr" },
    { "n", "use --dry-run, or --summary for the layer table" },
    { "cfg yaml hyp config-file", "use --config FILE, with lines such as 'lr: 0.1'; a run's own args.json is one" },
    { "tensorboard tb", "use --log tb" },
    { "wandb log-wandb mlflow use-wandb", "log.jsonl and log.csv in the run's folder have a line of numbers an epoch: leave it out" },
    { "checkpoint-hist save-period save-freq save-every save-interval keep",
      "the newest, the one before and the best are kept; --recovery-interval N also saves every N steps" },
    { "l", "use --lr F, the learning rate" },
    { "r", "use --resume DIR, to go on with a run" },
    { "m", "use --arch NAME" },
    { "epoch-size steps-per-epoch", "an epoch is every training image once: --limit N takes fewer" },
    { NULL, NULL }
};

const TriedOption tried_on_a_checkpoint[] = {
    { "checkpoint load model weights resume ckpt pretrained load-model arch a model-path m",
      "give the checkpoint as the first argument, without an option: it knows its architecture" },
    { "dataset data-set d", "give the data's folder: --data PATH; what is in it is recognised by its files" },
    { "img-size image-size input-size imgsz", "images are resized to what the checkpoint was trained on: leave it out" },
    { "crops ten-crop tencrop multi-crop", "use --tta ten, or --tta flip" },
    { "amp fp16 bf16 half precision dtype", "checkpoints are measured in full precision: leave it out" },
    { "calibrate calibration-curve ece", "use --calibration -, or --fit-temperature to mend it (both of evaluate)" },
    { "threshold confidence conf min-confidence unknown", "use predict --reject P, or evaluate --fit-reject precision:P" },
    { "output o results-file save-json out", "results are printed: send them to a file with > FILE" },
    { "image images source input i file files folder", "give images or folders as arguments after the checkpoint, without an option" },
    { "epochs lr opt", "a checkpoint is measured, not trained: leave it out" },
    { NULL, NULL }
};

static const char *answer_in(const TriedOption *table, const char *name)
{
    for (; table && table->names; table++)
        if (names_match(table->names, name, strlen(name)))
            return table->answer;
    return NULL;
}

const char *tried_option(const TriedOption *table, const char *name)
{
    const char *answer = answer_in(table, name);
    return answer ? answer : answer_in(everywhere, name);
}
