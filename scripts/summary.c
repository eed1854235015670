/* summary.c - what a network is made of: its layers as a table, as JSON, as a picture. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common_options.h"
#include "compute_threads.h"
#include "graph.h"
#include "json_made.h"
#include "layers.h"
#include "model.h"
#include "names.h"
#include "options.h"
#include "plan_cache.h"
#include "plan_text.h"
#include "settings.h"
#include "timed_step.h"

typedef struct SummaryFlags {
    TrainerOptions trainer;      /* first: the settings' rows count from here */
    const char *graph, *mode;
    int64_t     classes, batch;
    double      seconds;
    bool        json, time;
} SummaryFlags;

#define FIELD(name) .field = offsetof(SummaryFlags, name)

static const Setting options[] = {
    { "num-classes", "classes", 0, SETTING_whole, FIELD(classes), "N", "10", .least = 1, .most = 65535, .group = "Model", .help = "how many the last layer tells apart" },
    { "json", NULL, 0, SETTING_switch, FIELD(json), .group = "Results", .help = "print one JSON object" },
    { "graph", NULL, 0, SETTING_text, FIELD(graph), "FILE.svg", .group = "Results", .help = "also draw the modules and what they read" },
    { "time", NULL, 0, SETTING_switch, FIELD(time), .group = "Time", .help = "also measure each layer's share of a step" },
    { "mode", NULL, 0, SETTING_text, FIELD(mode), "train|infer", "train", .choices = "train infer", .group = "Time", .help = "with --time: a training step, or inference" },
    { "batch-size", "batch", 'b', SETTING_whole, FIELD(batch), "N", "128", .least = 1, .most = 65536, .group = "Time", .help = "with --time: images a step" },
    { "seconds", NULL, 0, SETTING_real, FIELD(seconds), "F", "2", .least = 0, .most = 1e6, .group = "Time", .help = "with --time: how long to measure" },
};

/* Those of train's options that say what the network is, and how it is computed; an architecture's name is the argument here. */
static bool is_wanted(const Setting *setting)
{
    static const char computed[] = "recipe img-size in-chans plan amp threads", left[] = "arch whiten";
    const size_t length = strlen(setting->name);
    return names_match(computed, setting->name, length) || (!strcmp(setting->group, "Model") && !names_match(left, setting->name, length));
}

static const OptionTable table = {
    .usage = "[OPTION...] ARCH|CHECKPOINT|RUN",
    .about = "Print a network's layers: output, options, parameters, multiply-adds and bytes of an image's outputs, and on request their share of time.",
    .examples = "resnet18                                  # for 3 x 32 x 32 images and 10 classes\n"
                "resnet18 --img-size 224 --num-classes 1000 --graph resnet18.svg\n"
                "runs/lenet-relu-1 --time --mode infer     # of a trained network\n",
    .shared = settings_at, .shared_count = settings_count, .wanted = is_wanted,
    .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1,
};

/* The network to look at, and who owns it. */
typedef struct Subject {
    PlanSubject of;
    Network    *network;
    Model       model;           /* of a checkpoint; else all zeros */
    char       *path;
} Subject;

static void subject_free(Subject *subject)
{
    if (subject->path)
        model_close(&subject->model);
    else
        network_free(subject->network);
    free(subject->path);
}

static bool open_architecture(const SummaryFlags *flags, const OptionLine *line, Subject *subject, Error *error)
{
    enum { CHANNELS = 3, SIDE = 32 };
    SettingTexts texts = { 0 };
    TrainerOptions o;
    options_shared(&table, line, texts.of);
    texts.of[settings_index("arch")] = line->arguments[0];
    if (!settings_resolve(&(SettingLayer){ .texts = texts.of }, 1, &o, error))
        return false;
    const int channels = o.data.channels ? o.data.channels : CHANNELS, side = o.data.side ? o.data.side : SIDE;
    subject->of.arch = o.arch;
    subject->of.options = trainer_network_options(&o, side);
    subject->of.options.classes = (int)flags->classes;
    subject->of.image = (Shape){ channels, side, side };
    subject->network = architecture_network(o.arch, subject->of.image, &subject->of.options, error);
    return subject->network != NULL;
}

/* What a checkpoint's network is stands in it. */
static bool open_checkpoint(OptionLine *line, Subject *subject, Error *error)
{
    for (int i = 0; i < options_count(&table); i++) {
        const Setting *option = options_at(&table, i);
        if (line->given[i] && (!strcmp(option->group, "Model") || names_match("recipe img-size in-chans", option->name, strlen(option->name))))
            return error_set(error, EXIT_usage, "a checkpoint has its own: --%s: leave it out, or name an architecture", option->name);
    }
    subject->path = model_file(line->arguments[0], error);
    if (!subject->path || !model_open(subject->path, &subject->model, error))
        return false;
    const ModelInfo *info = &subject->model.info;
    subject->network = subject->model.network;
    subject->of.arch = architecture_find(info->arch, error);
    subject->of.image = network_image(subject->network)->shape;
    subject->of.options = info->network;
    subject->of.options.classes = info->class_count;
    return subject->of.arch && activation_parse(info->act, &subject->of.options.act, error);
}

