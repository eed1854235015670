/* sweep_page.c - a sweep as a page for a browser; see results.h. The page's data:
 *
 *   version, name, seed, seeds, leader (a choice; -1: no run is done)
 *   axes         [{ name, values }]
 *   settings     { name: text } that all runs have
 *   choices      [{ name, values, runs, mean, deviation, best, behind, p, seconds, memory, curve: [[loss, top1]] }]
 *   runs         [{ choice, seed, name, state, epochs, best, last, loss, seconds, memory, curve: [[loss, top1]] }]
 *   comparisons  [[first, second, difference, p]]: of every two choices, or, where there are many, of the leader with each
 *
 * Accuracies are in percent, the best choices alone have curves. */

#include "results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "json_made.h"
#include "page.h"
#include "text.h"

enum { DIGITS = 6, CURVES = 64, COMPARED = 24 };      /* choices with curves; choices of which every two are compared */

static json_t *curve_of(const double *loss, const double *top1, int epochs)
{
    json_t *list = json_made(json_array());
    for (int e = 0; e < epochs; e++)
        json_append(list, json_pack("[o, o]", json_finite(loss[e]), json_finite(top1[e])));
    return list;
}

static bool has_curves(const Results *r, int choice)
{
    return r->choices[choice].runs && results_rank(r, choice) < CURVES;
}

static json_t *mean_of(const Results *r, int choice)
{
    int longest = 1;
    for (int i = 0; i < r->sweep->count; i++)
        longest = r->curves[i].epochs > longest ? r->curves[i].epochs : longest;
    double *x = allocate(3 * (size_t)longest, sizeof *x, "a curve"), *loss = x + longest, *top1 = loss + longest;
    const int epochs = has_curves(r, choice) ? results_mean(r, choice, true, x, loss) : 0;
    if (epochs)
        results_mean(r, choice, false, x, top1);
    json_t *list = curve_of(loss, top1, epochs);
    free(x);
    return list;
}

static json_t *axes_of(const Grid *grid)
{
    json_t *axes = json_made(json_array());
    for (int i = 0; i < grid->count; i++) {
        json_t *values = json_made(json_array());
        for (int k = 0; k < grid->axes[i].count; k++)
            json_append(values, json_text(grid->axes[i].values[k]));
        json_append(axes, json_pack("{s:s, s:o}", "name", settings_at(grid->axes[i].setting)->name, "values", values));
    }
    return axes;
}

static json_t *settings_of(const Sweep *sweep)
{
    json_t *settings = json_made(json_object());
    for (int i = 0; i < settings_count(); i++)
        if (sweep->common[i] && settings_at(i)->keep != KEEP_call)
            json_put(settings, settings_at(i)->name, json_text(sweep->common[i]));
    return settings;
}

static json_t *choices_of(const Results *r)
{
    json_t *list = json_made(json_array());
    for (int i = 0; i < r->count; i++) {
        const Choice *c = &r->choices[i];
        const bool other = r->leader >= 0 && i != r->leader;
        json_t *values = json_made(json_array());
        for (int axis = 0; axis < r->sweep->grid->count; axis++)
            json_append(values, json_text(grid_value(r->sweep->grid, i, axis)));
        char *name = grid_name(r->sweep->grid, i);
        json_append(list, json_pack("{s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", json_text(name), "values", values, "runs", c->runs,
                                    "mean", json_finite(c->mean), "deviation", json_finite(c->deviation), "best", json_finite(c->best),
                                    "behind", json_finite(other ? r->differences[i * r->count + r->leader] : NAN),
                                    "p", json_finite(other ? r->p[i * r->count + r->leader] : NAN), "seconds", json_finite(c->seconds),
                                    "memory", json_finite(c->runs ? c->memory : NAN), "curve", mean_of(r, i)));
        free(name);
    }
    return list;
}

static json_t *runs_of(const Results *r)
{
    json_t *list = json_made(json_array());
    for (int i = 0; i < r->sweep->count; i++) {
        const SweepRun *run = &r->sweep->runs[i];
        const Curve *curve = &r->curves[i];
        const int last = curve->epochs - 1;
        json_append(list, json_pack("{s:i, s:I, s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "choice", run->choice, "seed", (json_int_t)run->seed,
                                    "name", run->name, "state", sweep_state(run->state), "epochs", curve->epochs, "best", json_finite(curve->best),
                                    "last", json_finite(last >= 0 ? curve->top1[last] : NAN), "loss", json_finite(last >= 0 ? curve->loss[last] : NAN),
                                    "seconds", json_finite(results_seconds(r, i)), "memory", json_finite(run->memory > 0 ? run->memory : NAN),
                                    "curve", curve_of(curve->loss, curve->top1, has_curves(r, run->choice) ? curve->epochs : 0)));
    }
    return list;
}

static json_t *comparisons_of(const Results *r)
{
    json_t *list = json_made(json_array());
    for (int a = 0; a < r->count; a++)
        for (int b = a + 1; b < r->count; b++)
            if (results_compared(r, a, b, COMPARED))
                json_append(list, json_pack("[i, i, o, o]", a, b, json_finite(r->differences[a * r->count + b]), json_finite(r->p[a * r->count + b])));
    return list;
}

/* The folder's own name, without what lies above it. */
static json_t *name_of(const char *folder)
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    char *name = text_format("%.*s", (int)length, folder);
    const char *slash = strrchr(name, '/');
    json_t *shown = json_text(slash && slash[1] ? slash + 1 : name);
    free(name);
    return shown;
}

bool sweep_page_save(const Results *r, const char *path, Error *error)
{
    const Sweep *sweep = r->sweep;
    json_t *data = json_made(json_pack("{s:s, s:o, s:I, s:i, s:i, s:o, s:o, s:o, s:o, s:o}", "version", CONVZOO_VERSION, "name", name_of(sweep->folder),
                                       "seed", (json_int_t)sweep->runs[0].seed, "seeds", sweep->seeds, "leader", r->leader, "axes", axes_of(sweep->grid),
                                       "settings", settings_of(sweep), "choices", choices_of(r), "runs", runs_of(r), "comparisons", comparisons_of(r)));
    char *page = page_text("sweep.html", data, DIGITS);
    const bool saved = file_replace(path, page, strlen(page), error);
    free(page);
    json_decref(data);
    return saved;
}
