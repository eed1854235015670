/* test_optimizer_rules.c - ten steps of every rule, in every layout, on weights with padding: against PyTorch (golden/optimizers.json)
 * where it has the rule, and against plain loops in double, written from the papers. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "newton_schulz.h"
#include "optimizer_net.h"
#include "optimizer_rule.h"
#include "parameter_groups.h"

/* So that the padding means something: some layout has more of it than a block's rounding. */
static void layouts_have_padding(void **state)
{
    (void)state;
    OptimizerNet s = optimizer_net(&net_plans[1]);
    const Param *conv = network_param_find(s.net, "conv.weight");
    assert_true(parameters_span(s.net, conv).room > (conv->count + 15) / 16 * 16);
    uint32_t positions[NET_MOST];
    float plain[NET_MOST];
    parameters_positions(s.net, conv, positions);
    const float *values = network_parameters(s.net)->values + parameters_span(s.net, conv).offset;
    parameters_export(s.net, network_parameters(s.net)->values, conv, plain);
    bool moved = false;
    for (size_t i = 0; i < conv->count; i++) {
        assert_true(values[positions[i]] == plain[i]);
        moved = moved || positions[i] != i;
    }
    assert_true(moved);
    optimizer_net_free(&s);
}

static void assert_close(const char *name, const char *plan, const char *param, size_t i, double got, double expected)
{
    if (!(fabs(got - expected) <= 4e-6 * (1 + fabs(expected))))
        fail_msg("%s, %s: %s[%zu] is %.9g, expected %.9g", name, plan, param, i, got, expected);
}

/* ---- against PyTorch ---- */

static float real(const json_t *object, const char *key)
{
    return (float)json_number_value(json_object_get(object, key));
}

static OptimizerOptions options_of(const json_t *item)
{
    Error error;
    OptimizerOptions o = { .clip_norm = real(item, "clip") };
    strcpy(o.param_groups, json_string_value(json_object_get(item, "groups")));
    const json_t *given = json_object_get(item, "options");
    assert_true(optimizer_parse(json_string_value(json_object_get(item, "opt")), "--opt", &o.kind, &error));
    assert_true(clip_parse(json_string_value(json_object_get(item, "clip_mode")), &o.clip_mode, &error));
    o.momentum = real(given, "momentum");
    o.nesterov = json_is_true(json_object_get(given, "nesterov"));
    o.beta1 = real(given, "beta1");
    o.beta2 = real(given, "beta2");
    o.eps = real(given, "eps");
    o.weight_decay = real(given, "weight_decay");
    return o;
}

static void check_golden(const json_t *item, int plan)
{
    const char *name = json_string_value(json_object_get(item, "name"));
    const OptimizerOptions options = options_of(item);
    OptimizerNet s = optimizer_net(&net_plans[plan]);
    Error error = { 0 };
    if (!parameter_groups_check(options.param_groups, s.net, &error))
        fail_msg("%s: %s", name, error.text);
    Optimizer *optimizer = optimizer_new(s.net, &options);
    net_run(s.net, optimizer, real(item, "lr"));

    const char *param_name;
    json_t *expected;
    int seen = 0;
    json_object_foreach(json_object_get(item, "values"), param_name, expected) {
        float plain[NET_MOST];
        const Param *param = network_param_find(s.net, param_name);
        assert_non_null(param);
        assert_int_equal(json_array_size(expected), param->count);
        parameters_export(s.net, network_parameters(s.net)->values, param, plain);
        for (size_t i = 0; i < param->count; i++)
            assert_close(name, net_plan_names[plan], param_name, i, (double)plain[i], json_number_value(json_array_get(expected, i)));
        seen++;
    }
    const Param *params[NET_PARAMS];
    assert_int_equal(seen, net_trained(s.net, params));
    net_expect_padding(name, s.net, network_parameters(s.net)->values);
    for (int k = 0; k < optimizer->states; k++)
        net_expect_padding(name, s.net, optimizer->state[k]);
    optimizer_free(optimizer);
    optimizer_net_free(&s);
}

static void matches_pytorch(void **state)
{
    (void)state;
    json_error_t problem;
    json_t *golden = json_load_file(TESTS_FOLDER "/golden/optimizers.json", 0, &problem), *item;
    size_t index;
    assert_non_null(golden);
    json_array_foreach(json_object_get(golden, "cases"), index, item)
        for (int plan = 0; plan < NET_PLANS; plan++)
            check_golden(item, plan);
    assert_true(index >= 7);
    json_decref(golden);
}

/* ---- against the papers, in double ---- */

