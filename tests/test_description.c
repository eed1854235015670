/* test_description.c - a module's description is enough to build it again: shapes and multiply-adds by formulas of its numbers
 * alone, and whole networks from the descriptions of their modules, which then compute the same bytes. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "architectures.h"
#include "description.h"
#include "module_cases.h"
#include "parameters.h"
#include "random.h"

/* ---- one row a kind: how it is built from its description, and what it must come to ---- */

typedef const ModuleDescription Description;

static int   integer(Description *d, const char *name) { return (int)description_get_integer(d, name); }
static Shape pixel(int channels)                       { return (Shape){ channels, 1, 1 }; }

#define MAKE(kind) static Tensor *make_##kind(Network *net, Description *d, const Tensor *a, const Tensor *b __attribute__((unused)))
#define SHAPE(kind) static Shape shape_##kind(Description *d)
#define MACS(kind)  static double macs_##kind(Description *d)

MAKE(conv2d)
{
    const bool same = integer(d, "same");
    return conv2d(net, d->name, a, integer(d, "channels"), (Conv2d){ .kernel = integer(d, "kernel"), .stride = integer(d, "stride"),
                  .pad = same ? 0 : integer(d, "pad_top"), .same = same, .groups = integer(d, "groups"), .bias = description_get_param(d, "bias") });
}
MAKE(pixel_linear)      { return pixel_linear(net, d->name, a, integer(d, "channels")); }
MAKE(linear)
{
    return linear_with(net, d->name, a, integer(d, "features"), (Linear){ .no_bias = !description_get_param(d, "bias") });
}
MAKE(batchnorm)
{
    return batchnorm_with(net, d->name, a, (BatchNorm){ description_get_float(d, "eps"), description_get_float(d, "momentum") });
}
MAKE(layernorm)         { return layernorm(net, d->name, a, description_get_float(d, "eps")); }
MAKE(activation)        { return activation(net, d->name, a, d->function); }
MAKE(max_pool)
{
    return max_pool(net, d->name, a, (Pool){ integer(d, "kernel"), integer(d, "stride"), integer(d, "pad") });
}
MAKE(avg_pool)
{
    return avg_pool(net, d->name, a, (Pool){ integer(d, "kernel"), integer(d, "stride"), integer(d, "pad") });
}
MAKE(adaptive_avg_pool) { return adaptive_avg_pool(net, d->name, a, integer(d, "side")); }
MAKE(global_avg_pool)   { return global_avg_pool(net, d->name, a); }
MAKE(dropout)           { return dropout(net, d->name, a, description_get_float(d, "p")); }
MAKE(drop_path)         { return drop_path(net, d->name, a, description_get_float(d, "p")); }
MAKE(add)               { return add(net, d->name, a, b); }
MAKE(layer_scale)       { return layer_scale(net, d->name, a, description_get_float(d, "start")); }
MAKE(constant_scale)    { return constant_scale(net, d->name, a, description_get_float(d, "factor")); }
MAKE(channel_gate)      { return channel_gate(net, d->name, a, b); }
MAKE(flatten)           { return flatten(net, d->name, a); }

SHAPE(conv2d)
{
    const int kernel = integer(d, "kernel"), stride = integer(d, "stride");
    const Shape in = d->in[0];
    return (Shape){ integer(d, "channels"), 1 + (in.h + integer(d, "pad_top") + integer(d, "pad_bottom") - kernel) / stride,
                    1 + (in.w + integer(d, "pad_left") + integer(d, "pad_right") - kernel) / stride };
}
SHAPE(linear)            { return pixel(integer(d, "features")); }
SHAPE(same)              { return d->in[0]; }
SHAPE(activation)
{
    Shape shape = d->in[0];
    shape.c /= activation_is_gated(d->function) ? 2 : 1;
    return shape;
}
SHAPE(pool)
{
    const int room = 2 * integer(d, "pad") - integer(d, "kernel"), stride = integer(d, "stride");
    return (Shape){ d->in[0].c, 1 + (d->in[0].h + room) / stride, 1 + (d->in[0].w + room) / stride };
}
SHAPE(adaptive)          { return (Shape){ d->in[0].c, integer(d, "side"), integer(d, "side") }; }
SHAPE(global)            { return pixel(d->in[0].c); }
SHAPE(flat)              { return pixel((int)shape_size(d->in[0])); }

