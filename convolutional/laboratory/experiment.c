/* experiment.c - see experiment.h. */

#include "experiment.h"

#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "text.h"

static const Experiment *const experiments[] = {
#define X(key) &experiment_##key,
#include "experiments.def"
#undef X
};

enum { EXPERIMENTS = sizeof experiments / sizeof *experiments };

int experiment_count(void)
{
    return EXPERIMENTS;
}

const Experiment *experiment_at(int index)
{
    return experiments[index];
}

const Experiment *experiment_find(const char *name, Error *error)
{
    char all[512] = "";
    NameSearch search = { .wrong = name };
    for (int i = 0; i < EXPERIMENTS; i++) {
        if (names_match(experiments[i]->name, name, strlen(name)))
            return experiments[i];
        names_consider(&search, experiments[i]->name, NULL);
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? " " : "", experiments[i]->name);
    }
    names_unknown_of(&search, "unknown experiment", "", all, error);
    return NULL;
}

/* How long the first activation of the text is. */
static size_t first_length(const char *text)
{
    int open = 0;
    size_t i = 0;
    for (; text[i]; i++) {
        open += (text[i] == '(') - (text[i] == ')');
        if (text[i] != ',' || open > 0)
            continue;
        char *end;
        strtod(text + i + 1, &end);
        if (end == text + i + 1 || (*end && *end != ','))      /* a number goes on with the parameters of NAME:P,P */
            break;
    }
    return i;
}

Activation *experiment_acts(const char *text, int *count, Error *error)
{
    Activation *acts = allocate(strlen(text) + 1, sizeof *acts, "activations");
    *count = 0;
    while (*text) {
        const size_t length = first_length(text);
        char *one = text_format("%.*s", (int)length, text);
        const bool parsed = activation_parse(one, &acts[*count], error) &&
                            (acts[*count].info || error_set(error, EXIT_usage, "no function: 'native': it stands for an architecture's own: use one of %s", activation_names()));
        free(one);
        if (!parsed) {
            free(acts);
            return NULL;
        }
        (*count)++;
        text += length + (text[length] == ',');
    }
    return acts;
}

/* What changed nothing would be believed to be on. */
static bool check_sizes(const Experiment *experiment, const ExperimentOptions *o, Error *error)
{
    const struct { const char *name; int asked, own; } sizes[] = {
        { "depth", o->depth, experiment->depth }, { "width", o->width, experiment->width }, { "steps", o->steps, experiment->steps },
        { "seeds", o->seeds, experiment->seeds }, { "epochs", o->epochs, experiment->epochs }, { "limit", o->limit, experiment->arch != NULL },
        { "arch", o->arch != NULL, experiment->arch != NULL }, { "data", o->data != NULL, experiment->arch != NULL },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].asked && !sizes[i].own)
            return error_set(error, EXIT_usage, "--%s changes nothing: %s: leave it out", sizes[i].name, experiment->name);
    return true;
}

bool experiment_run(const Experiment *experiment, const ExperimentOptions *options, ExperimentResult *result, Error *error)
{
    ExperimentOptions o = *options;
    if (!check_sizes(experiment, options, error))
        return false;
    Activation *own = NULL;
    if (!o.act_count) {
        own = experiment_acts(experiment->acts, &o.act_count, error);
        if (!own)
            return false;
        o.acts = own;
    }
    o.depth = o.depth ? o.depth : experiment->depth;
    o.width = o.width ? o.width : experiment->width;
    o.steps = o.steps ? o.steps : experiment->steps;
    o.arch = o.arch ? o.arch : experiment->arch;
    o.seeds = o.seeds ? o.seeds : experiment->seeds;
    o.epochs = o.epochs ? o.epochs : experiment->epochs;
    const bool done = experiment->run(&o, result, error);
    free(own);
    return done;
}
