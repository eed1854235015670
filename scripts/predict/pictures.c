/* pictures.c - see pictures.h. A file an image and kind: FOLDER/0001-photo-gradcam.png, numbered in the order in which they are read. */

#include "pictures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "disk.h"
#include "folder.h"
#include "metrics.h"
#include "names.h"
#include "sheet.h"
#include "text.h"

enum { BATCH = 8, SIDE = 224, MAP_SIDE = 64, MAPS_MOST = 64, NAME_MOST = 200 };

struct Pictures {
    PictureOptions options;
    const Model   *model;
    const Tensor  *layer;
    Attention     *attention;
    int            about;            /* the class; -1: the likeliest */
    float         *images;           /* BATCH x c h w */
    uint8_t       *shown, *over;     /* the image, and what is laid over it: h x w x 3 */
    float         *map;              /* h x w */
    size_t         drawn;
};

static bool find_class(const char *name, const ModelInfo *info, int *found, Error *error)
{
    NameSearch search = { .wrong = name };
    for (*found = 0; *found < info->class_count; ++*found) {
        if (!strcmp(info->classes[*found], name))
            return true;
        names_consider(&search, info->classes[*found], NULL);
    }
    return names_unknown(&search, "unknown class", "--about", "predict --results-format jsonl", error);
}

bool pictures_check(const PictureOptions *options, Error *error)
{
    if (options->layer && !options->gradcam && !options->features)
        return error_set(error, EXIT_usage, "--layer changes nothing: no picture looks at a layer: leave it out, or add --gradcam or --features FOLDER");
    return !options->about || options->gradcam || options->saliency ||
           error_set(error, EXIT_usage, "--about changes nothing: no picture asks about a class: leave it out, or add --gradcam or --saliency FOLDER");
}

bool pictures_new(const PictureOptions *options, const Model *model, const Plan *plan, Pictures **pictures, Error *error)
{
    const char *const folders[] = { options->gradcam, options->saliency, options->features };
    const size_t pixels = (size_t)model->info.side * (size_t)model->info.side;
    bool asked = false;
    *pictures = NULL;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        asked = asked || folders[i];
        if (folders[i] && !folder_create(folders[i], error))
            return false;
    }
    if (!asked)
        return true;
    /* A network without places has its saliency all the same. */
    const bool layered = options->gradcam || options->features;
    const Tensor *layer = layered ? attention_layer(model->network, options->layer, error) : network_image(model->network);
    int about = -1;
    if (!layer || (options->about && !find_class(options->about, &model->info, &about, error)))
        return false;
    Pictures *p = *pictures = allocate(1, sizeof *p, "pictures");
    *p = (Pictures){
        .options = *options, .model = model, .layer = layer, .about = about, .attention = attention_new(model->network, plan, layer, BATCH),
        .images = allocate(BATCH * pixels * (size_t)model->info.channels, sizeof *p->images, "pictures"),
        .shown = allocate(pixels, 3, "pictures"), .over = allocate(pixels, 3, "pictures"), .map = allocate(pixels, sizeof *p->map, "pictures"),
    };
    return true;
}

void pictures_free(Pictures *p)
{
    if (!p)
        return;
    attention_free(p->attention);
    free(p->images);
    free(p->shown);
    free(p->over);
    free(p->map);
    free(p);
}

/* The image as the network sees it, in colours again. */
static void show_image(Pictures *p, const float *image)
{
    const ModelInfo *info = &p->model->info;
    const size_t pixels = (size_t)info->side * (size_t)info->side;
    for (size_t i = 0; i < pixels; i++)
        for (size_t c = 0; c < 3; c++) {
            const size_t from = c < (size_t)info->channels ? c : 0;
            const float level = 255 * (image[from * pixels + i] * info->std[from] + info->mean[from]) + 0.5f;
            p->shown[3 * i + c] = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
        }
}

/* The map's colours over a grey picture; `share` of them. */
static void lay_over(Pictures *p, float most, double share)
{
    const size_t pixels = (size_t)p->model->info.side * (size_t)p->model->info.side;
    for (size_t i = 0; i < pixels; i++) {
        uint8_t colour[3];
        const uint8_t *rgb = p->shown + 3 * i;
        const double grey = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
        chart_heat_colour(most > 0 ? (double)(p->map[i] / most) : 0, colour);
        for (int c = 0; c < 3; c++)
            p->over[3 * i + (size_t)c] = (uint8_t)lround(share * colour[c] + (1 - share) * grey);
    }
}

static float largest(const float *values, size_t count)
{
    float most = values[0];
    for (size_t i = 1; i < count; i++)
        most = values[i] > most ? values[i] : most;
    return most;
}

/* Of a name's first bytes, whole letters that leave the file's name short enough for a file system. */
static int shortened(const char *name, int length)
{
    if (length <= NAME_MOST)
        return length;
    for (length = NAME_MOST; length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80;)
        length--;
    return length;
}

/* Without the folders, which would leave no room for it under a picture. */
static const char *base_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return disk_is_standard_input(name) ? "standard-input" : slash && slash[1] ? slash + 1 : name;
}

