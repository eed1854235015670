/* predict.c - what a checkpoint's network says about images. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common_options.h"
#include "compute_threads.h"
#include "image_list.h"
#include "model.h"
#include "options.h"
#include "pictures.h"
#include "plan_text.h"
#include "printer.h"
#include "text.h"
#include "tta_options.h"

enum { BATCH = 64 };

typedef struct PredictFlags {
    const char *output_type, *format, *plan, *tta, *list;
    int64_t     topk, threads;
    double      tta_below, temperature, reject;
    PictureOptions pictures;
} PredictFlags;

#define FIELD(name) .field = offsetof(PredictFlags, name)

static const Setting options[] = {
    { "topk", NULL, 'k', SETTING_whole, FIELD(topk), "N", NULL, "5; jsonl: all classes, in the model's order", .least = 1, .most = 65536, .group = "Output",
      .help = "print the N likeliest classes" },
    { "output-type", NULL, 0, SETTING_text, FIELD(output_type), "prob|logit", "prob", .choices = "prob logit", .group = "Output",
      .help = "probabilities, or the outputs before they become those" },
    { "results-format", NULL, 0, SETTING_text, FIELD(format), "NAME", "text", .choices = "text csv jsonl", .group = "Output", .help = "text, csv or jsonl" },
    { "list", "files-from", 0, SETTING_text, FIELD(list), "FILE|-", .group = "Images", .help = "a text with a file or folder a line; - is standard input" },
    { "reject", "threshold", 0, SETTING_real, FIELD(reject), "P", .shown = "the checkpoint's, if it has one", .least = 0, .most = 1, .group = "Certainty",
      .help = "an image whose likeliest class has less than P is unknown; 0: none is" },
    { "temperature", NULL, 0, SETTING_real, FIELD(temperature), "T", .shown = "the checkpoint's, or 1", .least = 0.01, .most = 1000, .group = "Certainty",
      .help = "divide outputs by T before they become probabilities", .rare = true },
    { "gradcam", "grad-cam cam", 0, SETTING_text, FIELD(pictures.gradcam), "FOLDER", .group = "Pictures",
      .help = "draw which places of each image speak for its class (Grad-CAM)" },
    { "saliency", NULL, 0, SETTING_text, FIELD(pictures.saliency), "FOLDER", .group = "Pictures", .help = "draw which pixels the class depends on most" },
    { "features", "feature-maps", 0, SETTING_text, FIELD(pictures.features), "FOLDER", .group = "Pictures", .help = "draw what a layer makes of each image" },
    { "layer", NULL, 0, SETTING_text, FIELD(pictures.layer), "NAME", .shown = "the last convolution's features", .group = "Pictures",
      .help = "whose output --gradcam and --features look at; train --summary lists them", .rare = true },
    { "about", "target-class", 0, SETTING_text, FIELD(pictures.about), "CLASS", .shown = "the likeliest", .group = "Pictures",
      .help = "the class that --gradcam and --saliency ask about", .rare = true },
    TTA_OPTIONS(PredictFlags),
    { "threads", NULL, 0, SETTING_whole, FIELD(threads), "N", "0", "cores", .most = 1024, .group = "Run", .help = "how many to compute with" },
    { "plan", NULL, 0, SETTING_text, FIELD(plan), "NAME", "default", .group = "Run", .help = "how the computation is laid out: " PLAN_WORDS, .rare = true },
};

static const OptionTable table = {
    .usage = "[OPTION...] CHECKPOINT|RUN IMAGE|FOLDER...",
    .about = "Classify images. Network, size, classes and normalisation are the checkpoint's.",
    .examples = "runs/resnet18-relu-1 photo.jpg          # the run's best.safetensors\n"
                "best.safetensors photos/ --output-type logit --results-format jsonl\n"
                "best.safetensors 'photos/*.jpg' --tta flip --reject 0.8\n"
                "best.safetensors --list - <names.txt\n"
                "best.safetensors photo.jpg --gradcam looks/ --saliency looks/\n",
    .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1 << 30,
    .tried = tried_on_a_checkpoint,
};

/* Loads up to `most` images from *next on into `data`; names: which files they are. Damaged ones are told and left out: false. */
static bool load_chunk(const ImageList *list, int *next, uint32_t most, const ImageOptions *how, Dataset *data, const char **names)
{
    const size_t bytes = (size_t)data->channels * (size_t)data->height * (size_t)data->width;
    bool whole = true;
    data->count = 0;
    for (; *next < list->paths.count && data->count < most; ++*next) {
        Error error;
        const char *path = list->paths.items[*next];
        if (image_load(path, how, data->images + data->count * bytes, &error)) {
            names[data->count++] = path;
            continue;
        }
        error_print(&error);
        whole = false;
    }
    return whole;
}

/* Large images go in smaller batches: no batch takes more memory than a full one of 224 x 224. */
static int images_at_once(int side)
{
    const int fit = (int)((int64_t)BATCH * 224 * 224 / ((int64_t)side * side));
    return fit < 1 ? 1 : fit < BATCH ? fit : BATCH;
}

/* Predicts every image of the list in chunks of a batch. *whole: all could be read; each that could not has been told. False and a line if
 * a picture cannot be drawn. */
