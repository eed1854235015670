/* test_optimizer.c - three steps against PyTorch, many against a loop in double, and what a step must leave alone. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer.h"
#include "random.h"

static const ModuleOps holder_ops = { .kind = "holder" };

/* A network of one module that only holds parameters: a weight of rows x columns, a bias, and running statistics. */
static Network *network_of(int rows, int columns)
{
    Network *net = network_new();
    const Tensor *image = network_input(net, (Shape){ columns, 1, 1 });
    Module *holder = network_add_module(net, sizeof *holder, &holder_ops, "fc", image, NULL);
    network_add_param(net, holder, "running_mean", PARAM_buffer, 1, (int64_t[]){ rows }, (Init){ .constant = 7 });
    network_add_param(net, holder, "bias", PARAM_plain, 1, (int64_t[]){ rows }, (Init){0});
    network_add_param(net, holder, "weight", PARAM_weight, 2, (int64_t[]){ rows, columns }, (Init){0});
    network_add_output(net, holder, (Shape){ rows, 1, 1 });
    parameters_init(net, 1);
    Parameters *p = network_parameters(net);
    p->gradients = allocate(p->trained, sizeof(float), "gradients");      /* what compiling a training program does */
    return net;
}

/* torch.optim of PyTorch 1.13.1, three steps with lr 0.1, 0.075, 0.05; clipping by torch.nn.utils.clip_grad_norm_.
 * w[i] = (5 i mod 7 - 3) / 4, b[i] = (3 i mod 5 - 2) / 8; at step s the gradients are
 * ((7 i + 5 s) mod 11 - 5) / 8 and ((4 i + 3 s + 2) mod 9 - 4) / 16. Only w is decayed. */
static const struct {
    const char      *name;
    OptimizerOptions options;
    double           weight[6], bias[3];
} torch_cases[] = {
    { "sgd", { .kind = OPTIMIZER_sgd },
      { -0.71875, 0.506249964, 0.015625, -0.578125, 0.784375012, 0.293749988 }, { -0.254687488, 0.134374991, -0.115625001 } },
    { "sgd, momentum, decay", { .kind = OPTIMIZER_sgd, .momentum = 0.9f, .weight_decay = 0.05f },
      { -0.637756288, 0.492490828, 0.0255658589, -0.629967451, 0.784880221, 0.317955256 }, { -0.244000003, 0.13212499, -0.0953750014 } },
    { "sgd, nesterov, decay", { .kind = OPTIMIZER_sgd, .momentum = 0.9f, .nesterov = true, .weight_decay = 0.05f },
      { -0.610641956, 0.494177371, 0.0383230411, -0.68834269, 0.807357311, 0.351503074 }, { -0.249287486, 0.140787497, -0.0889625028 } },
    { "sgd, momentum, decay, clipped", { .kind = OPTIMIZER_sgd, .momentum = 0.9f, .weight_decay = 0.05f, .clip_norm = 0.5f },
      { -0.689573407, 0.494443864, 0.00975104421, -0.55533874, 0.762608051, 0.27791521 }, { -0.247494236, 0.129812405, -0.111021161 } },
    { "adamw", { .kind = OPTIMIZER_adamw, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .weight_decay = 0.05f },
      { -0.596381664, 0.429243028, 0.0939245522, -0.667262852, 0.710107923, 0.384857565 }, { -0.152891338, 0.0732403398, 0.0209609792 } },
    { "adamw, clipped", { .kind = OPTIMIZER_adamw, .beta1 = 0.8f, .beta2 = 0.99f, .eps = 1e-3f, .weight_decay = 0.3f, .clip_norm = 0.5f },
      { -0.567001462, 0.414007992, 0.0815538391, -0.629988551, 0.678076446, 0.358889222 }, { -0.166384384, 0.0835282505, 0.0116544161 } },
};
static const double torch_norms[3] = { 1.0625, 0.96217525, 1.0716517 };      /* before clipping */

static void set_gradients(Network *net, int step)
{
    float weight[6], bias[3];
    for (int i = 0; i < 6; i++)
        weight[i] = (float)((i * 7 + step * 5) % 11 - 5) / 8;
    for (int i = 0; i < 3; i++)
        bias[i] = (float)((i * 4 + step * 3 + 2) % 9 - 4) / 16;
    float *gradients = network_parameters(net)->gradients;
    parameters_import(net, gradients, network_param_find(net, "fc.weight"), weight);
    parameters_import(net, gradients, network_param_find(net, "fc.bias"), bias);
}

static void assert_values(const char *name, Network *net, const char *param, const double *expected, int count)
{
    float values[6];
    parameters_export(net, network_parameters(net)->values, network_param_find(net, param), values);
    for (int i = 0; i < count; i++)
        if (!(fabs(values[i] - expected[i]) <= 1e-6))
            fail_msg("%s: %s[%d] is %.9g, expected %.9g", name, param, i, (double)values[i], expected[i]);
}

