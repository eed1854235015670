/* diagnosis.c - see diagnosis.h. Thresholds are far outside of what runs that go well show (tests/test_health.c). */

#include "diagnosis.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CHANCE_STEPS = 300,        /* with fewer, a network may still be at its beginning */
    DEAD_STEPS = 20,           /* with fewer, a unit may just not have been needed */
    DEAD_UNITS = 8,            /* in a layer of fewer the share says little */
    GAP_EPOCHS = 3,
};

static const double DEAD = 0.5, SATURATED = 0.95, VANISHED = 1e-5, EXPLODED = 1e3, UPDATE = 0.2, GAP = 0.15, WORSE = 1.1, SWING = 0.2;

static bool say(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool say(char *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, DIAGNOSIS_TEXT, format, arguments);
    va_end(arguments);
    return true;
}

double diagnosis_chance(const Dataset *data, bool balanced, double images)
{
    uint32_t *counts = allocate((size_t)data->classes, sizeof *counts, "a histogram"), largest = 0, classes = 0;
    dataset_histogram(data, counts);
    for (int i = 0; i < data->classes; i++) {
        largest = counts[i] > largest ? counts[i] : largest;
        classes += counts[i] > 0;
    }
    free(counts);
    const double share = balanced ? 1.0 / classes : (double)largest / data->count;
    return share + 3.0 * sqrt(share * (1.0 - share) / images);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How far a step moves a layer's weights, as a share of them, in the middle layer. */
static double median_update(const Vitals *v)
{
    double *updates = allocate((size_t)v->layer_count + 1, sizeof *updates, "updates");
    int count = 0;
    for (int i = 0; i < v->layer_count; i++)
        if (!v->layers[i].param->frozen)
            updates[count++] = v->layers[i].update;
    qsort(updates, (size_t)count, sizeof *updates, by_size);
    const double median = count ? updates[count / 2] : 0.0;
    free(updates);
    return median;
}

static bool find_chance(const Facts *f, char *text)
{
    const TrainerEpoch *e = f->epoch;
    return e->step >= CHANCE_STEPS && e->train_top1 <= f->train_chance && e->val_top1 <= f->val_chance &&
           say(text, "after %llu steps the network still guesses (%.1f%% right in training, %.1f%% in validation; a step moves the weights by "
               "%.2g of their size): try another learning rate (--find-lr), look whether the labels belong to the images, and whether it can "
               "learn a single batch (--overfit-batch)", (unsigned long long)e->step, 100.0 * e->train_top1, 100.0 * e->val_top1,
               median_update(f->vitals));
}

/* The layer with the largest share, of those that have it; *more: how many others. */
static bool find_dead(const Facts *f, char *text)
{
    const char *name = NULL;
    double worst = 0.0;
    int units = 0, layers = 0;
    for (int i = 0; f->epoch->step >= DEAD_STEPS && !f->partial && i < f->vitals->unit_count; i++) {
        const UnitVitals *u = &f->vitals->units[i];
        if (u->channels < DEAD_UNITS || u->dead < DEAD)
            continue;
        layers++;
        if (u->dead > worst) {
            name = u->activation->name;
            worst = u->dead;
            units = u->channels;
        }
    }
    return name && say(text, "%.0f of the %d units of %s%s are dead: no gradient came through them in the whole epoch, and they seldom "
                       "come back: start again with a lower --lr, or with --act leaky_relu or gelu, which always pass some on",
                       worst * units, units, name, layers > 1 ? ", and most units of other layers," : "");
}

static bool find_saturated(const Facts *f, char *text)
{
    const ActivityLayer *worst = NULL;
    for (int i = 0; f->activity && i < f->activity->count; i++) {
        const ActivityLayer *layer = &f->activity->layers[i];
        if (layer->saturated >= SATURATED && (!worst || layer->saturated > worst->saturated))
            worst = layer;
    }
    return worst && say(text, "%.0f%% of what %s reads lies where it is flat: hardly a gradient comes through: start again with a lower --lr, "
                        "or with another --act (relu, gelu); activations inspect RUN --history shows when it began", 100.0 * worst->saturated,
                        worst->module->name);
}

/* The ends of the network, as far as they are trained. */
static bool ends(const Vitals *v, const LayerVitals **first, const LayerVitals **last)
{
    *first = *last = NULL;
    for (int i = 0; i < v->layer_count; i++)
        if (!v->layers[i].param->frozen) {
            *first = *first ? *first : &v->layers[i];
            *last = &v->layers[i];
        }
    return *first != *last;
}

static bool find_vanishing(const Facts *f, char *text)
{
    const LayerVitals *first, *last;
    return ends(f->vitals, &first, &last) && last->gradient > 0.0 && first->gradient < VANISHED * last->gradient &&
           say(text, "gradients vanish: that of %s has norm %.2g, that of %s %.2g: the first layers do not learn: use a network with norms or "
               "shortcuts (resnet18), another --act (relu, gelu), or fewer layers", first->param->name, first->gradient, last->param->name,
               last->gradient);
}

static bool find_exploding(const Facts *f, char *text)
{
    for (int i = 0; i < f->vitals->layer_count; i++) {
        const LayerVitals *layer = &f->vitals->layers[i];
        if (layer->weight > 0.0 && layer->gradient > EXPLODED * layer->weight)
            return say(text, "gradients explode: that of %s has norm %.2g, its weights %.2g: use --clip-grad 1, and a lower --lr",
                       layer->param->name, layer->gradient, layer->weight);
    }
    return false;
}

static bool find_update(const Facts *f, char *text)
{
    const double update = median_update(f->vitals);
    return update > UPDATE && say(text, "a step moves the weights of most layers by %.0f%% of their size; 0.1%% is usual: the learning rate, %g, "
                                  "is too high: try a tenth of it (--find-lr shows which rates this network takes)", 100.0 * update,
                                  (double)f->epoch->lr);
}

static bool find_gap(const Facts *f, char *text)
{
    const TrainerEpoch *e = f->epoch;
    return f->epochs >= GAP_EPOCHS && e->train_top1 - e->val_top1 >= GAP && e->val_loss >= WORSE * f->best_val_loss &&
           say(text, "the network learns its images by heart: %.1f%% right in training, %.1f%% in validation, where the loss was %.3g and is %.3g: "
               "use more images or more augmentation (--aug \"crop:4 hflip:0.5 randaugment\"), a larger --weight-decay, or --early-stop 3",
               100.0 * e->train_top1, 100.0 * e->val_top1, f->best_val_loss, e->val_loss);
}

/* Up and down in turn, each time by a good share of the loss. */
static bool find_oscillation(const Facts *f, char *text)
{
    double sum = 0.0, least = INFINITY, most = 0.0;
    if (f->epochs < DIAGNOSIS_EPOCHS)
        return false;
    for (int i = 0; i < DIAGNOSIS_EPOCHS; i++) {
        sum += f->val_losses[i];
        least = fmin(least, f->val_losses[i]);
        most = fmax(most, f->val_losses[i]);
    }
    for (int i = 0; i + 1 < DIAGNOSIS_EPOCHS; i++) {
        const double change = f->val_losses[i] - f->val_losses[i + 1];
        const double before = i + 2 < DIAGNOSIS_EPOCHS ? f->val_losses[i + 1] - f->val_losses[i + 2] : -change;
        if (!(fabs(change) > SWING * sum / DIAGNOSIS_EPOCHS) || change * before > 0.0)
            return false;
    }
    return say(text, "the loss oscillates: in the last %d epochs that of the validation went up and down between %.3g and %.3g: use a lower --lr, "
               "a larger -b, or --model-ema, which validates an average", DIAGNOSIS_EPOCHS, least, most);
}

static const struct { const char *key; bool (*find)(const Facts *facts, char *text); } diagnoses[] = {
    { "chance",      find_chance },
    { "dead",        find_dead },
    { "saturated",   find_saturated },
    { "vanishing",   find_vanishing },
    { "exploding",   find_exploding },
    { "update",      find_update },
    { "gap",         find_gap },
    { "oscillation", find_oscillation },
};
_Static_assert(sizeof diagnoses / sizeof *diagnoses <= DIAGNOSES_MOST, "every diagnosis has its place");

int diagnosis_count(void)
{
    return sizeof diagnoses / sizeof *diagnoses;
}

const char *diagnosis_key(int index)
{
    return diagnoses[index].key;
}

bool diagnosis_find(int index, const Facts *facts, char *text)
{
    return diagnoses[index].find(facts, text);
}
