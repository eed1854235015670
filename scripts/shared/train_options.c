/* train_options.c - see train_options.h. */

#include "train_options.h"

#include "disk.h"
#include "preview.h"
#include "settings_forms.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_MOST = 1 << 20 };      /* bytes */

static bool read_rank_timeout(const char *text, void *field, Error *error)
{
    return setting_duration_read("rank-timeout", text, field, error);
}

static const SettingForm form_rank_timeout = { read_rank_timeout, setting_duration_write };

#define FIELD(name) .field = offsetof(TrainFlags, name)
#define TEXT(f)     .type = SETTING_text, FIELD(f)
#define SWITCH(f)   .type = SETTING_switch, FIELD(f)

static const Setting options[] = {
    { "summary", NULL, 0, SWITCH(summary), .group = "Model", .help = "print the layer table and exit", .rare = true, .keep = KEEP_call },
    { "preview", NULL, 0, .type = SETTING_whole, FIELD(preview), .argument = "N", .least = 0, .most = PREVIEW_MOST, .fallback = "0", .shown = "off", .group = "Data", .help = "write N augmented training images to preview.png and exit", .rare = true, .keep = KEEP_call },
    { "list-archs", NULL, 0, SWITCH(list_archs), .group = "Model", .help = "print the architectures and exit", .rare = true, .keep = KEEP_call },
    { "list-acts", NULL, 0, SWITCH(list_acts), .group = "Model", .help = "print the activations and exit", .rare = true, .keep = KEEP_call },
    { "list-augs", NULL, 0, SWITCH(list_augs), .group = "Data", .help = "print the steps of --aug and exit", .rare = true, .keep = KEEP_call },
    { "find-lr", NULL, 0, SWITCH(find_lr), .group = "Trials", .help = "try learning rates, print their losses and one that suits, and exit; nothing is written", .rare = true, .keep = KEEP_call },
    { "overfit-batch", "overfit-one-batch", 0, SWITCH(overfit_batch), .group = "Trials", .help = "learn one batch by heart, say whether the loss falls, and exit; nothing is written", .rare = true, .keep = KEEP_call },
    { "dry-run", NULL, 0, SWITCH(dry_run), .group = "Trials", .help = "do a step and a batch of the validation, say how long a run takes, and exit; nothing is written", .rare = true, .keep = KEEP_call },
    { "batch-per-rank", "local-batch-size", 0, .type = SETTING_int, FIELD(batch_per_rank), .argument = "N", .least = 0, .most = 65536, .fallback = "0", .shown = "a share of -b", .group = "Ranks",
      .help = "images a rank takes in a step; -b is then N times the ranks", .rare = true, .keep = KEEP_call },
    { "rank-timeout", NULL, 0, .type = SETTING_text, FIELD(rank_timeout), .form = &form_rank_timeout, .argument = "TIME", .fallback = "10m", .group = "Ranks",
      .help = "end the run when a rank makes no progress for this long; 0: never, and stopped ranks are waited for", .rare = true, .keep = KEEP_call },
    { "resume", NULL, 0, TEXT(resume), .argument = "DIR|auto", .group = "Run", .help = "go on with a stopped run; auto: the newest under runs/", .keep = KEEP_call },
    { "config", NULL, 0, TEXT(config), .argument = "FILE", .group = "Run", .help = "read options from lines such as 'lr: 0.1'; those given here win", .rare = true, .keep = KEEP_call },
    { "log-interval", NULL, 0, .type = SETTING_whole, FIELD(log_interval), .argument = "N", .least = 1, .most = 1e9, .fallback = "50", .group = "Run", .help = "with --progress=lines, steps between lines", .rare = true },
    { "progress", NULL, 0, TEXT(progress), .argument = "NAME", .fallback = "auto", .choices = "auto block bar lines none", .group = "Run",
      .help = "block, bar, lines or none; auto: a block on a terminal, lines elsewhere", .rare = true, .keep = KEEP_call },
    { "plots", "plot save-plots", 0, SWITCH(plots), .group = "Run", .help = "keep curves.png and rates.png in the run's folder up to date; with --find-lr: draw find-lr.png", .rare = true },
    { "quiet", NULL, 'q', SWITCH(quiet), .group = "Run", .help = "print only warnings, errors and the result", .rare = true, .keep = KEEP_call },
};
_Static_assert(offsetof(TrainFlags, trainer) == 0, "the rows of settings.h count from the beginning of the flags");

const OptionTable train_options = {
    .usage = "[OPTION...] [ARCH]",
    .about = "Train a convolutional network on images, on the CPU.",
    .examples = "--arch convnext --act gelu                       # the recipe for ConvNeXt\n"
                "resnet18 --act silu --data photos/ --epochs 30   # class folders of images\n"
                "--resume auto                                    # go on with the newest run\n",
    .shared = settings_at, .shared_count = settings_count,
    .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1,
    .tried = tried_in_training,
};

/* What an args.json says of the settings; what else is in it is another program's. */
static bool config_of_json(const char *text, size_t size, const char *path, SettingTexts *config, Error *error)
{
    json_error_t where;
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    bool ok = json_is_object(object) ||
              error_set(error, EXIT_usage, "not a JSON object: %s: %s: use lines such as 'lr: 0.1'", path, object ? "another value" : where.text);
    for (int i = 0; ok && i < settings_count(); i++) {
        const json_t *value = json_object_get(object, settings_at(i)->name);
        Error wrong = { 0 };
        TrainerOptions tried = { 0 };
        config->of[i] = value ? setting_of_json(settings_at(i), value, &wrong) : NULL;
        if (wrong.text[0] || (config->of[i] && !setting_read(settings_at(i), config->of[i], &tried, &wrong)))
            ok = error_set(error, EXIT_usage, "%s: %s", path, wrong.text);
    }
    json_decref(object);
    return ok;
}

bool train_options_config(const char *path, SettingTexts *config, Error *error)
{
    size_t size;
    char *text = (char *)disk_read_all(AT_FDCWD, path, path, CONFIG_MOST, &size, error);
    if (!text)
        return false;
    const size_t mark = strncmp(text, "\xEF\xBB\xBF", 3) ? 0 : 3;      /* a byte order mark, as Windows' editors write */
    const char *begin = text + mark;
    size -= mark;
    const bool ok = begin[strspn(begin, " \t\r\n")] == '{' ? config_of_json(begin, size, path, config, error)
                    : strlen(begin) != size ? error_set(error, EXIT_usage, "not a text: %s: use lines such as 'lr: 0.1'", path)
                                            : settings_parse(begin, path, config, error);
    free(text);
    return ok;
}

bool train_options_resolve(TrainFlags *flags, const OptionLine *line, const SettingTexts *config, Error *error)
{
    const SettingLayer layers[] = {
        { .texts = line->loaded, .whole = flags->resume != NULL }, { .texts = config->of }, { .texts = line->given },
    };
    return settings_resolve(layers, sizeof layers / sizeof *layers, &flags->trainer, error);
}