static bool open_subject(const SummaryFlags *flags, OptionLine *line, Subject *subject, Error *error)
{
    if (line->argument_count == 0)
        return error_set(error, EXIT_usage, "no network: command line: name an architecture or a checkpoint: %s", architecture_names());
    const char *name = line->arguments[0];
    Error unknown;
    if (architecture_find(name, &unknown))
        return open_architecture(flags, line, subject, error);
    if (access(name, F_OK) == 0 || strpbrk(name, "/."))
        return open_checkpoint(line, subject, error);
    *error = unknown;
    return false;
}

/* A step's seconds by layer; the caller frees them. NULL and a line. */
static double *measure(const SummaryFlags *flags, Subject *subject, size_t *arena, Error *error)
{
    Plan plan = flags->trainer.plan;
    const bool trains = !strcmp(flags->mode, "train");
    subject->of.purpose = trains ? PURPOSE_training : PURPOSE_inference;
    subject->of.batch = (int)flags->batch;
    if ((plan.precision != PRECISION_f32 && !plan_mix_precision(&plan, "--amp", error)) || !network_fits(subject->network, (int)flags->batch, error) ||
        (trains && !network_trains_with(subject->network, (int)flags->batch, error)))
        return NULL;
    compute_threads_settle(flags->trainer.data.threads);
    plan_settle(&plan, &subject->of, note_print, NULL);
    double *seconds = allocate((size_t)network_module_count(subject->network) + 1, sizeof *seconds, "times");
    TimedStep timed = timed_step_new(subject->network, &plan, subject->of.purpose, (int)flags->batch);
    timed_step_median(&timed, flags->seconds, true);
    timed_step_layers(&timed, seconds);
    *arena = program_arena_bytes(timed.program);
    timed_step_free(&timed);
    return seconds;
}

static const char *act_of(const Subject *subject, char text[ACTIVATION_TEXT])
{
    const Activation act = subject->of.options.act;
    return activation_text(activation_key(act) == ACT_native ? activation_of(subject->of.arch->act) : act, text, ACTIVATION_TEXT);
}

static void print_text(const SummaryFlags *flags, const Subject *subject, const double *seconds, size_t arena)
{
    char act[ACTIVATION_TEXT];
    const Shape image = subject->of.image;
    printf("%s %s, images of %d x %d x %d, %d classes\n", subject->of.arch->key, act_of(subject, act), image.c, image.h, image.w,
           subject->of.options.classes);
    layers_print(subject->network, seconds, stdout);
    if (seconds)
        printf("%s of %d images, which works in %.1f MiB beside the parameters; a layer without time runs inside the one before\n",
               strcmp(flags->mode, "train") ? "inference" : "a training step", (int)flags->batch, (double)arena / 0x1p20);
}

static void print_json(const SummaryFlags *flags, const Subject *subject, const double *seconds, size_t arena)
{
    char act[ACTIVATION_TEXT];
    const Shape image = subject->of.image;
    json_t *object = json_made(json_pack("{s:s, s:s, s:[i, i, i], s:i}", "arch", subject->of.arch->key, "act", act_of(subject, act), "image", image.c,
                                         image.h, image.w, "classes", subject->of.options.classes));
    if (subject->path)
        json_object_set_new(object, "checkpoint", json_text(subject->path));
    if (seconds) {
        json_object_set_new(object, "mode", json_made(json_string(flags->mode)));
        json_object_set_new(object, "batch_size", json_made(json_integer(flags->batch)));
        json_object_set_new(object, "arena_bytes", json_made(json_integer((json_int_t)arena)));
    }
    json_t *layers = layers_json(subject->network, seconds);
    json_object_update(object, layers);
    json_decref(layers);
    json_dumpf(object, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(object);
}

static bool draw(const SummaryFlags *flags, const Subject *subject, Error *error)
{
    char act[ACTIVATION_TEXT], title[ACTIVATION_TEXT + 256];
    const Shape image = subject->of.image;
    snprintf(title, sizeof title, "%s %s, %d x %d x %d: %.4g million parameters, %.4g million multiply-adds", subject->of.arch->key, act_of(subject, act),
             image.c, image.h, image.w, 1e-6 * (double)network_trained_count(subject->network), 1e-6 * network_macs(subject->network));
    return graph_save(subject->network, title, flags->graph, error);
}

static bool run(const SummaryFlags *flags, OptionLine *line, Error *error)
{
    Subject subject = { 0 };
    double *seconds = NULL;
    size_t arena = 0;
    bool ok = (!flags->graph || graph_check_path(flags->graph, error)) && open_subject(flags, line, &subject, error) &&
              (!flags->graph || draw(flags, &subject, error)) && (!flags->time || (seconds = measure(flags, &subject, &arena, error)) != NULL);
    if (ok) {
        (flags->json ? print_json : print_text)(flags, &subject, seconds, arena);
        ok = output_flush(error);
    }
    free(seconds);
    subject_free(&subject);
    return ok;
}

int main(int argc, char **argv)
{
    SummaryFlags flags = { 0 };
    OptionLine line;
    Error error = { 0 };
    compute_threads_bound_wait(argv);
    options_start(&table, argc, argv, &flags, &line);
    const bool done = run(&flags, &line, &error);
    options_free(&line);
    if (!done)
        error_exit(&error);
    return EXIT_ok;
}
