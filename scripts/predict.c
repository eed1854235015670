/* predict.c - what a checkpoint's network says about images. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common_options.h"
#include "compute_threads.h"
#include "convzoo.h"
#include "image_list.h"
#include "model.h"
#include "options.h"
#include "plan_text.h"
#include "text.h"
#include "tta_options.h"

enum { BATCH = 64 };

typedef struct PredictFlags {
    const char *output_type, *format, *plan, *tta;
    int64_t     topk, threads;
    double      tta_below;
} PredictFlags;

#define FIELD(name) .field = offsetof(PredictFlags, name)

static const Setting options[] = {
    { "topk", NULL, 'k', SETTING_whole, FIELD(topk), "N", NULL, "5; jsonl: all classes, in the model's order", .least = 1, .most = 65536, .group = "Output",
      .help = "print the N likeliest classes" },
    { "output-type", NULL, 0, SETTING_text, FIELD(output_type), "prob|logit", "prob", .choices = "prob logit", .group = "Output",
      .help = "probabilities, or the outputs before they become those" },
    { "results-format", NULL, 0, SETTING_text, FIELD(format), "NAME", "text", .choices = "text csv jsonl", .group = "Output", .help = "text, csv or jsonl" },
    TTA_OPTIONS(PredictFlags),
    { "threads", NULL, 0, SETTING_whole, FIELD(threads), "N", "0", "cores", .most = 1024, .group = "Run", .help = "how many to compute with" },
    { "plan", NULL, 0, SETTING_text, FIELD(plan), "NAME", "default", .group = "Run", .help = "how the computation is laid out: " PLAN_WORDS },
};

static const OptionTable table = {
    .usage = "[OPTION...] CHECKPOINT|RUN IMAGE|FOLDER...",
    .about = "Classify images. Network, size, classes and normalisation are the checkpoint's.",
    .examples = "runs/resnet18-relu-1 photo.jpg          # the run's best.safetensors\n"
                "best.safetensors photos/ --output-type logit --results-format jsonl\n",
    .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1 << 30,
    .tried = tried_on_a_checkpoint,
};

typedef struct Printer {
    const ModelInfo *info;
    bool   logits;             /* print logits, else probabilities */
    enum { FORMAT_text, FORMAT_csv, FORMAT_jsonl } format;
    int    top;                /* 0: all classes in the model's order */
    float *values;             /* a value a class */
    int   *order;              /* classes, as printed */
    bool   diverged;           /* an output was not finite */
} Printer;

/* Moves the `top` largest values' classes to the front; the earlier of two equal ones comes first. */
static void sort_top(const float *values, int *order, int classes, int top)
{
    for (int i = 0; i < classes; i++)
        order[i] = i;
    for (int i = 0; i < top; i++) {
        int best = i;
        for (int j = i + 1; j < classes; j++)
            if (values[order[j]] > values[order[best]] || (values[order[j]] == values[order[best]] && order[j] < order[best]))
                best = j;
        const int chosen = order[best];
        order[best] = order[i];
        order[i] = chosen;
    }
}

static void print_jsonl(const Printer *p, const char *path, int count)
{
    printf("{\"file\": ");
    print_json_string(path);
    printf(", \"%s\": [", p->logits ? "logits" : "probs");
    for (int i = 0; i < count; i++) {
        const double value = (double)p->values[p->order[i]];
        fputs(i ? ", " : "", stdout);
        if (isfinite(value))
            printf("%.9g", value);
        else
            printf("null");
    }
    printf("], \"classes\": [");
    for (int i = 0; i < count; i++) {
        fputs(i ? ", " : "", stdout);
        print_json_string(p->info->classes[p->order[i]]);
    }
    printf("]}\n");
}

static void print_image(Printer *p, const char *path, const float *logits)
{
    const int classes = p->info->class_count, count = p->top && p->top < classes ? p->top : classes;
    for (int i = 0; i < classes; i++)
        p->diverged = p->diverged || !isfinite(logits[i]);
    if (p->logits)
        memcpy(p->values, logits, (size_t)classes * sizeof *logits);
    else
        convzoo_softmax(logits, 1, classes, p->values);
    sort_top(p->values, p->order, classes, p->top ? count : 0);
    if (p->format == FORMAT_jsonl) {
        print_jsonl(p, path, count);
        return;
    }
    if (p->format == FORMAT_text) {
        print_printable(path);
        putchar(':');
    }
    for (int i = 0; i < count; i++) {
        const char *name = p->info->classes[p->order[i]];
        const double value = (double)p->values[p->order[i]];
        if (p->format == FORMAT_text)
            printf(p->logits ? "  %s %.4f" : "  %s %.2f%%", name, p->logits ? value : 100.0 * value);      /* printable, or refused */
        else {
            print_csv_text(path);
            printf(",%d,", i + 1);
            print_csv_text(name);
            printf(",%.9g\n", value);
        }
    }
    if (p->format == FORMAT_text)
        putchar('\n');
}

