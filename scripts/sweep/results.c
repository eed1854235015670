/* results.c - what came of a sweep: tables of choices, runs and comparisons, and the curves over one another; see sweep.h. */

#include "results.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "common_options.h"
#include "files.h"
#include "json_made.h"
#include "log_lines.h"
#include "run_folder.h"
#include "significance.h"
#include "table.h"
#include "text.h"

enum { COMPARED = 256 };      /* choices of which every two are compared */

/* ---- reading ---- */

static double number_or_nan(const json_t *object, const char *key, double factor)
{
    const json_t *number = json_object_get(object, key);
    return json_is_number(number) ? factor * json_number_value(number) : NAN;
}

static void add_epoch(Curve *curve, const json_t *object)
{
    curve->top1[curve->epochs] = number_or_nan(object, "val_top1", 100);
    curve->loss[curve->epochs] = number_or_nan(object, "val_loss", 1);
    if (!(curve->best >= curve->top1[curve->epochs]))
        curve->best = curve->top1[curve->epochs];
    curve->seconds += fmax(number_or_nan(object, "seconds", 1), 0) + fmax(number_or_nan(object, "val_seconds", 1), 0);
    curve->epochs++;
}

static bool read_curve(const SweepRun *run, Curve *curve, Error *error)
{
    size_t size, length, lines = 1;
    char *path = run_folder_file(run->folder, RUN_log), *text = log_read(path, &size, error);
    free(path);
    curve->best = NAN;
    for (size_t i = 0; text && i < size; i++)
        lines += text[i] == '\n';
    curve->top1 = allocate(lines, sizeof *curve->top1, "a curve");
    curve->loss = allocate(lines, sizeof *curve->loss, "a curve");
    const char *at = text;
    for (const char *line; text && (line = text_line(&at, text + size, &length)) != NULL;) {
        json_t *object = json_loadb(line, length, 0, NULL);
        if (json_is_integer(json_object_get(object, "epoch")))
            add_epoch(curve, object);
        json_decref(object);
    }
    free(text);
    return text != NULL;
}

/* ---- sums ---- */

bool results_counts(const Results *r, int run)
{
    return r->sweep->runs[run].state == SWEEP_done && !isnan(r->curves[run].best);
}

double results_seconds(const Results *r, int run)
{
    return fmax(r->sweep->runs[run].seconds, r->curves[run].seconds);
}

static Choice choice_of(const Results *r, int choice)
{
    const int seeds = r->sweep->seeds;
    Choice c = { .best = -INFINITY };
    double squares = 0;
    for (int i = choice * seeds; i < (choice + 1) * seeds; i++)
        if (results_counts(r, i)) {
            c.runs++;
            c.mean += r->curves[i].best;
            c.best = fmax(c.best, r->curves[i].best);
            c.seconds += results_seconds(r, i);
            c.memory = fmax(c.memory, r->sweep->runs[i].memory);
        }
    c.mean = c.runs ? c.mean / c.runs : NAN;
    c.best = c.runs ? c.best : NAN;
    c.seconds = c.runs ? c.seconds / c.runs : NAN;
    for (int i = choice * seeds; i < (choice + 1) * seeds; i++)
        squares += results_counts(r, i) ? (r->curves[i].best - c.mean) * (r->curves[i].best - c.mean) : 0;
    c.deviation = c.runs > 1 ? sqrt(squares / (c.runs - 1)) : NAN;
    return c;
}

/* A mean over fewer seeds leads no other: what failed with the rest may be the choice's own doing. */
static bool is_better(const Results *r, int choice, int other)
{
    const Choice *a = &r->choices[choice], *b = &r->choices[other];
    if (a->runs != b->runs)
        return a->runs > b->runs;
    return a->mean > b->mean || (choice < other && a->mean == b->mean);
}

