/* search.c - see search.h. */

#include "search.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "architectures.h"
#include "candidate.h"
#include "clock.h"
#include "significance.h"
#include "text.h"

enum {
    POOL = 12, KEPT = 3,               /* formulas of a generation; that go on to the next, and to the finals */
    SEEDS = 4,                         /* that a formula meets at most */
    GENERATIONS = 10000, NETWORKS = 8,
    FRESH = 1000,                      /* seeds of the finals begin here, after those of the search */
    FINAL_SEEDS = 2,                   /* of the finals at least: one is no test */
};

static const double SHARE = 0.6;       /* of the time, for the generations */
static const double DECIDES = 0.05;

typedef struct Tried {
    Candidate  tree;
    Activation act;
    char       text[CANDIDATE_TEXT];
    double     scores[SEEDS];
    int        count;
    int        met;                    /* seeds that count in its rank, */
    double     mean;                   /* and its mean over these */
} Tried;

typedef struct Search {
    const SearchOptions *options;
    Random  random;
    double  begin, end;                /* of the generations */
    Tried   pool[POOL];
    int     count;
    double *means;                     /* of every formula after its first training, in order */
    int     tried;
    const char *networks[NETWORKS];    /* of the finals */
    int     network_count;
} Search;

static void tell(const SearchOptions *options, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (options->note)
        options->note(NULL, line);
}

static double mean(const double *scores, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += scores[i] / count;
    return sum;
}

static int by_rank(const void *a, const void *b)
{
    const Tried *left = a, *right = b;
    if (left->met != right->met)
        return left->met > right->met ? -1 : 1;
    return left->mean > right->mean ? -1 : left->mean < right->mean;
}

/* The best first, by the seeds that all have met who have met so many; then the others, who were cut before. */
static void pool_sort(Search *s, int seeds)
{
    for (int i = 0; i < s->count; i++) {
        Tried *t = &s->pool[i];
        t->met = t->count < seeds ? t->count : seeds;
        t->mean = mean(t->scores, t->met);
    }
    qsort(s->pool, (size_t)s->count, sizeof *s->pool, by_rank);
}

static bool in_pool(const Search *s, const Activation act)
{
    for (int i = 0; i < s->count; i++)
        if (s->pool[i].act.info == act.info)
            return true;
    return false;
}

/* Draws until a formula is finite, of usual size, and new. */
static void pool_add(Search *s)
{
    Tried *t = &s->pool[s->count];
    *t = (Tried){ 0 };
    do {
        const bool from_best = s->count >= KEPT && s->pool[0].count > 1 && random_below(&s->random, 3) > 0;
        t->tree = from_best ? candidate_mutate(&s->random, &s->pool[random_below(&s->random, KEPT)].tree)
                            : candidate_random(&s->random, 3 + (int)random_below(&s->random, 7));
        candidate_text(&t->tree, t->text);
    } while (!activation_parse(t->text, &t->act, NULL) || activation_is_gated(t->act) || in_pool(s, t->act));
    s->count++;
}

static bool train_next(Search *s, Tried *t, Error *error)
{
    if (!score_run(&s->options->score, t->act, s->options->seed + (uint64_t)t->count, &t->scores[t->count], error))
        return false;
    tell(s->options, "%-40s seed %d: %5.2f%%", t->text, t->count, 100 * t->scores[t->count]);
    if (t->count++ == 0 && s->tried < POOL * GENERATIONS)
        s->means[s->tried++] = 100 * t->scores[0];
    return true;
}

/* The first `survivors` of the pool are trained until each has met `seeds` of them. False: an error, or the time is over. */
static bool rung(Search *s, int survivors, int seeds, Error *error)
{
    for (int i = 0; i < survivors && i < s->count; i++)
        while (s->pool[i].count < seeds) {
            if (seconds_now() > s->end && s->tried > 0)
                return false;
            if (!train_next(s, &s->pool[i], error))
                return false;
        }
    pool_sort(s, seeds);
    return true;
}

static bool generations_run(Search *s, Error *error)
{
    const int most = s->options->generations ? s->options->generations : GENERATIONS;
    for (int generation = 0; generation < most; generation++) {
        s->count = s->count > KEPT ? KEPT : s->count;
        while (s->count < POOL)
            pool_add(s);
        const bool done = rung(s, POOL, 1, error) && rung(s, POOL / 2, 2, error) && rung(s, POOL / 4, SEEDS, error);
        pool_sort(s, SEEDS);      /* where the time is over, those that are known best come first */
        tell(s->options, "generation %d: best so far %s: %.2f%% with %d seeds", generation + 1, s->pool[0].text, 100 * s->pool[0].mean, s->pool[0].met);
        if (!done)
            return error->code == EXIT_ok;
    }
    return true;
}

/* ---- the finals ---- */

typedef struct Finals {
    const SearchOptions *options;
    const char *const *networks;
    int         network_count;
    Activation  acts[KEPT + 2];        /* silu, gelu, the finalists */
    int         act_count;
    int         seeds;                 /* that all have met */
    double      end;                   /* of the time */
    double     *scores;                /* network x activation x seed of the options */
    double     *p;                     /* network x finalist x 2: against silu, gelu */
} Finals;

static double *scores_of(const Finals *f, int network, int act)
{
    return f->scores + (network * f->act_count + act) * f->options->seeds;
}

/* Every network with every activation. */
static bool finals_seed(const Finals *f, int seed, Error *error)
{
    for (int network = 0; network < f->network_count; network++)
        for (int act = 0; act < f->act_count; act++) {
            ScoreOptions score = f->options->score;
            score.arch = f->networks[network];
            double *to = &scores_of(f, network, act)[seed];
            if (!score_run(&score, f->acts[act], f->options->seed + FRESH + (uint64_t)seed, to, error))
                return false;
            tell(f->options, "finals: %s with %s, seed %d: %.2f%%", score.arch, f->acts[act].info->key, seed, 100 * *to);
        }
    return true;
}

