/* test_checkpoint_match.c - a file's tensors beside a network's: what each row says, and names that other programs write. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "architectures.h"
#include "checkpoint_match.h"
#include "holder.h"
#include "scratch.h"

static char folder[256], file[256];

/* ---- files made of a network's own tensors ---- */

typedef struct Source { Network *network; const Param *param; bool real; } Source;

static void source_fill(const void *context, void *data)
{
    const Source *source = context;
    if (source->param->role == PARAM_counter && source->real)
        memcpy(data, &(float){ 7 }, sizeof(float));
    else if (source->param->role == PARAM_counter)
        memcpy(data, parameters_counter(source->network, source->param), sizeof(int64_t));
    else
        parameters_export(source->network, network_parameters(source->network)->values, source->param, data);
}

/* How a file differs from what checkpoint_save would write. */
typedef struct Change {
    const char *prefix;                              /* in front of each name */
    const char *(*name)(const char *ours, char *text);     /* NULL: ours */
    const char *without;                             /* names that hold this are left out */
    const char *plain;                               /* the one tensor that gets no prefix */
    void      (*dims)(const Param *param, int *rank, int64_t *dims);
    int         counter_rank;                        /* 1: counters of shape [1] */
    bool        counter_real;                        /* counters are F32 */
    const char *counter;                             /* one more, of this name */
} Change;

static void fill_one(const void *context, void *data)
{
    (void)context;
    memcpy(data, &(int64_t){ 1 }, sizeof(int64_t));
}

static void write_changed(Network *net, const Change *change)
{
    SafetensorsWriter *writer = safetensors_writer_new();
    const int count = network_param_count(net);
    Source *sources = allocate((size_t)count, sizeof *sources, "sources");
    for (int i = 0; i < count; i++) {
        const Param *param = network_param(net, i);
        const bool counter = param->role == PARAM_counter;
        char theirs[256], name[512];
        int rank = counter ? change->counter_rank : param->rank;
        int64_t dims[PARAM_MAX_RANK] = { 1 };
        memcpy(dims, param->dims, (size_t)param->rank * sizeof *dims);
        sources[i] = (Source){ net, param, change->counter_real };
        if (change->without && strstr(param->name, change->without))
            continue;
        if (change->dims)
            change->dims(param, &rank, dims);
        snprintf(name, sizeof name, "%s%s", change->prefix && (!change->plain || strcmp(change->plain, param->name)) ? change->prefix : "",
                 change->name ? change->name(param->name, theirs) : param->name);
        safetensors_writer_add(writer, name, counter && !change->counter_real ? DTYPE_I64 : DTYPE_F32, rank, dims, source_fill, &sources[i]);
    }
    if (change->counter)
        safetensors_writer_add(writer, change->counter, DTYPE_I64, 0, NULL, fill_one, NULL);
    safetensors_writer_metadata(writer, "arch", "resnet18");
    assert_true(safetensors_write(writer, file, NULL, NULL));
    safetensors_writer_free(writer);
    free(sources);
}

static bool same_values(Network *a, Network *b)
{
    const Parameters *p = network_parameters(a), *q = network_parameters(b);
    return p->total == q->total && !memcmp(p->values, q->values, p->total * sizeof(float));
}

static Network *network_named(const char *arch, int side, uint64_t seed)
{
    const Architecture *found = architecture_find(arch, NULL);
    const ArchOptions options = { .classes = 3, .act = activation_of(found->act) };
    Network *net = architecture_network(found, (Shape){ 3, side, side }, &options, NULL);
    assert_non_null(net);
    parameters_init(net, seed);
    return net;
}

/* ---- wrapped names, absent counters ---- */