/* Loads up to `most` images from *next on into `data`; names: which files they are. Damaged ones are told and left out: false. */
static bool load_chunk(const ImageList *list, size_t *next, uint32_t most, const ImageOptions *how, Dataset *data, const char **names)
{
    const size_t bytes = (size_t)data->channels * (size_t)data->height * (size_t)data->width;
    bool whole = true;
    data->count = 0;
    for (; *next < list->count && data->count < most; ++*next) {
        Error error;
        const char *path = list->paths[*next];
        if (image_load(path, how, data->images + data->count * bytes, &error)) {
            names[data->count++] = path;
            continue;
        }
        error_print(&error);
        whole = false;
    }
    return whole;
}

/* Predicts every image of the list in chunks of a batch. False if one could not be read; each of those has been told. */
static bool predict(const Model *model, const Plan *plan, ViewOptions how_seen, const ImageList *list, Printer *printer)
{
    const ModelInfo *info = &model->info;
    const int batch = list->count < BATCH ? (int)list->count : BATCH;
    const ImageOptions how = model_image_options(info);
    const char *names[BATCH];
    bool whole = true;
    Dataset data = {
        .kind = "folder", .channels = info->channels, .height = info->side, .width = info->side, .classes = info->class_count,
        .class_names = info->classes,
        .images = allocate((size_t)batch * (size_t)info->channels, (size_t)info->side * (size_t)info->side, "images"),
        .labels = allocate((size_t)batch, sizeof *data.labels, "labels"),
    };
    Program *program = model_program(model, plan, batch, note_print, NULL);
    Views *views = views_new(model->network, program, how_seen);
    for (size_t next = 0; next < list->count;) {
        whole = load_chunk(list, &next, (uint32_t)batch, &how, &data, names) && whole;
        if (data.count == 0)
            continue;
        Loader *loader = model_loader(model, &data, batch);
        Batch images;
        loader_start(loader, 0, 0);
        while (loader_next(loader, &images)) {
            const float *logits = views_logits(views, images.images, images.count);
            for (int i = 0; i < images.count; i++)
                print_image(printer, names[i], logits + i * info->class_count);
        }
        loader_free(loader);
    }
    views_free(views);
    program_free(program);
    free(data.images);
    free(data.labels);
    return whole;
}

static bool list_images(const OptionLine *line, ImageList *list, Error *error)
{
    for (int i = 1; i < line->argument_count; i++)
        if (!image_list_add(list, line->arguments[i], error))
            return false;
    image_list_notes(list, note_print, NULL);
    return true;
}

static int run(const PredictFlags *flags, const OptionLine *line, Error *error)
{
    Plan plan;
    Model model = { 0 };
    ImageList list = { 0 };
    int code = EXIT_ok;
    char *path = NULL;
    if (!plan_parse(flags->plan, &plan, error) || !list_images(line, &list, error) ||
        !(path = model_file(line->arguments[0], error)) || !model_open(path, &model, error))
        code = (int)error->code;
    else {
        if (*model.note)
            note_print(NULL, model.note);
        compute_threads_settle(flags->threads);
        Printer printer = {
            .info = &model.info, .logits = !strcmp(flags->output_type, "logit"),
            .format = !strcmp(flags->format, "text") ? FORMAT_text : !strcmp(flags->format, "csv") ? FORMAT_csv : FORMAT_jsonl,
            .values = allocate((size_t)model.info.class_count, sizeof(float), "predictions"),
            .order = allocate((size_t)model.info.class_count, sizeof(int), "predictions"),
        };
        printer.top = flags->topk > 0 ? (int)flags->topk : printer.format == FORMAT_jsonl ? 0 : 5;
        if (printer.format == FORMAT_csv)
            printf("file,rank,class,%s\n", printer.logits ? "logit" : "prob");
        if (!predict(&model, &plan, tta_views(flags->tta, flags->tta_below), &list, &printer))
            code = EXIT_input;
        if (printer.diverged)
            code = (int)model_diverged(path, error);
        free(printer.values);
        free(printer.order);
    }
    free(path);
    model_close(&model);
    image_list_clear(&list);
    return output_flush(error) ? code : EXIT_write;
}

int main(int argc, char **argv)
{
    PredictFlags flags;
    OptionLine line;
    Error error = { 0 };
    compute_threads_bound_wait(argv);
    options_start(&table, argc, argv, &flags, &line);
    if (line.argument_count < 2) {
        error_set(&error, EXIT_usage, "%s: command line: usage is %s %s", line.argument_count ? "no image" : "no checkpoint",
                  program_name(), table.usage);
        error_exit(&error);
    }
    const int code = run(&flags, &line, &error);
    if (error.text[0])
        error_print(&error);
    options_free(&line);
    return code;
}