MACS(conv2d)
{
    const double window = (double)integer(d, "kernel") * integer(d, "kernel") * d->in[0].c / integer(d, "groups");
    return window * (double)shape_size(d->out);
}
MACS(linear)             { return (double)shape_size(d->in[0]) * integer(d, "features"); }
MACS(none)               { (void)d; return 0; }

static struct {
    const char *kind, *params;      /* its parameters, an optional one in brackets */
    Tensor   *(*build)(Network *net, Description *d, const Tensor *a, const Tensor *b);
    Shape     (*shape)(Description *d);
    double    (*macs)(Description *d);
    int         seen;
} kinds[] = {
    { "conv2d",            "weight [bias]", make_conv2d,            shape_conv2d,   macs_conv2d, 0 },
    { "pixel_linear",      "weight bias",   make_pixel_linear,      shape_conv2d,   macs_conv2d, 0 },
    { "linear",            "weight [bias]", make_linear,            shape_linear,   macs_linear, 0 },
    { "batchnorm",         "weight bias running_mean running_var num_batches_tracked", make_batchnorm, shape_same, macs_none, 0 },
    { "layernorm",         "weight bias",   make_layernorm,         shape_same,     macs_none, 0 },
    { "activation",        "[weight] [a] [b]", make_activation,     shape_activation,    macs_none, 0 },
    { "max_pool",          "",              make_max_pool,          shape_pool,     macs_none, 0 },
    { "avg_pool",          "",              make_avg_pool,          shape_pool,     macs_none, 0 },
    { "adaptive_avg_pool", "",              make_adaptive_avg_pool, shape_adaptive, macs_none, 0 },
    { "global_avg_pool",   "",              make_global_avg_pool,   shape_global,   macs_none, 0 },
    { "dropout",           "",              make_dropout,           shape_same,     macs_none, 0 },
    { "drop_path",         "",              make_drop_path,          shape_same,     macs_none, 0 },
    { "add",               "",              make_add,               shape_same,     macs_none, 0 },
    { "layer_scale",       "layer_scale",   make_layer_scale,       shape_same,     macs_none, 0 },
    { "constant_scale",    "",              make_constant_scale,    shape_same,     macs_none, 0 },
    { "channel_gate",      "",              make_channel_gate,      shape_same,     macs_none, 0 },
    { "flatten",           "",              make_flatten,           shape_flat,     macs_none, 0 },
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static int kind_of(Description *d)
{
    for (int i = 0; i < KINDS; i++)
        if (!strcmp(kinds[i].kind, d->kind))
            return i;
    fail_msg("a kind without a row: %s '%s'", d->kind, d->name);
    return -1;
}

/* ---- comparing ---- */

static bool same_shape(Shape a, Shape b) { return a.c == b.c && a.h == b.h && a.w == b.w; }

static void check_params(Description *d, const char *expected)
{
    char words[256];
    int known = 0;
    snprintf(words, sizeof words, "%s", expected);
    for (char *rest, *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char part[64];
        snprintf(part, sizeof part, "%.*s", (int)strcspn(word + (*word == '['), "]"), word + (*word == '['));
        const Param *param = description_get_param(d, part);
        if (!param && *word != '[')
            fail_msg("%s '%s' has no '%s'", d->kind, d->name, part);
        known += param != NULL;
    }
    assert_int_equal(known, d->param_count);
}

static void check_formulas(const Network *net)
{
    for (int i = 0; i < network_module_count(net); i++) {
        const ModuleDescription d = network_describe(net, network_module(net, i));
        const int kind = kind_of(&d);
        const Shape shape = kinds[kind].shape(&d);
        kinds[kind].seen++;
        if (!same_shape(shape, d.out) || !same_shape(d.out, network_module(net, i)->out->shape))
            fail_msg("%s '%s': %d x %d x %d by its numbers, %d x %d x %d", d.kind, d.name, shape.c, shape.h, shape.w, d.out.c, d.out.h, d.out.w);
        if (kinds[kind].macs(&d) != d.macs)
            fail_msg("%s '%s': %.0f multiply-adds by its numbers, %.0f", d.kind, d.name, kinds[kind].macs(&d), d.macs);
        check_params(&d, kinds[kind].params);
    }
}

static void check_equal(Description *a, Description *b)
{
    assert_string_equal(a->kind, b->kind);
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->inputs, b->inputs);
    assert_true(same_shape(a->out, b->out) && a->macs == b->macs);
    assert_true(a->function.info == b->function.info && a->function.parameters[0] == b->function.parameters[0]);
    assert_true(a->integer_count == b->integer_count && a->float_count == b->float_count && a->param_count == b->param_count);
    for (int i = 0; i < a->integer_count; i++) {
        assert_string_equal(a->integers[i].name, b->integers[i].name);
        assert_int_equal(a->integers[i].value, b->integers[i].value);
    }
    for (int i = 0; i < a->float_count; i++) {
        assert_string_equal(a->floats[i].name, b->floats[i].name);
        assert_true(a->floats[i].value == b->floats[i].value);
    }
    for (int i = 0; i < a->param_count; i++) {
        assert_string_equal(a->params[i]->name, b->params[i]->name);
        assert_int_equal(a->params[i]->role, b->params[i]->role);
        assert_int_equal(a->params[i]->rank, b->params[i]->rank);
        assert_memory_equal(a->params[i]->dims, b->params[i]->dims, sizeof a->params[i]->dims);
    }
}