static const struct {
    const char *name;
    Change      change;
    const char *note;          /* in the note; "": there is none; NULL: the file is refused */
    const char *error;
} changes[] = {
    { "as it is",           { 0 },                                             "", NULL },
    { "DataParallel",       { .prefix = "module." },                           "'module.' is taken off", NULL },
    { "torch.compile",      { .prefix = "_orig_mod." },                        "'_orig_mod.' is taken off", NULL },
    { "Lightning",          { .prefix = "model." },                            "'model.' is taken off", NULL },
    { "stacked",            { .prefix = "module._orig_mod." },                 "'module._orig_mod.' is taken off", NULL },
    { "stacked, turned",    { .prefix = "_orig_mod.module." },                 "'_orig_mod.module.' is taken off", NULL },
    { "stacked thrice",     { .prefix = "model._orig_mod.module." },           "'model._orig_mod.module.' is taken off", NULL },
    { "AveragedModel",      { .prefix = "module.", .counter = "n_averaged" },  "'module.' is taken off", NULL },
    { "averaged, plain",    { .counter = "n_averaged" },                       "", NULL },
    { "another counter",    { .counter = "n_counted" },                        NULL, "'n_counted' is not in the model" },
    { "no counters",        { .without = "num_batches_tracked" },              "", NULL },
    { "wrapped, without",   { .prefix = "module.", .without = "num_batches_tracked" }, "'module.' is taken off", NULL },
    { "counters of [1]",    { .counter_rank = 1 },                             "", NULL },
    { "counters converted", { .counter_real = true },                          "", NULL },
    { "unknown wrapper",    { .prefix = "encoder." },                          NULL, "'encoder.bn.num_batches_tracked' is not in the model" },
    { "unknown, its own",   { .prefix = "encoder." },                          NULL, "'conv.weight' is missing" },
    { "unknown, counted",   { .prefix = "encoder." },                          NULL, "of the tensors are 0 equal, 6 missing, 6 not in the model" },
    { "all but one",        { .prefix = "module.", .plain = "fc.bias" },       NULL, "'module.fc.weight' is not in the model" },
    { "a weight is absent", { .prefix = "module.", .without = "fc.bias" },     NULL, "differences 1: 'fc.bias' is missing" },
    { "statistics absent",  { .without = "running_var" },                      NULL, "differences 1: 'bn.running_var' is missing" },
};

static void foreign_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        Network *saved = network_drawn(3, 5, 1), *net = network_drawn(3, 5, 2), *untouched = network_drawn(3, 5, 2);
        char note[512];
        Error error = { 0 };
        write_changed(saved, &changes[i].change);
        const bool ok = checkpoint_import(file, net, note, sizeof note, &error);
        const char *wanted = changes[i].note;
        const bool as_wanted = wanted ? ok && (*wanted ? strstr(note, wanted) && strstr(note, file) : !*note)
                                      : !ok && error.code == EXIT_input && strstr(error.text, changes[i].error);
        if (!as_wanted || !same_values(net, ok ? saved : untouched))
            fail_msg("%s: '%s' '%s', expected '%s' '%s'", changes[i].name, note, error.text, wanted, changes[i].error);
        network_free(saved);
        network_free(net);
        network_free(untouched);
    }
}

/* What a run goes on from was written here: it is taken as it is, or not at all. */
static void resuming_is_strict(void **state)
{
    (void)state;
    static const Change strict[] = { { .prefix = "module." }, { .without = "num_batches_tracked" }, { .counter_real = true } };
    Network *net = network_drawn(3, 5, 1);
    Error error;
    for (size_t i = 0; i < sizeof strict / sizeof *strict; i++) {
        write_changed(net, &strict[i]);
        assert_false(checkpoint_load(file, net, NULL, NULL, NULL, &error));
        assert_non_null(strstr(error.text, strict[i].counter_real ? "has dtype F32" : "is missing"));
    }
    network_free(net);
}

/* A list that has no room for all ends in "and more", and the line keeps what to do. */
static void long_lists(void **state)
{
    (void)state;
    Network *saved = network_named("convnext_atto", 32, 1), *net = network_named("resnet18", 32, 1);
    char note[512];
    Error error;
    write_changed(saved, &(Change){ .prefix = "a.very.long.name.that.somebody.else.gave.to.all.of.it." });
    assert_false(checkpoint_import(file, net, note, sizeof note, &error));
    assert_non_null(strstr(error.text, "; and more: nothing was loaded; of the tensors are 0 equal, 122 missing, "));
    assert_non_null(strstr(error.text, "or rename its tensors"));
    network_free(saved);
    network_free(net);
}