/* Runs of equal seeds are pairs. */
static Paired compare(const Results *r, int first, int second, int *pairs)
{
    const int seeds = r->sweep->seeds;
    double *a = allocate(2 * (size_t)seeds, sizeof *a, "pairs"), *b = a + seeds;
    *pairs = 0;
    for (int i = 0; i < seeds; i++)
        if (results_counts(r, first * seeds + i) && results_counts(r, second * seeds + i)) {
            a[*pairs] = r->curves[first * seeds + i].best;
            b[(*pairs)++] = r->curves[second * seeds + i].best;
        }
    const Paired paired = *pairs ? significance_paired(a, b, *pairs) : (Paired){ NAN, NAN, NAN, NAN };
    free(a);
    return paired;
}

bool results_compared(const Results *r, int first, int second, int most)
{
    return r->count <= most || first == r->leader || second == r->leader;
}

typedef struct ChoicePair {
    int    first, second, runs;      /* runs: pairs of equal seeds */
    Paired paired;
} ChoicePair;

/* Every choice with every later one, or where there are many with the best alone. The caller frees it. */
static ChoicePair *choice_pairs(const Results *r, int *count)
{
    const size_t n = (size_t)r->count;
    ChoicePair *pairs = allocate(r->count <= COMPARED ? n * (n - 1) / 2 + 1 : n, sizeof *pairs, "comparisons");
    *count = 0;
    for (int a = 0; a < r->count; a++)
        for (int b = a + 1; b < r->count; b++)
            if (results_compared(r, a, b, COMPARED)) {
                ChoicePair *pair = &pairs[(*count)++];
                *pair = (ChoicePair){ .first = a, .second = b };
                pair->paired = compare(r, a, b, &pair->runs);
            }
    return pairs;
}