static void matches_pytorch(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof torch_cases / sizeof *torch_cases; c++) {
        Network *net = network_of(3, 2);
        float weight[6], bias[3];
        for (int i = 0; i < 6; i++)
            weight[i] = (float)(i * 5 % 7 - 3) / 4;
        for (int i = 0; i < 3; i++)
            bias[i] = (float)(i * 3 % 5 - 2) / 8;
        Parameters *p = network_parameters(net);
        parameters_import(net, p->values, network_param_find(net, "fc.weight"), weight);
        parameters_import(net, p->values, network_param_find(net, "fc.bias"), bias);

        Optimizer *optimizer = optimizer_new(net, &torch_cases[c].options);
        for (int step = 0; step < 3; step++) {
            set_gradients(net, step);
            const uint64_t version = p->version;
            const double norm = optimizer_step(optimizer, 0.1f * (1 - 0.25f * (float)step));
            assert_true(fabs(norm - torch_norms[step]) <= 1e-6);
            assert_true(p->version > version);
        }
        assert_int_equal(optimizer->steps, 3);
        assert_values(torch_cases[c].name, net, "fc.weight", torch_cases[c].weight, 6);
        assert_values(torch_cases[c].name, net, "fc.bias", torch_cases[c].bias, 3);
        assert_values(torch_cases[c].name, net, "fc.running_mean", (double[]){ 7, 7, 7 }, 3);
        optimizer_free(optimizer);
        network_free(net);
    }
}

/* As PyTorch counts: what was frozen for a thousand steps then goes as it would have gone in the first ones. */
static void thaws_as_new(void **state)
{
    (void)state;
    const size_t adamw = 4;
    Network *net = network_of(3, 2);
    float bias[3];
    for (int i = 0; i < 3; i++)
        bias[i] = (float)(i * 3 % 5 - 2) / 8;
    parameters_import(net, network_parameters(net)->values, network_param_find(net, "fc.bias"), bias);
    Param *held = network_param(net, network_param_find(net, "fc.bias")->index);
    held->frozen = true;
    Optimizer *optimizer = optimizer_new(net, &torch_cases[adamw].options);
    for (int step = 0; step < 1000; step++) {
        set_gradients(net, step);
        optimizer_step(optimizer, 0.001f);
    }
    held->frozen = false;
    optimizer_regroup(optimizer, optimizer->steps);
    for (int step = 0; step < 3; step++) {
        set_gradients(net, step);
        optimizer_step(optimizer, 0.1f * (1 - 0.25f * (float)step));
    }
    assert_int_equal(optimizer->steps, 1003);
    assert_values("thawed", net, "fc.bias", torch_cases[adamw].bias, 3);
    optimizer_free(optimizer);
    network_free(net);
}

/* One element in double, straight from the formulas of optimizer.h. */
static void reference_step(const OptimizerOptions *o, double lr, double t, double decay, double g,
                           double *w, double *first, double *second)
{
    if (o->kind == OPTIMIZER_sgd) {
        g += decay * *w;
        *first = o->momentum * *first + g;
        *w -= lr * (o->nesterov ? g + o->momentum * *first : *first);
        return;
    }
    const double beta1 = o->beta1, beta2 = o->beta2;
    *first = beta1 * *first + (1 - beta1) * g;
    *second = beta2 * *second + (1 - beta2) * g * g;
    *w -= lr * decay * *w;
    *w -= lr * (*first / (1 - pow(beta1, t))) / (sqrt(*second / (1 - pow(beta2, t))) + o->eps);
}

enum { ROWS = 211, COLUMNS = 193, STEPS = 5 };      /* several chunks, none of them full at the end */

static const OptimizerOptions long_cases[] = {
    { .kind = OPTIMIZER_sgd, .momentum = 0.9f, .nesterov = true, .weight_decay = 0.01f, .clip_norm = 1 },
    { .kind = OPTIMIZER_adamw, .beta1 = 0.9f, .beta2 = 0.99f, .eps = 1e-6f, .weight_decay = 0.1f, .clip_norm = 1 },
};