static void rows(void **state)
{
    (void)state;
    Network *net = network_drawn(3, 5, 1), *wider = network_drawn(3, 6, 1);
    write_changed(net, &(Change){ .without = "fc.bias" });
    Safetensors *opened = safetensors_open(file, NULL);
    CheckpointMatch match = checkpoint_match(opened, wider, NULL, false);
    assert_int_equal(match.count, 6);
    assert_int_equal(match.kinds[MATCH_equal], 1);
    assert_int_equal(match.kinds[MATCH_missing], 1);
    assert_int_equal(match.kinds[MATCH_shape], 4);
    assert_false(checkpoint_match_is_equal(&match));
    for (size_t i = 0; i < match.count; i++) {
        const MatchKind wanted = !strcmp(match.rows[i].name, "fc.bias") ? MATCH_missing
                               : strstr(match.rows[i].name, "tracked") ? MATCH_equal : MATCH_shape;
        assert_int_equal(match.rows[i].kind, wanted);
        assert_int_equal(match.rows[i].entry == NULL, wanted == MATCH_missing);
    }
    checkpoint_match_clear(&match);
    safetensors_close(opened);
    network_free(net);
    network_free(wider);
}

/* ---- other layouts ---- */

static const char *tail_after(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) ? NULL : text + strlen(start);
}

/* timm's name for a ConvNeXt's tensor, by numbers: stage 2k + 1 has blocks, 2k shrinks the image before it. */
static const char *timm_name(const char *ours, char *text)
{
    int stage, part, at;
    const char *rest;
    static const char *const parts[] = { "conv_dw", "?", "norm", "mlp.fc1", "?", "mlp.fc2" };
    if ((rest = tail_after(ours, "features.0.")) != NULL)
        sprintf(text, "stem.%s", rest);
    else if (sscanf(ours, "features.%d.%d.block.%d.", &stage, &part, &at) == 3)
        sprintf(text, "stages.%d.blocks.%d.%s.%s", stage / 2, part, parts[at], strrchr(ours, '.') + 1);
    else if (sscanf(ours, "features.%d.%d.", &stage, &part) == 2)
        sprintf(text, "stages.%d.%s.%d.%s", stage / 2, stage % 2 ? "blocks" : "downsample", part,
                stage % 2 ? "gamma" : strrchr(ours, '.') + 1);
    else if ((rest = tail_after(ours, "classifier.0.")) != NULL)
        sprintf(text, "head.norm.%s", rest);
    else
        sprintf(text, "head.fc.%s", strrchr(ours, '.') + 1);
    return text;
}

/* facebookresearch's, models/convnext.py: downsample_layers has the stem as its first. */
static const char *facebook_name(const char *ours, char *text)
{
    int stage, part, at;
    static const char *const parts[] = { "dwconv", "?", "norm", "pwconv1", "?", "pwconv2" };
    const char *last = strrchr(ours, '.') + 1;
    if (sscanf(ours, "features.%d.%d.block.%d.", &stage, &part, &at) == 3)
        sprintf(text, "stages.%d.%d.%s.%s", stage / 2, part, parts[at], last);
    else if (sscanf(ours, "features.%d.%d.", &stage, &part) == 2 && stage % 2)
        sprintf(text, "stages.%d.%d.gamma", stage / 2, part);
    else if (sscanf(ours, "features.%d.%d.", &stage, &part) == 2)
        sprintf(text, "downsample_layers.%d.%d.%s", stage / 2, part, last);
    else
        sprintf(text, "%s.%s", tail_after(ours, "classifier.0.") ? "norm" : "head", last);
    return text;
}

static void facebook_dims(const Param *param, int *rank, int64_t *dims)
{
    (void)dims;
    if (strstr(param->name, "layer_scale"))
        *rank = 1;
}

