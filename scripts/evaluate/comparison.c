/* comparison.c - two checkpoints on the same images, by McNemar's test. */

#include "measured.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common_options.h"
#include "significance.h"
#include "text.h"

typedef struct Pairs {
    unsigned both, first, second, neither;      /* images that they are right on */
} Pairs;

static Pairs count_pairs(const Outputs *a, const Outputs *b)
{
    Pairs pairs = { 0 };
    for (uint32_t i = 0; i < a->count; i++) {
        const bool first = outputs_called(a, i) == a->labels[i], second = outputs_called(b, i) == b->labels[i];
        if (first && second)
            pairs.both++;
        else if (first)
            pairs.first++;
        else if (second)
            pairs.second++;
        else
            pairs.neither++;
    }
    return pairs;
}

static void print_text(const Measured *a, const Measured *b, const Pairs *pairs, const McNemar *test)
{
    const double count = b->sum.count;
    fputs("  compared with ", stdout);
    print_printable(b->path);
    printf("  %s %s: its top1 %.2f%%, difference %+.2f points\n", b->info->arch, b->info->act, 100 * b->sum.top1 / count,
           100 * (a->sum.top1 - (double)b->sum.top1) / count);
    printf("    right on %u images both, on %u this one alone, on %u the other alone, on %u neither\n", pairs->both, pairs->first, pairs->second,
           pairs->neither);
    printf("    McNemar's test: p %.3g (exact), %.3g (chi2 %.2f): %s\n", test->exact, test->approximate, test->chi2,
           test->exact < 0.05 ? "they differ, at the 5% level" : "no difference, at the 5% level");
}

static void print_json(const Measured *b, const Pairs *pairs, const McNemar *test)
{
    printf(", \"compare\": {\"checkpoint\": ");
    print_json_string(b->path);
    printf(", \"top1\": %.9g, \"both\": %u, \"this_alone\": %u, \"other_alone\": %u, \"neither\": %u, \"p_exact\": %.9g, \"chi2\": %.9g, \"p_chi2\": %.9g}",
           b->sum.top1 / (double)b->sum.count, pairs->both, pairs->first, pairs->second, pairs->neither, test->exact, test->chi2, test->approximate);
}

static void tell_pairs(const Measured *a, const Measured *b, ResultsFormat format)
{
    const Pairs pairs = count_pairs(&a->outputs, &b->outputs);
    const McNemar test = significance_mcnemar(pairs.first, pairs.second);
    if (format == RESULTS_json)
        print_json(b, &pairs, &test);
    else
        print_text(a, b, &pairs, &test);
}

/* Images that only one of them was trained on say nothing of which is better. */
static bool held_out_both(const char *file, const ModelInfo *other, const Dataset *data, Error *error)
{
    if (!strcmp(other->held_out, data->held_out))
        return true;
    if (*other->held_out)
        return error_set(error, EXIT_input, "trained on some of these images: %s: it held out %s, these are %s: compare on a test part, or train both with one --seed "
                         "and --val-split", file, other->held_out, data->held_out);
    char *line = text_format("warning: %s may have been trained on these images: it does not say what it held out", file);
    note_print(NULL, line);
    free(line);
    return true;
}

bool comparison_check_images(const char *path, const Dataset *data, Error *error)
{
    ModelInfo other = { 0 };
    if (!path || !data->held_out)
        return true;
    char *file = model_file(path, error);
    const bool ok = file && checkpoint_info(file, &other, error) && held_out_both(file, &other, data, error);
    model_info_clear(&other);
    free(file);
    return ok;
}

bool comparison_check(const char *path, const ModelInfo *info, Error *error)
{
    ModelInfo other = { 0 };
    char *file = path ? model_file(path, error) : NULL;
    bool ok = !path || (file && checkpoint_info(file, &other, error));
    bool same = other.class_count == info->class_count;
    for (int k = 0; ok && path && same && k < other.class_count; k++)
        same = !strcmp(other.classes[k], info->classes[k]);
    if (ok && path && !same)
        ok = error_set(error, EXIT_input, "other classes: %s: it has %d, the first %s, this one has %d, the first %s: compare checkpoints of the same data",
                       file, other.class_count, other.classes[0], info->class_count, info->classes[0]);
    model_info_clear(&other);
    free(file);
    return ok;
}

bool comparison_tell(const Measured *measured, const Comparison *comparison, const Pass *pass, ResultsFormat format, Error *error)
{
    Model model = { 0 };
    Dataset *data = NULL;
    char *path = model_file(comparison->path, error);
    bool ok = path && model_open(path, &model, error) && (data = comparison->open(comparison->context, &model, error)) != NULL;
    if (ok && (data->count != measured->data->count || memcmp(data->labels, measured->data->labels, data->count * sizeof *data->labels)))
        ok = error_set(error, EXIT_input, "the images changed while they were read: %s: start again", data->path);
    if (ok) {
        Pass own = *pass;
        own.views.temperature = model.info.temperature;
        Measured other = measured_new(path, &model, data, &own);
        ok = isfinite(other.sum.loss);
        if (ok)
            tell_pairs(measured, &other, format);
        else
            model_diverged(path, error);
        measured_clear(&other);
    }
    dataset_free(data);
    model_close(&model);
    free(path);
    return ok;
}