static bool finals_train(Finals *f, Error *error)
{
    for (; f->seeds < f->options->seeds; f->seeds++) {
        if (f->seeds >= FINAL_SEEDS && seconds_now() > f->end) {
            tell(f->options, "finals: the time is over after %d of %d seeds", f->seeds, f->options->seeds);
            return true;
        }
        if (!finals_seed(f, f->seeds, error))
            return false;
    }
    return true;
}

/* One p-value a network, finalist and built-in one; all corrected together. */
static void finals_test(Finals *f)
{
    int count = 0;
    for (int network = 0; network < f->network_count; network++)
        for (int act = 2; act < f->act_count; act++)
            for (int against = 0; against < 2; against++)
                f->p[count++] = significance_paired(scores_of(f, network, against), scores_of(f, network, act), f->seeds).p;
    significance_holm(f->p, count, f->p);
}

static const char *verdict(double difference, double p)
{
    return !(p < DECIDES) ? "no more than noise" : difference > 0 ? "better" : "worse";
}

/* Whether one finalist is better than both everywhere. */
static bool finals_fill(const Finals *f, Table *table)
{
    bool better[KEPT] = { true, true, true }, any = false;
    int at = 0;
    for (int network = 0; network < f->network_count; network++)
        for (int act = 0; act < f->act_count; act++) {
            const double *scores = scores_of(f, network, act);
            const double own = mean(scores, f->seeds);
            table_text(table, f->networks[network]);
            table_text(table, f->acts[act].info->key);
            table_number(table, 100 * own);
            for (int against = 0; against < 2; against++) {
                const double difference = own - mean(scores_of(f, network, against), f->seeds);
                const double p = act >= 2 ? f->p[at++] : NAN;
                table_number(table, act >= 2 ? 100 * difference : NAN);
                table_number(table, p);
                table_text(table, act >= 2 ? verdict(difference, p) : "");
                if (act >= 2)
                    better[act - 2] = better[act - 2] && p < DECIDES && difference > 0;
            }
        }
    for (int i = 0; i < f->act_count - 2; i++)
        any = any || better[i];
    return any;
}

static bool finals_run(const Search *s, SearchResult *result, Error *error)
{
    static const char *const columns[] = { "network", "activation", "right, %", "to silu", "p (Holm)", "silu?", "to gelu", "p (Holm) ", "gelu?", NULL };
    Finals f = { .options = s->options, .acts = { activation_of(ACT_silu), activation_of(ACT_gelu) }, .act_count = 2,
                 .networks = s->networks, .network_count = s->network_count, .end = s->begin + s->options->seconds };
    for (int i = 0; i < KEPT && i < s->count && s->pool[i].count > 0; i++)
        f.acts[f.act_count++] = s->pool[i].act;
    const size_t runs = (size_t)(f.network_count * f.act_count);
    f.scores = allocate(runs * (size_t)s->options->seeds, sizeof *f.scores, "the finals");
    f.p = allocate(2 * runs, sizeof *f.p, "the finals");
    const bool done = finals_train(&f, error);
    if (done) {
        finals_test(&f);
        result->finals = table_new(columns);
        result->found = finals_fill(&f, result->finals);
    }
    free(f.scores);
    free(f.p);
    return done;
}

static void fill_chart(const Search *s, Chart *chart)
{
    chart_panel(chart, (ChartPanel){ .x_label = "formulas tried", .y_label = "right on validation images, %" });
    double *best = allocate((size_t)s->tried, sizeof *best, "a picture");
    for (int i = 0; i < s->tried; i++)
        best[i] = i ? fmax(best[i - 1], s->means[i]) : s->means[i];
    chart_points(chart, (ChartSeries){ .name = "a formula, first seed", .count = s->tried, .y = s->means });
    chart_line(chart, (ChartSeries){ .name = "best so far", .count = s->tried, .y = best });
    free(best);
}

/* Cuts `names` at its commas. */
static bool networks_split(Search *s, char *names, Error *error)
{
    char *rest = NULL;
    s->networks[s->network_count++] = s->options->score.arch;
    for (char *name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        if (s->network_count == NETWORKS)
            return error_set(error, EXIT_usage, "too many networks: --others: name %d at most", NETWORKS - 1);
        s->networks[s->network_count++] = name;
    }
    for (int i = 0; i < s->network_count; i++)
        if (!architecture_find(s->networks[i], error))
            return false;
    return true;
}

bool search_run(const SearchOptions *options, SearchResult *result, Error *error)
{
    if (options->seeds < FINAL_SEEDS)
        return error_set(error, EXIT_usage, "%d seeds: --seeds: a test of differences takes at least 2", options->seeds);
    Search *s = allocate(1, sizeof *s, "a search");
    char *names = text_copy(options->others);
    s->options = options;
    s->random = random_stream(options->seed, 0, 0, RANDOM_init);
    s->begin = seconds_now();
    s->end = s->begin + SHARE * options->seconds;
    s->means = allocate(POOL * GENERATIONS, sizeof *s->means, "a search");
    *result = (SearchResult){ 0 };
    error->code = EXIT_ok;      /* tells the end of the time from a mistake */
    const bool done = networks_split(s, names, error) && generations_run(s, error) && finals_run(s, result, error);
    result->tried = s->tried;
    if (done) {
        result->chart = chart_new("search");
        fill_chart(s, result->chart);
    }
    free(names);
    free(s->means);
    free(s);
    return done;
}
