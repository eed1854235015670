/* attention.c - see attention.h. */

#include "attention.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

enum { WATCH_layer, WATCH_image, WATCHES };

struct Attention {
    Program *program;
    int      batch, classes;
    Shape    layer, image;
    float   *features, *slopes;      /* batch x the layer's: values, and the logit's gradient by them */
    float   *image_slopes;           /* batch x the image's */
    float   *map;                    /* of one image: the larger of both sizes */
};

static bool same_shape(Shape a, Shape b)
{
    return a.c == b.c && a.h == b.h && a.w == b.w;
}

/* Where features end: what follows has no places any more, or others. */
static bool ends_features(const Module *module)
{
    static const char *const kinds[] = { "max_pool", "avg_pool", "global_avg_pool", "adaptive_avg_pool", "flatten", "linear" };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(module->ops->kind, kinds[i]))
            return true;
    return false;
}

static bool is_convolution(const Module *module)
{
    return !strcmp(module->ops->kind, "conv2d") || !strcmp(module->ops->kind, "pixel_linear");
}

static const Tensor *last_features(const Network *network, Error *error)
{
    const Tensor *features = NULL;
    bool open = false;
    for (int i = 0; i < network_module_count(network); i++) {
        const Module *module = network_module(network, i);
        if (is_convolution(module)) {
            features = module->out;
            open = true;
        }
        open = open && !ends_features(module);
        if (open && same_shape(module->out->shape, features->shape))
            features = module->out;
    }
    if (!features)
        error_set(error, EXIT_usage, "no convolution: --gradcam: the network has no features with places in the image: use --saliency");
    return features;
}

const Tensor *attention_layer(const Network *network, const char *name, Error *error)
{
    NameSearch search = { .wrong = name };
    if (!name)
        return last_features(network, error);
    for (int i = 0; i < network_module_count(network); i++) {
        const Module *module = network_module(network, i);
        if (!strcmp(module->name, name))
            return module->out;
        names_consider(&search, module->name, NULL);
    }
    names_unknown(&search, "unknown layer", "--layer", "train --summary", error);
    return NULL;
}

Attention *attention_new(Network *network, const Plan *plan, const Tensor *layer, int batch)
{
    const Tensor *watched[WATCHES] = { [WATCH_layer] = layer, [WATCH_image] = network_image(network) };
    const Purpose purpose = { .statistics = STATISTICS_running, .gradients = GRADIENTS_tensors, .watched = watched, .watched_count = WATCHES };
    Attention *a = allocate(1, sizeof *a, "attention");
    a->program = program_compile(network, plan, purpose, batch);
    a->batch = batch;
    a->classes = (int)shape_size(network_logits(network)->shape);
    a->layer = layer->shape;
    a->image = network_image(network)->shape;
    const size_t rows = (size_t)batch, layer_pixels = (size_t)a->layer.h * (size_t)a->layer.w, image_pixels = (size_t)a->image.h * (size_t)a->image.w;
    a->features = allocate(rows * shape_size(a->layer), sizeof *a->features, "attention");
    a->slopes = allocate(rows * shape_size(a->layer), sizeof *a->slopes, "attention");
    a->image_slopes = allocate(rows * shape_size(a->image), sizeof *a->image_slopes, "attention");
    a->map = allocate(layer_pixels > image_pixels ? layer_pixels : image_pixels, sizeof *a->map, "attention");
    return a;
}

void attention_free(Attention *a)
{
    if (!a)
        return;
    program_free(a->program);
    free(a->features);
    free(a->slopes);
    free(a->image_slopes);
    free(a->map);
    free(a);
}

void attention_run(Attention *a, const float *images, const int *classes, int count)
{
    CHECK(count > 0 && count <= a->batch, "%d images, batch %d", count, a->batch);
    program_set_image(a->program, images);
    program_forward(a->program);
    program_watched_values(a->program, WATCH_layer, a->features);
    float *slope = program_logits_gradient(a->program);
    memset(slope, 0, (size_t)a->batch * (size_t)a->classes * sizeof *slope);
    for (int i = 0; i < count; i++) {
        CHECK(classes[i] >= 0 && classes[i] < a->classes, "class %d of %d", classes[i], a->classes);
        slope[(size_t)i * (size_t)a->classes + (size_t)classes[i]] = 1;
    }
    program_backward(a->program);
    program_watched_gradient(a->program, WATCH_layer, a->slopes);
    program_watched_gradient(a->program, WATCH_image, a->image_slopes);
}

const float *attention_features(const Attention *a, int i)
{
    CHECK(i >= 0 && i < a->batch, "image %d, batch %d", i, a->batch);
    return a->features + (size_t)i * shape_size(a->layer);
}

const float *attention_gradcam(Attention *a, int i)
{
    const size_t pixels = (size_t)a->layer.h * (size_t)a->layer.w;
    const float *features = attention_features(a, i), *slopes = a->slopes + (size_t)i * shape_size(a->layer);
    memset(a->map, 0, pixels * sizeof *a->map);
    for (int c = 0; c < a->layer.c; c++, features += pixels, slopes += pixels) {
        double weight = 0;
        for (size_t p = 0; p < pixels; p++)
            weight += (double)slopes[p];
        weight /= (double)pixels;
        for (size_t p = 0; p < pixels; p++)
            a->map[p] += (float)weight * features[p];
    }
    for (size_t p = 0; p < pixels; p++)
        a->map[p] = a->map[p] > 0 ? a->map[p] : 0;
    return a->map;
}

const float *attention_saliency(Attention *a, int i)
{
    const size_t pixels = (size_t)a->image.h * (size_t)a->image.w;
    CHECK(i >= 0 && i < a->batch, "image %d, batch %d", i, a->batch);
    const float *slopes = a->image_slopes + (size_t)i * shape_size(a->image);
    memset(a->map, 0, pixels * sizeof *a->map);
    for (int c = 0; c < a->image.c; c++, slopes += pixels)
        for (size_t p = 0; p < pixels; p++)
            a->map[p] = fmaxf(a->map[p], fabsf(slopes[p]));
    return a->map;
}

/* The two places that output `at` lies between, and how far from the first. */
static double between(int at, int from, int to, int *first, int *second)
{
    const double place = fmax((at + 0.5) * from / to - 0.5, 0);
    *first = (int)place;
    *second = *first + 1 < from ? *first + 1 : *first;
    return place - *first;
}

void attention_enlarge(const float *map, int h, int w, float *out, int out_h, int out_w)
{
    for (int y = 0; y < out_h; y++)
        for (int x = 0; x < out_w; x++) {
            int top, bottom, left, right;
            const double down = between(y, h, out_h, &top, &bottom), across = between(x, w, out_w, &left, &right);
            const double above = (1 - across) * (double)map[top * w + left] + across * (double)map[top * w + right],
                         below = (1 - across) * (double)map[bottom * w + left] + across * (double)map[bottom * w + right];
            *out++ = (float)((1 - down) * above + down * below);
        }
}