/* The small ones have convolutions of 1x1 for linear layers, and all of them scales without the two dimensions of 1. */
static void timm_dims(const Param *param, int *rank, int64_t *dims)
{
    if (strstr(param->name, "layer_scale"))
        *rank = 1;
    else if (*rank == 2 && strstr(param->name, ".block.")) {
        dims[2] = dims[3] = 1;
        *rank = 4;
    }
}

static const char *cifar_name(const char *ours, char *text)
{
    const char *at = strstr(ours, ".downsample.");
    if (at)
        sprintf(text, "%.*s.shortcut.%s", (int)(at - ours), ours, at + strlen(".downsample."));
    else if (tail_after(ours, "fc."))
        sprintf(text, "linear.%s", ours + 3);
    else
        strcpy(text, ours);
    return text;
}

static void layouts(void **state)
{
    (void)state;
    static const struct { const char *arch; Change change; const char *note; } files[] = {
        { "convnext_atto", { .name = timm_name, .dims = timm_dims },                      "timm's ConvNeXt" },
        { "convnext_atto", { .name = timm_name, .dims = timm_dims, .prefix = "module." }, "timm's ConvNeXt" },
        { "convnext_atto", { .name = facebook_name, .dims = facebook_dims },              "facebookresearch's ConvNeXt" },
        { "resnet18",      { .name = cifar_name },                                        "a ResNet for CIFAR" },
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        Network *saved = network_named(files[i].arch, 32, 1), *net = network_named(files[i].arch, 32, 2);
        char note[512] = "";
        Error error = { 0 };
        write_changed(saved, &files[i].change);
        if (!checkpoint_import(file, net, note, sizeof note, &error) || !strstr(note, files[i].note) || !same_values(saved, net))
            fail_msg("%zu %s: '%s' '%s'", i, files[i].arch, note, error.text);
        network_free(saved);
        network_free(net);
    }
}

/* Published names, by hand, and what they are here. */
typedef struct Published { const char *theirs, *ours; } Published;

/* timm's convnext_atto.d2_in1k. */
static const Published timm_convnext[] = {
    { "stem.0.weight", "features.0.0.weight" }, { "stem.1.bias", "features.0.1.bias" },
    { "stages.0.blocks.1.gamma", "features.1.1.layer_scale" }, { "stages.2.blocks.5.conv_dw.weight", "features.5.5.block.0.weight" },
    { "stages.3.blocks.0.norm.weight", "features.7.0.block.2.weight" }, { "stages.1.blocks.0.mlp.fc1.bias", "features.3.0.block.3.bias" },
    { "stages.1.blocks.0.mlp.fc2.weight", "features.3.0.block.5.weight" }, { "stages.1.downsample.0.weight", "features.2.0.weight" },
    { "stages.3.downsample.1.bias", "features.6.1.bias" }, { "head.norm.weight", "classifier.0.weight" },
    { "head.fc.bias", "classifier.2.bias" }, { NULL, NULL },
};

/* facebookresearch/ConvNeXt's convnext_tiny_1k_224_ema.pth, whose layout all of theirs have. */
static const Published facebook_convnext[] = {
    { "downsample_layers.0.0.weight", "features.0.0.weight" }, { "downsample_layers.0.1.bias", "features.0.1.bias" },
    { "downsample_layers.1.0.weight", "features.2.0.weight" }, { "downsample_layers.3.1.bias", "features.6.1.bias" },
    { "stages.0.1.gamma", "features.1.1.layer_scale" }, { "stages.2.5.dwconv.weight", "features.5.5.block.0.weight" },
    { "stages.3.0.norm.weight", "features.7.0.block.2.weight" }, { "stages.1.0.pwconv1.bias", "features.3.0.block.3.bias" },
    { "stages.1.0.pwconv2.weight", "features.3.0.block.5.weight" }, { "norm.weight", "classifier.0.weight" },
    { "head.bias", "classifier.2.bias" }, { NULL, NULL },
};