static void matches_double(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof long_cases / sizeof *long_cases; c++) {
        const OptimizerOptions *options = &long_cases[c];
        Network *net = network_of(ROWS, COLUMNS);
        Parameters *p = network_parameters(net);
        Optimizer *optimizer = optimizer_new(net, options);
        double *w = allocate(3 * p->trained, sizeof *w, "a reference"), *first = w + p->trained, *second = first + p->trained;
        Random random = random_stream(c, 0, 0, RANDOM_init);
        for (size_t i = 0; i < p->trained; i++)
            w[i] = p->values[i] = random_normal(&random);
        for (int step = 1; step <= STEPS; step++) {
            double squares = 0;
            for (size_t i = 0; i < p->trained; i++) {
                p->gradients[i] = 0.1f * random_normal(&random);
                squares += (double)p->gradients[i] * p->gradients[i];
            }
            const double norm = sqrt(squares), scale = fmin(1, 1 / norm);
            assert_true(fabs(optimizer_step(optimizer, 0.01f) - norm) <= 1e-9 * norm);
            for (size_t i = 0; i < p->trained; i++)
                reference_step(options, 0.01f, step, i < p->decayed ? options->weight_decay : 0, scale * p->gradients[i],
                               &w[i], &first[i], &second[i]);
        }
        for (size_t i = 0; i < p->trained; i++)
            if (!(fabs(w[i] - p->values[i]) <= 2e-6 * (1 + fabs(w[i]))))
                fail_msg("%s: element %zu is %.9g, expected %.9g", optimizer_name(options->kind), i, (double)p->values[i], w[i]);
        free(w);
        optimizer_free(optimizer);
        network_free(net);
    }
}

/* Values and states after STEPS steps on 1 and on 3 threads: the same bits. */
static void ignores_threads(void **state)
{
    (void)state;
    const int before = omp_get_max_threads();
    for (size_t c = 0; c < sizeof long_cases / sizeof *long_cases; c++) {
        Network *nets[2];
        Optimizer *optimizers[2];
        for (int run = 0; run < 2; run++) {
            omp_set_num_threads(run ? 3 : 1);
            nets[run] = network_of(ROWS, COLUMNS);
            optimizers[run] = optimizer_new(nets[run], &long_cases[c]);
            Parameters *p = network_parameters(nets[run]);
            Random random = random_stream(9, 0, 0, RANDOM_init);
            for (int step = 0; step < STEPS; step++) {
                for (size_t i = 0; i < p->trained; i++)
                    p->gradients[i] = random_normal(&random);
                optimizer_step(optimizers[run], 0.01f);
            }
        }
        const Parameters *p = network_parameters(nets[0]), *q = network_parameters(nets[1]);
        assert_memory_equal(p->values, q->values, p->total * sizeof(float));
        for (int i = 0; i < optimizers[0]->states; i++)
            assert_memory_equal(optimizers[0]->state[i], optimizers[1]->state[i], p->trained * sizeof(float));
        for (int run = 0; run < 2; run++) {
            optimizer_free(optimizers[run]);
            network_free(nets[run]);
        }
    }
    omp_set_num_threads(before);
}

/* Zero gradients and values, as padding has, stay zero; a norm that is not finite changes nothing. */
static void leaves_alone(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof long_cases / sizeof *long_cases; c++) {
        Network *net = network_of(5, 3);
        Parameters *p = network_parameters(net);
        Optimizer *optimizer = optimizer_new(net, &long_cases[c]);
        assert_true(optimizer_step(optimizer, 0.5f) == 0);
        for (size_t i = 0; i < p->trained; i++)
            assert_true(p->values[i] == 0);

        static const float bad[] = { NAN, INFINITY, -INFINITY };
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
            for (size_t i = 0; i < p->trained; i++)
                p->gradients[i] = 1;
            p->gradients[p->trained - 1] = bad[b];
            const uint64_t version = p->version, steps = optimizer->steps;
            assert_false(isfinite(optimizer_step(optimizer, 0.5f)));
            assert_int_equal(p->version, version);
            assert_int_equal(optimizer->steps, steps);
            for (size_t i = 0; i < p->trained; i++)
                assert_true(p->values[i] == 0 && optimizer->state[0][i] == 0);
        }
        optimizer_free(optimizer);
        network_free(net);
    }
}

static void names(void **state)
{
    (void)state;
    OptimizerKind kind;
    Error error;
    assert_memory_equal(optimizer_names(), "sgd adamw", 9);
    for (int i = 0; i < OPTIMIZER_COUNT; i++) {
        assert_true(optimizer_parse(optimizer_name((OptimizerKind)i), "--opt", &kind, NULL));
        assert_int_equal(kind, i);
    }
    assert_string_equal(optimizer_state_name(OPTIMIZER_sgd, 0), "momentum_buffer");
    assert_string_equal(optimizer_state_name(OPTIMIZER_adamw, 0), "exp_avg");
    assert_string_equal(optimizer_state_name(OPTIMIZER_adamw, 1), "exp_avg_sq");
    assert_false(optimizer_parse("addamw", "--opt", &kind, &error));
    assert_int_equal(error.code, EXIT_usage);
    assert_non_null(strstr(error.text, "'addamw': --opt: did you mean adamw"));
    assert_non_null(strstr(error.text, "choose one of sgd adamw"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_pytorch),
        cmocka_unit_test(thaws_as_new),
        cmocka_unit_test(matches_double),
        cmocka_unit_test(ignores_threads),
        cmocka_unit_test(leaves_alone),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
