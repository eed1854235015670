/* report_results.c - what a run's network says of images, for its report: figures, confusion, calibration, and the images themselves. */

#include "report_parts.h"

#include "calibration.h"
#include "loss.h"

#include <stdlib.h>
#include <string.h>

enum { MISTAKES = 24 };

/* ---- figures ---- */

static json_t *calibration_of(const Outputs *outputs, double temperature)
{
    const Calibration c = calibration_measure(outputs, temperature);
    json_t *bins = json_made(json_array());
    for (int b = 0; b < CALIBRATION_BINS; b++)
        json_append(bins, json_pack("[I, o, o]", (json_int_t)c.bins[b].images, json_finite(c.bins[b].confidence), json_finite(c.bins[b].accuracy)));
    return json_made(json_pack("{s:o, s:o, s:o, s:o}", "error", json_finite(c.error), "worst", json_finite(c.worst), "loss", json_finite(c.loss),
                               "bins", bins));
}

static json_t *classes_of(const Metrics *metrics)
{
    json_t *list = json_made(json_array());
    for (int k = 0; k < metrics->classes; k++) {
        const ClassMetrics *each = &metrics->each[k];
        json_append(list, json_pack("[I, I, o, o, o]", (json_int_t)each->images, (json_int_t)each->called, json_finite(each->precision),
                                    json_finite(each->recall), json_finite(each->f1)));
    }
    return list;
}

/* How many images have their true class among the five largest logits, and the mean loss. */
static json_t *figures_of(const Outputs *outputs, const Metrics *metrics)
{
    uint32_t top5 = 0;
    double loss = 0;
    for (uint32_t i = 0; i < outputs->count; i++) {
        const float *logits = outputs->logits + (size_t)i * (size_t)outputs->classes;
        top5 += loss_rank(logits, outputs->labels[i], outputs->classes) < 5;
        loss += outputs_loss(outputs, i, outputs->labels[i], 0);
    }
    const Interval interval = metrics_interval(metrics->hits, metrics->count);
    const double count = metrics->count;
    return json_made(json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "count", (json_int_t)metrics->count, "loss", json_finite(loss / count),
                               "top1", json_finite(metrics->hits / count), "top5", json_finite(top5 / count), "top1_from", json_finite(interval.from),
                               "top1_to", json_finite(interval.to), "precision", json_finite(metrics->precision),
                               "recall", json_finite(metrics->recall), "f1", json_finite(metrics->f1)));
}

/* ---- images ---- */

/* What is shown of the images, and what for. */
typedef struct Album {
    ReportRun     *run;
    const Model   *model;
    const Dataset *data;
    const Outputs *outputs;
    json_t        *pictures;      /* their URIs */
    int           *places;        /* an image's among them; -1: not there */
} Album;

/* The image's place among the pictures; -1 where there is no room for one more. */
static int album_place(Album *a, uint32_t image)
{
    json_t *picture = a->places[image] < 0 ? report_picture(a->run, a->data, image) : NULL;
    if (!picture)
        return a->places[image];
    a->places[image] = (int)json_array_size(a->pictures);
    json_append(a->pictures, picture);
    return a->places[image];
}

/* NULL where there is no room for its picture. */
static json_t *album_image(Album *a, uint32_t image)
{
    const double temperature = a->model->info.temperature;
    const int label = a->outputs->labels[image], called = outputs_called(a->outputs, image), place = album_place(a, image);
    if (place < 0)
        return NULL;
    return json_made(json_pack("{s:i, s:o, s:i, s:i, s:o, s:o}", "picture", place, "name", json_text(report_image_name(a->data, image)), "label", label,
                               "called", called, "sure", json_finite(outputs_probability(a->outputs, image, called, temperature)),
                               "true", json_finite(outputs_probability(a->outputs, image, label, temperature))));
}

static json_t *album_mistakes(Album *a)
{
    uint32_t images[MISTAKES];
    const uint32_t count = metrics_mistakes(a->outputs, a->model->info.temperature, images, MISTAKES);
    json_t *list = json_made(json_array());
    for (uint32_t i = 0; i < count; i++) {
        json_t *image = album_image(a, images[i]);
        if (image)
            json_append(list, image);
    }
    return list;
}