/* Of what moves a cursor or ends a line nothing stays in a new file's name. */
static char *plain_of(const char *base)
{
    char shown[1024];
    text_printable(base, shown, sizeof shown);
    for (char *c = shown; (c = strchr(c, '\\')) != NULL;)
        *c = '_';
    return text_copy(shown);
}

/* folder/0001-photo-kind.png; the caller frees it. */
static char *file_of(const Pictures *p, const char *folder, const char *name, const char *kind)
{
    char *base = plain_of(base_of(name));
    const char *dot = strrchr(base, '.');
    char *file = text_format("%04zu-%.*s-%s.png", p->drawn, shortened(base, dot && dot > base ? (int)(dot - base) : (int)strlen(base)), base, kind);
    char *path = path_join(folder, file);
    free(file);
    free(base);
    return path;
}

/* The image, and beside it what is laid over it. */
static bool save_pair(const Pictures *p, const char *folder, const char *name, const char *kind, const char *answer, const char *what, Error *error)
{
    const int side = p->model->info.side;
    char *path = file_of(p, folder, name, kind);
    Sheet *sheet = sheet_new(2, (SheetOptions){ .columns = 2, .side = side > SIDE ? side : SIDE, .lines = 2 });
    sheet_picture(sheet, 0, p->shown, side, side);
    sheet_picture(sheet, 1, p->over, side, side);
    sheet_line(sheet, 0, 0, base_of(name));
    sheet_line(sheet, 1, 0, answer);
    sheet_line(sheet, 1, 1, what);
    const bool saved = sheet_save(sheet, path, error);
    sheet_free(sheet);
    free(path);
    return saved;
}

/* Each channel from its smallest value to its largest. */
static bool save_features(const Pictures *p, int image, const char *name, Error *error)
{
    const Shape shape = p->layer->shape;
    const int count = shape.c < MAPS_MOST ? shape.c : MAPS_MOST;
    const size_t pixels = (size_t)shape.h * (size_t)shape.w;
    const char *layer = p->layer->producer ? p->layer->producer->name : "image";
    char *title = text_format(count < shape.c ? "%s: the first %d of %d channels" : "%s: %d channels", layer, count, shape.c);
    Sheet *sheet = sheet_new(count, (SheetOptions){ .side = MAP_SIDE, .lines = 1, .title = title });
    for (int c = 0; c < count; c++) {
        const float *values = attention_features(p->attention, image) + (size_t)c * pixels;
        float least = values[0];
        char text[16];
        for (size_t i = 1; i < pixels; i++)
            least = values[i] < least ? values[i] : least;
        sheet_numbers(sheet, c, values, shape.h, shape.w, least, largest(values, pixels));
        snprintf(text, sizeof text, "%d", c);
        sheet_line(sheet, c, 0, text);
    }
    char *path = file_of(p, p->options.features, name, "features");
    const bool saved = sheet_save(sheet, path, error);
    sheet_free(sheet);
    free(path);
    free(title);
    return saved;
}

static bool draw_image(Pictures *p, int i, const float *image, const char *name, const char *answer, Error *error)
{
    const int side = p->model->info.side;
    const size_t pixels = (size_t)side * (size_t)side;
    bool ok = true;
    p->drawn++;
    show_image(p, image);
    if (p->options.gradcam) {
        char *what = text_format("Grad-CAM, %s", p->layer->producer ? p->layer->producer->name : "image");
        attention_enlarge(attention_gradcam(p->attention, i), p->layer->shape.h, p->layer->shape.w, p->map, side, side);
        lay_over(p, largest(p->map, pixels), 0.55);
        ok = save_pair(p, p->options.gradcam, name, "gradcam", answer, what, error);
        free(what);
    }
    if (ok && p->options.saliency) {
        memcpy(p->map, attention_saliency(p->attention, i), pixels * sizeof *p->map);
        lay_over(p, largest(p->map, pixels), 1);
        ok = save_pair(p, p->options.saliency, name, "saliency", answer, "saliency", error);
    }
    return ok && (!p->options.features || save_features(p, i, name, error));
}

bool pictures_draw(Pictures *p, const float *images, const float *logits, const char *const *names, int count, Error *error)
{
    const ModelInfo *info = p ? &p->model->info : NULL;
    bool ok = true;
    for (int first = 0; p && ok && first < count; first += BATCH) {
        const size_t size = (size_t)info->channels * (size_t)info->side * (size_t)info->side;
        const int rows = count - first < BATCH ? count - first : BATCH;
        const Outputs outputs = { (uint32_t)rows, info->class_count, logits + (size_t)first * (size_t)info->class_count, NULL };
        int asked[BATCH];
        memcpy(p->images, images + (size_t)first * size, (size_t)rows * size * sizeof *images);
        for (int i = 0; i < rows; i++)
            asked[i] = p->about >= 0 ? p->about : outputs_called(&outputs, (uint32_t)i);
        attention_run(p->attention, p->images, asked, rows);
        for (int i = 0; ok && i < rows; i++) {
            char *answer = text_format("%s %.2f%%", info->classes[asked[i]],
                                       100 * outputs_probability(&outputs, (uint32_t)i, asked[i], info->temperature));
            ok = draw_image(p, i, p->images + (size_t)i * size, names[first + i], answer, error);
            free(answer);
        }
    }
    return ok;
}
