/* explorer_data.c - the catalogue as JSON for the page; see explorer_data.h. */

#include "explorer_data.h"

#include "activations.h"
#include "choices.h"
#include "formula.h"
#include "frameworks.h"
#include "json_made.h"
#include "names.h"
#include "properties.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one activation ---- */

/* Each activation has the same labels in the same order; the page leaves out those that say nothing. */
static void property(json_t *list, const char *label, const char *text)
{
    json_append(list, json_pack("{s:s, s:s}", "label", label, "text", text));
}

/* A row without words for its derivative has that of its formula. */
static void derivative(json_t *list, const ActivationInfo *info)
{
    char text[512];
    property(list, "f\u2032(x)", info->derivative ? info->derivative : formula_slope_text(info, EXPRESSION_x, text, sizeof text));
}

static void computed(json_t *list, Activation act)
{
    const Properties p = properties_of(act);
    char text[PROPERTIES_TEXT];
    property(list, "monotone", properties_monotone(&p, text));
    property(list, "smooth", properties_smooth(&p, text));
    property(list, "saturates", properties_saturates(&p, text));
    property(list, "minimum", properties_minimum(&p, text));
    snprintf(text, sizeof text, "%.4g to %.4g", p.slope_least, p.slope_most);
    property(list, "slopes", text);
    snprintf(text, sizeof text, "%.3f", p.mean);
    property(list, "mean for normal inputs", text);
    snprintf(text, sizeof text, "%.4g", (double)activation_gain(act));
    property(list, "initialisation gain", text);
}

static json_t *properties(Activation act)
{
    const ActivationInfo *info = act.info;
    json_t *list = json_made(json_array());
    property(list, "family", info->family);
    property(list, "also called", info->aliases);
    property(list, "f(x)", info->formula);
    derivative(list, info);
    property(list, "range", info->range);
    computed(list, act);
    property(list, "good for", info->good_for);
    property(list, "bad for", info->bad_for);
    for (int i = 0; i < FRAMEWORKS; i++)
        property(list, framework_name(i), framework_activation(i, act));
    property(list, "paper", info->paper);
    return list;
}

static json_t *parameters(const ActivationInfo *info)
{
    json_t *list = json_made(json_array());
    char name[EXPRESSION_NAME];
    for (int i = 0; i < activation_parameter_count(info); i++)
        json_append(list, json_pack("{s:s, s:f}", "name", names_word(info->parameters, i, name, sizeof name), "value", (double)info->defaults[i]));
    return list;
}

/* A few of the catalogue's own values: the page computes with its own code, and a test compares. */
static json_t *values(Activation act)
{
    static const double points[] = { -6.5, -2, -1, -0.3, 0.6, 1, 2.5, 7 };
    json_t *list = json_made(json_array());
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        json_append(list, json_pack("[f, f, f]", points[i], activation_value(act, points[i]), activation_slope(act, points[i])));
    return list;
}

static json_t *row(const ActivationInfo *info)
{
    const Activation act = activation_of_info(info);
    return json_made(json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "key", info->key, "family", info->family, "formula", info->formula,
                          "parameters", parameters(info), "properties", properties(act), "values", values(act)));
}

/* The rows of `activations choose`. */
static json_t *guide(void)
{
    json_t *hidden = json_made(json_array()), *outputs = json_made(json_array());
    for (int i = 0; i < choice_hidden_count(); i++) {
        const HiddenChoice *c = choice_hidden_at(i);
        json_append(hidden, json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s}", "networks", c->networks, "depth", c->depth, "norms", c->norms, "budgets", c->budgets,
                                 "activation", c->activation, "weights", c->weights, "reason", c->reason));
    }
    for (int i = 0; i < choice_output_count(); i++) {
        const OutputChoice *c = choice_output_at(i);
        json_append(outputs, json_pack("{s:s, s:s, s:s, s:s, s:s}", "task", c->task, "activation", c->activation, "loss", c->loss, "range", c->range, "reason", c->reason));
    }
    return json_made(json_pack("{s:s, s:s, s:s, s:o, s:o}", "networks", CHOICE_NETWORKS, "norms", CHOICE_NORMS, "budgets", CHOICE_BUDGETS,
                          "hidden", hidden, "outputs", outputs));
}

json_t *explorer_data(const char *experiments, Error *error)
{
    json_t *run = explorer_experiments(experiments, error);
    if (!run)
        return NULL;
    json_t *rows = json_made(json_array());
    for (int i = 0; i < activation_count(); i++)
        json_append(rows, row(activation_at(i)));
    return json_made(json_pack("{s:s, s:o, s:o, s:o, s:o}", "version", CONVZOO_VERSION, "activations", rows, "language", explorer_language(), "guide", guide(),
                          "experiments", run));
}