/* ---- cells of the confusion matrix ---- */

typedef struct Ranked {
    uint32_t image, cell;
    double   rank;                /* the smallest first */
} Ranked;

typedef struct Cell {
    uint32_t cell, first, count;
    bool     right;
} Cell;

static int by_cell(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    if (x->cell != y->cell)
        return x->cell < y->cell ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->image < y->image ? -1 : 1;
}

/* Mistakes before hits, then cells with many images: they get pictures first. */
static int by_weight(const void *a, const void *b)
{
    const Cell *x = a, *y = b;
    if (x->right != y->right)
        return x->right ? 1 : -1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->cell < y->cell ? -1 : 1;
}

/* Images by cell: mistakes with the surest first, hits with the least sure. */
static Ranked *rank_images(const Outputs *outputs, double temperature)
{
    Ranked *ranked = allocate((size_t)outputs->count + 1, sizeof *ranked, "images by cell");
    for (uint32_t i = 0; i < outputs->count; i++) {
        const int label = outputs->labels[i], called = outputs_called(outputs, i);
        const double sure = outputs_probability(outputs, i, called, temperature);
        ranked[i] = (Ranked){ i, (uint32_t)(label * outputs->classes + called), called == label ? sure : -sure };
    }
    qsort(ranked, outputs->count, sizeof *ranked, by_cell);
    return ranked;
}

static uint32_t find_cells(const Ranked *ranked, const Outputs *outputs, Cell *cells)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < outputs->count; i++) {
        if (i == 0 || ranked[i].cell != ranked[i - 1].cell)
            cells[count++] = (Cell){ ranked[i].cell, i, 0, ranked[i].cell % (uint32_t)(outputs->classes + 1) == 0 };
        cells[count - 1].count++;
    }
    qsort(cells, count, sizeof *cells, by_weight);
    return count;
}

/* In turns, so that every cell has its first picture before one has its second. */
static json_t *album_cells(Album *a, int most)
{
    Ranked *ranked = rank_images(a->outputs, a->model->info.temperature);
    Cell *cells = allocate((size_t)a->outputs->count + 1, sizeof *cells, "cells");
    const uint32_t count = find_cells(ranked, a->outputs, cells), classes = (uint32_t)a->outputs->classes;
    json_t *list = json_made(json_array());
    for (uint32_t i = 0; i < count; i++)
        json_append(list, json_pack("[i, i, I, []]", (int)(cells[i].cell / classes), (int)(cells[i].cell % classes), (json_int_t)cells[i].count));
    for (uint32_t turn = 0; turn < (uint32_t)most; turn++)
        for (uint32_t i = 0; i < count; i++) {
            json_t *image = turn < cells[i].count ? album_image(a, ranked[cells[i].first + turn].image) : NULL;
            if (image)
                json_append(json_array_get(json_array_get(list, i), 3), image);
        }
    free(cells);
    free(ranked);
    return list;
}

void report_results(ReportRun *run, const Model *model, const Dataset *data, const Outputs *outputs, int pictures)
{
    char text[1024];
    Album album = { run, model, data, outputs, json_made(json_array()), allocate((size_t)outputs->count + 1, sizeof(int), "pictures") };
    Metrics *metrics = metrics_new(outputs);
    json_t *results = figures_of(outputs, metrics);
    for (uint32_t i = 0; i < outputs->count; i++)
        album.places[i] = -1;
    dataset_describe(data, text, sizeof text);
    report_set(results, "data", json_text(text));
    report_set(results, "split", json_string(split_name(data->split)));
    report_set(results, "each", classes_of(metrics));
    report_set(results, "calibration", calibration_of(outputs, 0));
    if (model->info.temperature > 0)
        report_set(results, "calibrated", calibration_of(outputs, model->info.temperature));
    report_set(results, "mistakes", album_mistakes(&album));
    report_set(results, "cells", album_cells(&album, pictures));
    report_set(results, "pictures", album.pictures);
    report_set(run->data, "results", results);
    metrics_free(metrics);
    free(album.places);
}