static void add_pair(Table *table, const Results *r, const ChoicePair *pair, double corrected)
{
    const int choices[] = { pair->first, pair->second };
    const Paired *paired = &pair->paired;
    const double numbers[] = { pair->runs, paired->mean, pair->runs > 1 ? paired->deviation : NAN, pair->runs > 1 ? paired->t : NAN, paired->p, corrected };
    for (int i = 0; i < 2; i++) {
        char *name = grid_name(r->sweep->grid, choices[i]);
        table_text(table, name);
        free(name);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        table_number(table, numbers[i]);
}

/* Holm's correction is over all that are compared. */
static Table *compare_all(Results *r)
{
    Table *table = table_new((const char *const[]){ "first", "second", "pairs", "difference", "deviation", "t", "p", "p_holm", NULL });
    int count;
    ChoicePair *pairs = choice_pairs(r, &count);
    double *p = allocate(2 * (size_t)count + 1, sizeof *p, "p-values"), *corrected = p + count;
    for (int i = 0; i < count; i++)
        p[i] = pairs[i].paired.p;
    significance_holm(p, count, corrected);
    for (int i = 0; i < count; i++) {
        const int a = pairs[i].first, b = pairs[i].second;
        r->p[a * r->count + b] = r->p[b * r->count + a] = corrected[i];
        r->differences[a * r->count + b] = pairs[i].paired.mean;
        r->differences[b * r->count + a] = -pairs[i].paired.mean;
        add_pair(table, r, &pairs[i], corrected[i]);
    }
    free(pairs);
    free(p);
    return table;
}

/* ---- tables ---- */

/* Columns of the settings that are varied, and then `others`. */
static Table *table_of(const Grid *grid, const char *const *others)
{
    const char *columns[TABLE_COLUMNS + 1];
    int count = 0;
    for (int i = 0; i < grid->count; i++)
        columns[count++] = settings_at(grid->axes[i].setting)->name;
    for (; *others; others++)
        columns[count++] = *others;
    columns[count] = NULL;
    return table_new(columns);
}

static void add_values(Table *table, const Grid *grid, int choice)
{
    for (int i = 0; i < grid->count; i++)
        table_text(table, grid_value(grid, choice, i));
}

static Table *choices_table(const Results *r)
{
    Table *table = table_of(r->sweep->grid, (const char *const[]){ "runs", "mean", "deviation", "best", "behind", "p", "seconds", "MiB", NULL });
    for (int i = 0; i < r->count; i++) {
        const Choice *c = &r->choices[i];
        const bool other = r->leader >= 0 && i != r->leader;
        add_values(table, r->sweep->grid, i);
        const double numbers[] = { c->runs, c->mean, c->deviation, c->best, other ? r->differences[i * r->count + r->leader] : NAN,
                                   other ? r->p[i * r->count + r->leader] : NAN, c->seconds, c->runs ? c->memory / 0x1p20 : NAN };
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            table_number(table, numbers[k]);
    }
    return table;
}

static Table *runs_table(const Results *r)
{
    Table *table = table_of(r->sweep->grid, (const char *const[]){ "seed", "state", "epochs_done", "best", "last", "last_loss", "seconds", "MiB", "folder", NULL });
    for (int i = 0; i < r->sweep->count; i++) {
        const SweepRun *run = &r->sweep->runs[i];
        const Curve *curve = &r->curves[i];
        add_values(table, r->sweep->grid, run->choice);
        table_number(table, (double)run->seed);
        table_text(table, sweep_state(run->state));
        const double numbers[] = { curve->epochs, curve->best, curve->epochs ? curve->top1[curve->epochs - 1] : NAN,
                                   curve->epochs ? curve->loss[curve->epochs - 1] : NAN, results_seconds(r, i), run->memory / 0x1p20 };
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            table_number(table, numbers[k]);
        table_text(table, run->folder);
    }
    return table;
}

/* An object a row. */
static json_t *table_json(const Table *table)
{
    json_t *rows = json_made(json_array());
    for (int row = 0; row < table_rows(table); row++) {
        json_t *object = json_made(json_object());
        for (int c = 0; c < table_columns(table); c++) {
            const char *column = table_column(table, c), *text = table_text_at(table, row, column);
            const double number = table_number_at(table, row, column);
            json_object_set_new(object, column, *text ? json_text(text) : json_finite(number));
        }
        json_append(rows, object);
    }
    return rows;
}

/* ---- the picture ---- */

int results_mean(const Results *r, int choice, bool loss, double *x, double *y)
{
    const int seeds = r->sweep->seeds;
    int epochs = -1;
    for (int i = choice * seeds; i < (choice + 1) * seeds; i++)
        if (results_counts(r, i) && (epochs < 0 || r->curves[i].epochs < epochs))
            epochs = r->curves[i].epochs;
    for (int e = 0; e < epochs; e++) {
        x[e] = e + 1;
        y[e] = 0;
        for (int i = choice * seeds; i < (choice + 1) * seeds; i++)
            y[e] += results_counts(r, i) ? (loss ? r->curves[i].loss : r->curves[i].top1)[e] / r->choices[choice].runs : 0;
    }
    return epochs > 0 ? epochs : 0;
}

int results_rank(const Results *r, int choice)
{
    int rank = 0;
    for (int i = 0; i < r->count; i++)
        rank += is_better(r, i, choice);
    return rank;
}

static void draw_panel(const Results *r, Chart *chart, bool loss, double *x, double *y)
{
    chart_panel(chart, (ChartPanel){ .x_label = "epoch", .x_whole = true, .y_label = loss ? "validation loss" : "validation top1, %" });
    for (int rank = 0, i; rank < CHART_COLOURS; rank++)
        for (i = 0; i < r->count; i++) {
            const int epochs = r->choices[i].runs && results_rank(r, i) == rank ? results_mean(r, i, loss, x, y) : 0;
            if (epochs == 0)
                continue;
            char *name = grid_name(r->sweep->grid, i);
            (epochs > 1 ? chart_line : chart_points)(chart, (ChartSeries){ .name = name, .count = epochs, .x = x, .y = y, .colour = rank + 1 });
            free(name);
        }
}

/* The best choices, as many as there are colours. */
static bool draw_curves(const Results *r, const char *path, Error *error)
{
    int longest = 1;
    for (int i = 0; i < r->sweep->count; i++)
        longest = r->curves[i].epochs > longest ? r->curves[i].epochs : longest;
    char *title = r->count > CHART_COLOURS ? text_format("Means over seeds, the best %d of %d choices", CHART_COLOURS, r->count) : text_copy("Means over seeds");
    double *x = allocate(2 * (size_t)longest, sizeof *x, "a chart");
    Chart *chart = chart_new(title);
    draw_panel(r, chart, true, x, x + longest);
    draw_panel(r, chart, false, x, x + longest);
    const bool saved = chart_save(chart, path, error);
    chart_free(chart);
    free(x);
    free(title);
    return saved;
}

/* ---- all of it ---- */

static bool save_all(const Results *r, const Table *const tables[3], const char *json, Error *error)
{
    static const char *const names[] = { "choices.csv", "runs.csv", "comparisons.csv" };
    bool ok = true;
    for (int i = 0; ok && i < 3; i++) {
        char *path = text_format("%s/%s", r->sweep->folder, names[i]);
        ok = table_save(tables[i], path, error);
        free(path);
    }
    char *path = text_format("%s/results.json", r->sweep->folder), *picture = text_format("%s/curves.png", r->sweep->folder);
    char *page = text_format("%s/sweep.html", r->sweep->folder);
    ok = ok && file_replace(path, json, strlen(json), error) && (r->leader < 0 || draw_curves(r, picture, error)) && sweep_page_save(r, page, error);
    free(path);
    free(picture);
    free(page);
    return ok;
}

static void print_text(const Results *r, const Table *choices)
{
    if (r->leader < 0) {
        printf("no run is done yet\n");
        return;
    }
    char *name = grid_name(r->sweep->grid, r->leader);
    printf("Validation top1 of each run's best epoch, in percent; behind: the best, %s, less this one, over the seeds that both have; p of that\n"
           "difference, paired by seed, after Holm's correction over all comparisons; seconds and memory of a run.\n", name);
    free(name);
    table_print(choices, stdout);
}

bool results_print(const Sweep *sweep, bool json, Error *error)
{
    Results r = { .sweep = sweep, .count = sweep->count / sweep->seeds, .leader = -1 };
    const size_t square = (size_t)r.count * (size_t)r.count;
    r.curves = allocate((size_t)sweep->count, sizeof *r.curves, "curves");
    r.choices = allocate((size_t)r.count, sizeof *r.choices, "choices");
    r.p = allocate(2 * square, sizeof *r.p, "p-values");
    r.differences = r.p + square;
    bool ok = true;
    for (int i = 0; i < sweep->count; i++)
        ok = read_curve(&sweep->runs[i], &r.curves[i], error) && ok;
    for (int i = 0; i < r.count; i++)
        r.choices[i] = choice_of(&r, i);
    for (int i = 0; i < r.count; i++)
        if (r.choices[i].runs && (r.leader < 0 || is_better(&r, i, r.leader)))
            r.leader = i;
    Table *comparisons = compare_all(&r), *choices = choices_table(&r), *runs = runs_table(&r);
    json_t *object = json_made(json_pack("{s:o, s:o, s:o}", "choices", table_json(choices), "runs", table_json(runs), "comparisons", table_json(comparisons)));
    char *text = json_written(object, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    ok = ok && save_all(&r, (const Table *const[]){ choices, runs, comparisons }, text, error);
    if (ok && json)
        printf("%s\n", text);
    else if (ok)
        print_text(&r, choices);
    for (int i = 0; i < sweep->count; i++) {
        free(r.curves[i].top1);
        free(r.curves[i].loss);
    }
    free(text);
    json_decref(object);
    table_free(comparisons);
    table_free(choices);
    table_free(runs);
    free(r.curves);
    free(r.choices);
    free(r.p);
    return ok && output_flush(error);
}
