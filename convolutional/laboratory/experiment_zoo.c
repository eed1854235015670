/* experiment_zoo.c - one of the zoo's networks trained with several activations and several seeds: which differences are more than noise.
 *
 * Every activation is compared with the first one, pair by pair of seeds; p-values are corrected for their number (significance.h). */

#include "experiment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "score.h"
#include "significance.h"
#include "text.h"

enum { DECIDES = 5 };      /* per cent */

/* scores: seeds numbers an activation. */
static bool train_all(const ExperimentOptions *o, double *scores, Error *error)
{
    for (int seed = 0; seed < o->seeds; seed++)
        for (int i = 0; i < o->act_count; i++) {
            char name[ACTIVATION_TEXT];
            double *score = &scores[i * o->seeds + seed];
            const ScoreOptions run = { o->arch, o->data, o->limit, o->epochs };
            if (!score_run(&run, o->acts[i], o->seed + (uint64_t)seed, score, error))
                return false;
            char *text = text_format("%s with %s, seed %llu: %.2f%% of the validation images", o->arch, activation_text(o->acts[i], name, sizeof name),
                                     (unsigned long long)o->seed + (unsigned long long)seed, 100 * *score);
            if (o->note)
                o->note(NULL, text);
            free(text);
        }
    return true;
}

static void fill_chart(const ExperimentOptions *o, const double *scores, Chart *chart)
{
    char **names = allocate((size_t)o->act_count, sizeof *names, "an experiment");
    char title[96];
    for (int i = 0; i < o->act_count; i++) {
        char name[ACTIVATION_TEXT];
        names[i] = text_copy(activation_text(o->acts[i], name, sizeof name));
    }
    snprintf(title, sizeof title, "a dot a seed, %d epochs", o->epochs);
    chart_panel(chart, (ChartPanel){ .title = title, .x_label = "activation", .y_label = "right on validation images, %", .x_names = (const char *const *)names,
                                     .x_name_count = o->act_count });
    double *x = allocate((size_t)o->seeds, sizeof *x, "an experiment"), *y = allocate((size_t)o->seeds, sizeof *y, "an experiment");
    for (int i = 0; i < o->act_count; i++) {
        double sum = 0;
        for (int seed = 0; seed < o->seeds; seed++) {
            x[seed] = i + 0.3 * ((seed + 0.5) / o->seeds - 0.5);      /* side by side, in the same order for each: pairs */
            y[seed] = 100 * scores[i * o->seeds + seed];
            sum += y[seed] / o->seeds;
        }
        chart_points(chart, (ChartSeries){ .count = o->seeds, .x = x, .y = y });
        chart_line(chart, (ChartSeries){ .count = 2, .x = (double[]){ i - 0.25, i + 0.25 }, .y = (double[]){ sum, sum }, .colour = i % CHART_COLOURS + 1 });
    }
    for (int i = 0; i < o->act_count; i++)
        free(names[i]);
    free(names);
    free(x);
    free(y);
}

static void fill_table(const ExperimentOptions *o, const double *scores, Table *table)
{
    Paired *pairs = allocate((size_t)o->act_count, sizeof *pairs, "an experiment");
    double *p = allocate((size_t)o->act_count, sizeof *p, "an experiment");
    for (int i = 0; i < o->act_count; i++) {
        pairs[i] = significance_paired(scores, scores + i * o->seeds, o->seeds);
        p[i] = i ? pairs[i].p : NAN;
    }
    significance_holm(p, o->act_count, p);
    for (int i = 0; i < o->act_count; i++) {
        char name[ACTIVATION_TEXT];
        double mean = 0;
        for (int seed = 0; seed < o->seeds; seed++)
            mean += scores[i * o->seeds + seed] / o->seeds;
        table_text(table, activation_text(o->acts[i], name, sizeof name));
        table_number(table, o->seeds);
        table_number(table, 100 * mean);
        table_number(table, i ? 100 * pairs[i].mean : NAN);
        table_number(table, i ? 100 * pairs[i].deviation / sqrt(o->seeds) : NAN);
        table_number(table, i ? pairs[i].p : NAN);
        table_number(table, p[i]);
        table_text(table, i == 0 ? "compared with" : p[i] < DECIDES / 100.0 ? pairs[i].mean > 0 ? "better" : "worse" : "no more than noise");
    }
    free(pairs);
    free(p);
}

static bool run(const ExperimentOptions *o, ExperimentResult *result, Error *error)
{
    static const char *const columns[] = { "activation", "seeds", "right, %", "difference", "its error", "p", "p (Holm)", "at 5%", NULL };
    char title[128];
    double *scores = allocate((size_t)(o->act_count * o->seeds), sizeof *scores, "an experiment");
    const bool done = train_all(o, scores, error);
    if (done) {
        snprintf(title, sizeof title, "%.60s by activation", o->arch);
        result->table = table_new(columns);
        result->chart = chart_new(title);
        fill_table(o, scores, result->table);
        fill_chart(o, scores, result->chart);
    }
    free(scores);
    return done;
}

const Experiment experiment_zoo = {
    .name = "zoo", .about = "a network of the zoo trained with each activation and several seeds: which differences are more than noise",
    .acts = "relu,gelu,silu", .arch = "lenet", .seeds = 5, .epochs = 5, .run = run,
};