/* The same network out of descriptions, and of who reads whom. */
static Network *rebuild(const Network *net)
{
    Network *copy = network_new();
    const Tensor **tensors = allocate((size_t)network_tensor_count(net), sizeof *tensors, "tensors");
    tensors[network_image(net)->index] = network_input(copy, network_image(net)->shape);
    for (int i = 0; i < network_module_count(net); i++) {
        const Module *module = network_module(net, i);
        const ModuleDescription d = network_describe(net, module);
        tensors[module->out->index] = kinds[kind_of(&d)].build(copy, &d, tensors[module->in[0]->index],
                                                               module->inputs > 1 ? tensors[module->in[1]->index] : NULL);
    }
    free(tensors);
    assert_int_equal(network_module_count(copy), network_module_count(net));
    for (int i = 0; i < network_module_count(net); i++) {
        const ModuleDescription a = network_describe(net, network_module(net, i)), b = network_describe(copy, network_module(copy, i));
        check_equal(&a, &b);
    }
    return copy;
}

/* ---- the tests ---- */

static void every_case(void **state)
{
    (void)state;
    for (int i = 0; i < module_case_count; i++) {
        const ModuleCase *row = &module_cases[i];
        Reference *r = reference_new(row->n, row->in);
        row->build(r, row, network_image(r->net));
        check_formulas(r->net);
        network_free(rebuild(r->net));
        reference_free(r);
    }
    for (int i = 0; i < KINDS; i++)
        if (!kinds[i].seen)
            fail_msg("%s was in no case", kinds[i].kind);
}