static void published_names(void **state)
{
    (void)state;
    static const struct { Change change; const Published *names; const char *source; } files[] = {
        { { .name = timm_name }, timm_convnext, "timm's ConvNeXt" }, { { .name = facebook_name }, facebook_convnext, "facebookresearch's ConvNeXt" },
    };
    Network *net = network_named("convnext_atto", 224, 1);
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        write_changed(net, &files[f].change);
        Safetensors *opened = safetensors_open(file, NULL);
        const CheckpointNaming naming = checkpoint_naming_find(opened, net);
        assert_string_equal(checkpoint_naming_source(&naming), files[f].source);
        for (const Published *name = files[f].names; name->theirs; name++) {
            char text[CHECKPOINT_NAME_ROOM];
            assert_non_null(safetensors_find(opened, name->theirs));
            assert_string_equal(checkpoint_naming_apply(&naming, name->theirs, text), name->ours);
            assert_non_null(network_param_find(net, name->ours));
        }
        safetensors_close(opened);
    }
    network_free(net);
}

static void one_number(const void *context, void *data)
{
    memcpy(data, context, sizeof(float));
}

enum { VGG_TENSORS = 13 * 7 + 3 * 2 };

/* Of timm's vgg16_bn.tv_in1k: all names, and what they are here. */
static int vgg_names(char theirs[VGG_TENSORS][64], char ours[VGG_TENSORS][64])
{
    static const int convolutions[] = { 0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40 };
    static const char *const parts[] = { "weight", "bias", "running_mean", "running_var", "num_batches_tracked" };
    static const Published head[] = { { "pre_logits.fc1", "classifier.0" }, { "pre_logits.fc2", "classifier.3" }, { "head.fc", "classifier.6" } };
    int count = 0;
    for (int i = 0; i < 13; i++)
        for (int k = 0; k < 7; k++, count++) {      /* a convolution, and the batch norm behind it */
            snprintf(theirs[count], 64, "features.%d.%s", convolutions[i] + (k >= 2), parts[k < 2 ? k : k - 2]);
            strcpy(ours[count], theirs[count]);
        }
    for (int i = 0; i < 6; i++, count++) {
        snprintf(theirs[count], 64, "%s.%s", head[i / 2].theirs, parts[i % 2]);
        snprintf(ours[count], 64, "%s.%s", head[i / 2].ours, parts[i % 2]);
    }
    return count;
}

/* The layout is told by names alone, so that the file has one number a tensor: the real one has 528 MB. */
static void published_vgg(void **state)
{
    (void)state;
    static const float one = 1.0f;
    const ArchOptions options = { .classes = 1000, .act = activation_of(ACT_relu) };
    Network *net = architecture_network(architecture_find("vgg16", NULL), (Shape){ 3, 224, 224 }, &options, NULL);      /* without values */
    SafetensorsWriter *writer = safetensors_writer_new();
    char theirs[VGG_TENSORS][64], ours[VGG_TENSORS][64], text[CHECKPOINT_NAME_ROOM];
    const int count = vgg_names(theirs, ours);
    for (int i = 0; i < count; i++)
        safetensors_writer_add(writer, theirs[i], DTYPE_F32, 1, (int64_t[]){ 1 }, one_number, &one);
    assert_true(safetensors_write(writer, file, NULL, NULL));
    safetensors_writer_free(writer);
    Safetensors *opened = safetensors_open(file, NULL);
    const CheckpointNaming naming = checkpoint_naming_find(opened, net);
    assert_string_equal(checkpoint_naming_source(&naming), "timm's VGG");
    assert_int_equal(network_param_count(net), count);
    for (int i = 0; i < count; i++) {
        assert_string_equal(checkpoint_naming_apply(&naming, theirs[i], text), ours[i]);
        assert_non_null(network_param_find(net, ours[i]));
    }
    safetensors_close(opened);
    network_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_names), cmocka_unit_test(resuming_is_strict), cmocka_unit_test(rows), cmocka_unit_test(long_lists), cmocka_unit_test(layouts),
        cmocka_unit_test(published_names), cmocka_unit_test(published_vgg),
    };
    scratch_new(folder);
    scratch_path(file, folder, "weights.safetensors");
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    return failed;
}