static bool predict(const Model *model, const Plan *plan, ViewOptions how_seen, const ImageList *list, Printer *printer, Pictures *pictures,
                    bool *whole, Error *error)
{
    const ModelInfo *info = &model->info;
    const int most = images_at_once(info->side), batch = list->paths.count < most ? list->paths.count : most;
    const ImageOptions how = model_image_options(info);
    const char *names[BATCH];
    bool drawn = true;
    Dataset data = {
        .kind = "folder", .channels = info->channels, .height = info->side, .width = info->side, .classes = info->class_count,
        .class_names = info->classes,
        .images = allocate((size_t)batch * (size_t)info->channels, (size_t)info->side * (size_t)info->side, "images"),
        .labels = allocate((size_t)batch, sizeof *data.labels, "labels"),
    };
    Program *program = model_program(model, plan, batch, note_print, NULL);
    Views *views = views_new(model->network, program, how_seen);
    for (int next = 0; drawn && next < list->paths.count;) {
        *whole = load_chunk(list, &next, (uint32_t)batch, &how, &data, names) && *whole;
        if (data.count == 0)
            continue;
        Loader *loader = model_loader(model, &data, batch);
        Batch images;
        loader_start(loader, 0, 0);
        while (loader_next(loader, &images)) {
            const float *logits = views_logits(views, images.images, images.count);
            for (int i = 0; i < images.count; i++)
                printer_image(printer, names[i], logits + i * info->class_count);
            drawn = pictures_draw(pictures, images.images, logits, names, images.count, error);
        }
        loader_free(loader);
    }
    views_free(views);
    program_free(program);
    free(data.images);
    free(data.labels);
    return drawn;
}

static bool list_images(const PredictFlags *flags, const OptionLine *line, ImageList *list, Error *error)
{
    const char *reads_standard_input = flags->list && !strcmp(flags->list, "-") ? "--list -" : NULL;
    for (int i = 1; i < line->argument_count; i++) {
        const bool standard_input = !strcmp(line->arguments[i], "-");
        if (reads_standard_input && standard_input)
            return error_set(error, EXIT_usage, "two things from standard input: %s, -: put one of them into a file", reads_standard_input);
        reads_standard_input = standard_input ? "-" : reads_standard_input;
        if (!image_list_add(list, line->arguments[i], error))
            return false;
    }
    if (flags->list && !image_list_read(list, flags->list, error))
        return false;
    image_list_notes(list, note_print, NULL);
    return true;
}

static Printer printer_of(const PredictFlags *flags, const ModelInfo *info)
{
    Printer printer = printer_new(info);
    printer.logits = !strcmp(flags->output_type, "logit");
    printer.format = !strcmp(flags->format, "text") ? FORMAT_text : !strcmp(flags->format, "csv") ? FORMAT_csv : FORMAT_jsonl;
    printer.top = flags->topk > 0 ? (int)flags->topk : printer.format == FORMAT_jsonl ? 0 : 5;
    if (!isnan(flags->reject))
        printer.reject = flags->reject;
    return printer;
}

/* A threshold that was found at another temperature says nothing at this one. */
static void set_temperature(const PredictFlags *flags, ModelInfo *info)
{
    if (!isnan(flags->temperature) && !strcmp(flags->output_type, "logit") && !(flags->reject > 0) && !(flags->tta_below > 0))
        note_print(NULL, "note: --temperature changes nothing here: --output-type logit prints outputs as they are");
    if (isnan(flags->temperature) || flags->temperature == (info->temperature > 0 ? info->temperature : 1))
        return;
    if (info->reject_below > 0 && isnan(flags->reject))
        note_print(NULL, "the checkpoint's threshold for unknown is for its own temperature, and is left out: give --reject to have one");
    info->temperature = flags->temperature;
    info->reject_below = 0;
}

static int run(const PredictFlags *flags, const OptionLine *line, Error *error)
{
    Plan plan;
    Model model = { 0 };
    ImageList list = { 0 };
    int code = EXIT_ok;
    char *path = NULL;
    if (!plan_parse(flags->plan, &plan, error) || !tta_check(flags->tta, flags->tta_below, error) || !pictures_check(&flags->pictures, error) ||
        !list_images(flags, line, &list, error) ||
        !(path = model_file(line->arguments[0], error)) || !model_open(path, &model, error))
        code = (int)error->code;
    else {
        bool whole = true;
        Pictures *pictures = NULL;
        if (*model.note)
            note_print(NULL, model.note);
        compute_threads_settle(flags->threads);
        set_temperature(flags, &model.info);
        Printer printer = printer_of(flags, &model.info);
        if (!pictures_new(&flags->pictures, &model, &plan, &pictures, error))
            code = (int)error->code;
        else {
            printer_begin(&printer);
            if (!predict(&model, &plan, tta_views(flags->tta, flags->tta_below, model.info.temperature), &list, &printer, pictures, &whole, error))
                code = (int)error->code;
            else if (printer.diverged)
                code = (int)model_diverged(path, error);
            else if (!whole)
                code = EXIT_input;
        }
        pictures_free(pictures);
        printer_free(&printer);
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
    if (line.argument_count < (flags.list ? 1 : 2)) {
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