/* What stood in the constructors' calls. */
static void numbers_as_given(void **state)
{
    (void)state;
    Network *net = network_new();
    const Tensor *x = network_input(net, (Shape){ 6, 9, 8 });
    x = conv2d(net, "c", x, 10, (Conv2d){ .kernel = 5, .stride = 2, .same = true, .groups = 2 });
    x = batchnorm_with(net, "b", x, (BatchNorm){ .eps = 0.25f, .momentum = 0.5f });
    x = layernorm(net, "l", x, 0.125f);
    x = max_pool(net, "p", x, (Pool){ .kernel = 3, .pad = 1 });
    x = dropout(net, "d", x, 0.375f);
    x = layer_scale(net, "s", x, 0.0625f);
    x = linear(net, "f", x, 7);
    constant_scale(net, "t", x, 0.75f);
    static const struct { int module; const char *name; int value; } integers[] = {
        { 0, "channels", 10 }, { 0, "kernel", 5 }, { 0, "stride", 2 }, { 0, "groups", 2 }, { 0, "same", 1 },
        /* 9 rows -> 5: 4 * 2 + 5 - 9 = 4 are missing; 8 columns -> 4: 3 * 2 + 5 - 8 = 3 */
        { 0, "pad_top", 2 }, { 0, "pad_bottom", 2 }, { 0, "pad_left", 1 }, { 0, "pad_right", 2 },
        { 3, "kernel", 3 }, { 3, "stride", 3 }, { 3, "pad", 1 }, { 6, "features", 7 },
    };
    static const struct { int module; const char *name; float value; } floats[] = {
        { 1, "eps", 0.25f }, { 1, "momentum", 0.5f }, { 2, "eps", 0.125f }, { 4, "p", 0.375f }, { 5, "start", 0.0625f }, { 7, "factor", 0.75f },
    };
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        const ModuleDescription d = network_describe(net, network_module(net, integers[i].module));
        if (description_get_integer(&d, integers[i].name) != integers[i].value)
            fail_msg("%s: %s is %lld", d.kind, integers[i].name, (long long)description_get_integer(&d, integers[i].name));
    }
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        const ModuleDescription d = network_describe(net, network_module(net, floats[i].module));
        assert_true(description_get_float(&d, floats[i].name) == floats[i].value);
    }
    network_free(net);
}

static void copy_values(Network *from, Network *to)
{
    for (int i = 0; i < network_param_count(from); i++) {
        const Param *param = network_param(from, i);
        if (param->role == PARAM_counter)
            continue;
        float *plain = allocate(param->count, sizeof *plain, "a parameter");
        parameters_export(from, network_parameters(from)->values, param, plain);
        parameters_import(to, network_parameters(to)->values, network_param_find(to, param->name), plain);
        free(plain);
    }
}

/* The logits of two random images; the caller frees them. */
static float *logits_of(Network *net, Purpose purpose)
{
    enum { BATCH = 2 };
    const size_t pixels = BATCH * shape_size(network_image(net)->shape), count = BATCH * (size_t)network_logits(net)->shape.c;
    Program *program = program_compile(net, &(Plan){ 0 }, purpose, BATCH);
    Random random = random_stream(1, 0, 0, RANDOM_init);
    for (size_t i = 0; i < pixels; i++)
        program_image(program)[i] = random_normal(&random);
    program_set_step(program, 1, 2);
    program_forward(program);
    float *logits = allocate(count, sizeof *logits, "logits");
    memcpy(logits, program_logits(program), count * sizeof *logits);
    program_free(program);
    return logits;
}

static void every_architecture(void **state)
{
    (void)state;
    for (int i = 0; i < architecture_count(); i++) {
        const Architecture *arch = architecture_at(i);
        const bool excites = strstr(arch->key, "efficientnet") != NULL;      /* refused elsewhere */
        const ArchOptions options = { .classes = 5, .squeeze_excite = excites, .act = activation_of(ACT_prelu) };
        Network *net = architecture_network(arch, (Shape){ 3, 32, 32 }, &options, NULL);
        check_formulas(net);
        Network *copy = rebuild(net);
        assert_int_equal(network_trained_count(net), network_trained_count(copy));
        for (int training = 0; network_trained_count(net) < 5000000 && training <= 1; training++) {
            const Purpose purpose = training ? PURPOSE_training : PURPOSE_inference;
            parameters_init(net, 3);
            parameters_init(copy, 4);
            copy_values(net, copy);
            float *expected = logits_of(net, purpose), *got = logits_of(copy, purpose);
            if (memcmp(expected, got, 2 * 5 * sizeof *got))
                fail_msg("%s, %s: other logits: %g, expected %g", arch->key, training ? "training" : "inference", (double)*got, (double)*expected);
            free(expected);
            free(got);
        }
        network_free(net);
        network_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case), cmocka_unit_test(numbers_as_given), cmocka_unit_test(every_architecture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
