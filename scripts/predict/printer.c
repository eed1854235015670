/* printer.c - see printer.h. */

#include "printer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common_options.h"
#include "convzoo.h"
#include "metrics.h"

Printer printer_new(const ModelInfo *info)
{
    return (Printer){
        .info = info, .temperature = info->temperature, .reject = info->reject_below,
        .values = allocate((size_t)info->class_count, sizeof(float), "predictions"),
        .order = allocate((size_t)info->class_count, sizeof(int), "predictions"),
    };
}

void printer_free(Printer *printer)
{
    free(printer->values);
    free(printer->order);
}

void printer_begin(const Printer *printer)
{
    if (printer->format == FORMAT_csv)
        printf("file,rank,class,%s%s\n", printer->logits ? "logit" : "prob", printer->reject > 0 ? ",unknown" : "");
}

/* Moves the `top` largest values' classes to the front; the earlier of two equal ones comes first. */
static void sort_top(const float *values, int *order, int classes, int top)
{
    for (int i = 0; i < classes; i++)
        order[i] = i;
    for (int i = 0; i < top; i++) {
        int best = i;
        for (int j = i + 1; j < classes; j++)
            if (values[order[j]] > values[order[best]] || (values[order[j]] == values[order[best]] && order[j] < order[best]))
                best = j;
        const int chosen = order[best];
        order[best] = order[i];
        order[i] = chosen;
    }
}

static void print_jsonl(const Printer *p, const char *path, bool unknown, int count)
{
    printf("{\"file\": ");
    print_json_string(path);
    if (p->reject > 0)
        printf(", \"unknown\": %s", unknown ? "true" : "false");
    printf(", \"%s\": [", p->logits ? "logits" : "probs");
    for (int i = 0; i < count; i++) {
        const double value = (double)p->values[p->order[i]];
        fputs(i ? ", " : "", stdout);
        if (isfinite(value))
            printf("%.9g", value);
        else
            printf("null");
    }
    printf("], \"classes\": [");
    for (int i = 0; i < count; i++) {
        fputs(i ? ", " : "", stdout);
        print_json_string(p->info->classes[p->order[i]]);
    }
    printf("]}\n");
}

/* An image's line for people: the likeliest classes, behind "unknown" in brackets where it is not sure enough. */
static void print_text(const Printer *p, const char *path, bool unknown, int count)
{
    print_printable(path);
    fputs(unknown ? ":  unknown (" : ":", stdout);
    for (int i = 0; i < count; i++) {
        const double value = (double)p->values[p->order[i]];
        printf(p->logits ? "%s%s %.4f" : "%s%s %.2f%%", unknown && i == 0 ? "" : "  ", p->info->classes[p->order[i]],      /* printable, or refused */
               p->logits ? value : 100.0 * value);
    }
    puts(unknown ? ")" : "");
}

static void print_csv(const Printer *p, const char *path, bool unknown, int count)
{
    for (int i = 0; i < count; i++) {
        print_csv_text(path);
        printf(",%d,", i + 1);
        print_csv_text(p->info->classes[p->order[i]]);
        const double value = (double)p->values[p->order[i]];
        putchar(',');
        if (isfinite(value))
            printf("%.9g", value);
        puts(p->reject > 0 ? unknown ? ",1" : ",0" : "");
    }
}

/* What is not finite is not known either. */
static bool is_unknown(const Printer *p, const float *logits)
{
    const Outputs one = { 1, p->info->class_count, logits, NULL };
    return p->reject > 0 && !(outputs_probability(&one, 0, outputs_called(&one, 0), p->temperature) >= p->reject);
}

void printer_image(Printer *p, const char *path, const float *logits)
{
    const int classes = p->info->class_count, count = p->top && p->top < classes ? p->top : classes;
    const bool unknown = is_unknown(p, logits);
    for (int i = 0; i < classes; i++)
        p->diverged = p->diverged || !isfinite(logits[i]);
    memcpy(p->values, logits, (size_t)classes * sizeof *logits);
    if (!p->logits) {
        for (int i = 0; i < classes && p->temperature > 0; i++)
            p->values[i] = (float)((double)p->values[i] / p->temperature);
        convzoo_softmax(p->values, 1, classes, p->values);
    }
    sort_top(logits, p->order, classes, p->top ? count : 0);      /* beside a very sure one the others' probabilities are all 0 */
    if (p->format == FORMAT_jsonl)
        print_jsonl(p, path, unknown, count);
    else if (p->format == FORMAT_csv)
        print_csv(p, path, unknown, count);
    else
        print_text(p, path, unknown, count);
}