/* One parameter, in the file's order: what a rule keeps of it, too. */
typedef struct Reference {
    const Param *param;
    double w[NET_MOST], g[NET_MOST], first[NET_MOST], second[NET_MOST];
} Reference;

static double norm_of(const double *x, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

static void moments(Reference *r, double beta1, double beta2)
{
    for (size_t i = 0; i < r->param->count; i++) {
        r->first[i] = beta1 * r->first[i] + (1 - beta1) * r->g[i];
        r->second[i] = beta2 * r->second[i] + (1 - beta2) * r->g[i] * r->g[i];
    }
}

static void reference_sgd(Reference *r, const OptimizerOptions *o, double lr, double decay, int t)
{
    (void)t;
    for (size_t i = 0; i < r->param->count; i++) {
        const double g = r->g[i] + decay * r->w[i];
        r->first[i] = o->momentum * r->first[i] + g;
        r->w[i] -= lr * (o->nesterov ? g + o->momentum * r->first[i] : r->first[i]);
    }
}

static void reference_adamw(Reference *r, const OptimizerOptions *o, double lr, double decay, int t)
{
    moments(r, o->beta1, o->beta2);
    for (size_t i = 0; i < r->param->count; i++) {
        const double m = r->first[i] / (1 - pow(o->beta1, t)), v = r->second[i] / (1 - pow(o->beta2, t));
        r->w[i] -= lr * decay * r->w[i];
        r->w[i] -= lr * m / (sqrt(v) + o->eps);
    }
}

/* The paper's algorithm 2. */
static void reference_lion(Reference *r, const OptimizerOptions *o, double lr, double decay, int t)
{
    (void)t;
    for (size_t i = 0; i < r->param->count; i++) {
        const double c = o->beta1 * r->first[i] + (1.0 - o->beta1) * r->g[i];
        const double sign = (c > 0) - (c < 0);
        r->w[i] -= lr * (sign + decay * r->w[i]);
        r->first[i] = o->beta2 * r->first[i] + (1.0 - o->beta2) * r->g[i];
    }
}

/* The paper's algorithm 2, phi the identity; layers' weights alone are adapted. */
static void reference_lamb(Reference *r, const OptimizerOptions *o, double lr, double decay, int t)
{
    double u[NET_MOST];
    moments(r, o->beta1, o->beta2);
    for (size_t i = 0; i < r->param->count; i++)
        u[i] = r->first[i] / (1 - pow(o->beta1, t)) / (sqrt(r->second[i] / (1 - pow(o->beta2, t))) + o->eps) + decay * r->w[i];
    const double ratio = r->param->role == PARAM_weight ? norm_of(r->w, r->param->count) / norm_of(u, r->param->count) : 1;
    for (size_t i = 0; i < r->param->count; i++)
        r->w[i] -= lr * ratio * u[i];
}

/* The paper's algorithm 1; lars.c says what biases and norms take. */
static void reference_lars(Reference *r, const OptimizerOptions *o, double lr, double decay, int t)
{
    (void)t;
    const double w = norm_of(r->w, r->param->count), g = norm_of(r->g, r->param->count);
    const double local = r->param->role == PARAM_weight ? 0.001 * w / (g + decay * w) : 0.01;
    for (size_t i = 0; i < r->param->count; i++) {
        r->first[i] = o->momentum * r->first[i] + lr * local * (r->g[i] + decay * r->w[i]);
        r->w[i] -= r->first[i];
    }
}

static void reference_muon(Reference *r, const OptimizerOptions *o, double lr, double decay, int t)
{
    double x[NET_MOST];
    const size_t count = r->param->count, rows = (size_t)r->param->dims[0], columns = count / rows;
    (void)t;
    for (size_t i = 0; i < count; i++) {
        r->first[i] = o->momentum * r->first[i] + r->g[i];
        x[i] = o->nesterov ? r->g[i] + o->momentum * r->first[i] : r->first[i];
    }
    const double norm = norm_of(x, count) + 1e-7;
    for (size_t i = 0; i < count; i++)
        x[i] /= norm;
    newton_schulz(rows, columns, x, o->muon_rounds ? o->muon_rounds : 5);
    const double weights = norm_of(r->w, count);
    for (size_t i = 0; i < count && o->muon_normalise; i++)
        r->w[i] *= sqrt((double)rows) / weights;
    for (size_t i = 0; i < count; i++)
        r->w[i] -= lr * decay * r->w[i] + lr * sqrt(fmax(1, (double)rows / (double)columns)) * x[i];
}

/* Muon's: the convolutions, but not the head, biases and norms. */
static bool is_matrix(const Param *param)
{
    return !strcmp(param->name, "conv.weight") || !strcmp(param->name, "mix.weight");
}

typedef void ReferenceRule(Reference *r, const OptimizerOptions *o, double lr, double decay, int t);

static const struct ReferenceCase {
    const char      *name;
    OptimizerOptions options;
    float            lr;
    ReferenceRule   *rule, *other;      /* other: of what is no matrix */
} reference_cases[] = {
    { "agc", { .kind = OPTIMIZER_sgd, .momentum = 0.9f, .weight_decay = 0.05f, .clip_norm = 0.3f, .clip_mode = CLIP_agc }, 0.1f,
      reference_sgd, reference_sgd },
    { "lion", { .kind = OPTIMIZER_lion, .beta1 = 0.9f, .beta2 = 0.99f, .weight_decay = 0.5f, .clip_norm = 1 }, 0.01f,
      reference_lion, reference_lion },
    { "lamb", { .kind = OPTIMIZER_lamb, .beta1 = 0.9f, .beta2 = 0.99f, .eps = 1e-6f, .weight_decay = 0.05f, .clip_norm = 1 }, 0.02f,
      reference_lamb, reference_lamb },
    { "lars", { .kind = OPTIMIZER_lars, .momentum = 0.9f, .weight_decay = 0.05f, .clip_norm = 1 }, 0.5f, reference_lars, reference_lars },
    { "muon beside adamw", { .kind = OPTIMIZER_muon, .momentum = 0.9f, .nesterov = true, .beta1 = 0.9f, .beta2 = 0.99f, .eps = 1e-6f,
                             .weight_decay = 0.05f, .clip_norm = 1, .other = OPTIMIZER_adamw, .other_lr = 0.25f }, 0.02f,
      reference_muon, reference_adamw },
    { "muon beside sgd", { .kind = OPTIMIZER_muon, .momentum = 0.6f, .weight_decay = 0.1f, .other = OPTIMIZER_sgd, .other_lr = 2 }, 0.02f,
      reference_muon, reference_sgd },
    { "muon as airbench has it", { .kind = OPTIMIZER_muon, .momentum = 0.6f, .nesterov = true, .weight_decay = 0.01f, .other = OPTIMIZER_sgd, .other_lr = 1,
                                   .other_momentum = 0.85f, .muon_rounds = 3, .muon_normalise = true }, 0.24f, reference_muon, reference_sgd },
};

/* All gradients of a step, in double, as the clipping leaves them. */
static void clip_reference(Network *net, Reference *r, int count, const OptimizerOptions *o)
{
    double sum = 0;
    for (int p = 0; p < count; p++)
        sum += pow(norm_of(r[p].g, r[p].param->count), 2);
    for (int p = 0; p < count; p++) {
        const size_t outputs = r[p].param->rank > 1 ? (size_t)r[p].param->dims[0] : 1, size = r[p].param->count / outputs;
        for (size_t i = 0; i < outputs && o->clip_norm > 0; i++) {
            double *g = r[p].g + i * size, scale = fmin(1, o->clip_norm / (sqrt(sum) + 1e-6));
            if (o->clip_mode == CLIP_agc)
                scale = parameter_in_head(net, r[p].param)
                            ? 1 : fmin(1, o->clip_norm * fmax(norm_of(r[p].w + i * size, size), 1e-3) / fmax(norm_of(g, size), 1e-6));
            for (size_t k = 0; k < size; k++)
                g[k] *= scale;
        }
    }
}

static void run_reference(Network *net, const struct ReferenceCase *c, Reference *r)
{
    const OptimizerOptions *o = &c->options;
    OptimizerOptions beside = *o;
    beside.momentum = o->other_momentum > 0 ? o->other_momentum : o->momentum;
    const Param *params[NET_PARAMS];
    const int count = net_trained(net, params);
    for (int p = 0; p < count; p++) {
        r[p] = (Reference){ .param = params[p] };
        for (size_t i = 0; i < params[p]->count; i++)
            r[p].w[i] = net_number(7000 + (uint64_t)p, i);
    }
    for (int s = 0; s < NET_STEPS; s++) {
        const double lr = (double)c->lr * (1 - s / 20.0);
        for (int p = 0; p < count; p++)
            for (size_t i = 0; i < params[p]->count; i++)
                r[p].g[i] = net_number(100 * (uint64_t)p + (uint64_t)s, i);
        clip_reference(net, r, count, o);
        for (int p = 0; p < count; p++) {
            const double decay = params[p]->role == PARAM_weight ? o->weight_decay : 0;
            if (is_matrix(params[p]) || c->rule == c->other)
                c->rule(&r[p], o, lr, decay, s + 1);
            else
                c->other(&r[p], &beside, lr * (double)o->other_lr, decay, s + 1);
        }
    }
}

static void check_reference(const struct ReferenceCase *c, int plan)
{
    OptimizerNet s = optimizer_net(&net_plans[plan]);
    Reference *r = calloc(NET_PARAMS, sizeof *r);
    const Param *params[NET_PARAMS];
    const int count = net_trained(s.net, params);
    Optimizer *optimizer = optimizer_new(s.net, &c->options);
    net_run(s.net, optimizer, c->lr);
    run_reference(s.net, c, r);
    for (int p = 0; p < count; p++) {
        float plain[NET_MOST];
        parameters_export(s.net, network_parameters(s.net)->values, params[p], plain);
        for (size_t i = 0; i < params[p]->count; i++)
            assert_close(c->name, net_plan_names[plan], params[p]->name, i, (double)plain[i], r[p].w[i]);
    }
    net_expect_padding(c->name, s.net, network_parameters(s.net)->values);
    for (int k = 0; k < optimizer->states; k++)
        net_expect_padding(c->name, s.net, optimizer->state[k]);
    optimizer_free(optimizer);
    free(r);
    optimizer_net_free(&s);
}

static void matches_papers(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof reference_cases / sizeof *reference_cases; c++)
        for (int plan = 0; plan < NET_PLANS; plan++)
            check_reference(&reference_cases[c], plan);
}

/* ---- bits ---- */

/* One thread or three: the same bits. */
static void ignores_threads(void **state)
{
    (void)state;
    const int before = omp_get_max_threads();
    for (int kind = 0; kind < OPTIMIZER_COUNT; kind++) {
        const OptimizerOptions options = net_options((OptimizerKind)kind);
        OptimizerNet s[2];
        Optimizer *optimizers[2];
        for (int run = 0; run < 2; run++) {
            s[run] = optimizer_net(&net_plans[1]);
            omp_set_num_threads(run ? 3 : 1);
            optimizers[run] = optimizer_new(s[run].net, &options);
            net_run(s[run].net, optimizers[run], 0.02f);
            omp_set_num_threads(before);
        }
        const Parameters *a = network_parameters(s[0].net), *b = network_parameters(s[1].net);
        if (memcmp(a->values, b->values, a->trained * sizeof(float)))
            fail_msg("%s: other bits with three threads", optimizer_name((OptimizerKind)kind));
        for (int run = 0; run < 2; run++) {
            optimizer_free(optimizers[run]);
            optimizer_net_free(&s[run]);
        }
    }
}

/* ---- names and what a rule must say ---- */

static void every_rule_is_described(void **state)
{
    (void)state;
    for (int kind = 0; kind < OPTIMIZER_COUNT; kind++) {
        const OptimizerRule *rule = optimizer_rule((OptimizerKind)kind);
        assert_true((rule->chunk != NULL) != (rule->tensor != NULL));
        assert_true(rule->name && rule->aliases && rule->about && strlen(rule->about) > 10);
        assert_non_null(strstr(rule->defaults, "lr="));
        assert_non_null(strstr(rule->defaults, "weight-decay="));
        assert_true(optimizer_rule_states(rule) >= 1);
        OptimizerKind back;
        assert_true(optimizer_parse(rule->name, "--opt", &back, NULL) && back == (OptimizerKind)kind);
    }
    assert_string_equal(optimizer_state_name(OPTIMIZER_muon, 1), "exp_avg_sq");      /* adamw's, beside it */
}

/* Muon beside sgd keeps one state, beside adamw two. */
static void states_are_those_in_use(void **state)
{
    (void)state;
    static const struct { OptimizerKind kind, other; int states; } cases[] = {
        { OPTIMIZER_sgd, OPTIMIZER_adamw, 1 }, { OPTIMIZER_adamw, OPTIMIZER_sgd, 2 }, { OPTIMIZER_muon, OPTIMIZER_sgd, 1 },
        { OPTIMIZER_muon, OPTIMIZER_adamw, 2 },
    };
    OptimizerNet s = optimizer_net(&net_plans[0]);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        Optimizer *optimizer = optimizer_new(s.net, &(OptimizerOptions){ .kind = cases[c].kind, .other = cases[c].other, .eps = 1e-8f });
        assert_int_equal(optimizer->states, cases[c].states);
        optimizer_free(optimizer);
    }
    optimizer_net_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_have_padding),
        cmocka_unit_test(matches_pytorch),
        cmocka_unit_test(matches_papers),
        cmocka_unit_test(ignores_threads),
        cmocka_unit_test(states_are_those_in_use),
        cmocka_unit_test(every_rule_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
