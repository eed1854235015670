/* convzoo.c - what there is, errors, threads and optimizers; see convzoo.h. */

#include "convzoo_own.h"

#include "text.h"
#include "threads.h"

#include <math.h>
#include <omp.h>
#include <string.h>

_Static_assert((int)CONVZOO_USAGE == EXIT_usage && (int)CONVZOO_INPUT == EXIT_input && (int)CONVZOO_FOLDER == EXIT_folder &&
               (int)CONVZOO_MEMORY == EXIT_memory && (int)CONVZOO_DIVERGED == EXIT_diverged && (int)CONVZOO_WRITE == EXIT_write,
               "codes are the programs' exit codes");
_Static_assert(sizeof ((ConvzooError *)0)->text == sizeof ((Error *)0)->text, "a text fits");

const char *convzoo_version(void)       { return CONVZOO_VERSION; }
const char *convzoo_architectures(void) { return architecture_names(); }
const char *convzoo_activations(void)   { return activation_names(); }
const char *convzoo_optimizers(void)    { return optimizer_names(); }

int own_failed(const Error *error, ConvzooError *to)
{
    const bool known = (int)error->code > 0 && (int)error->code <= EXIT_peer;
    const int code = known ? (int)error->code : CONVZOO_STOPPED;      /* 128 and what *stop was */
    if (to) {
        to->code = code;
        memcpy(to->text, error->text, sizeof to->text);
    }
    return code;
}

OwnCaller own_enter(int threads)
{
    const OwnCaller before = { omp_get_max_threads(), omp_get_dynamic(), uselocale(text_locale()) };
    omp_set_dynamic(0);
    if (threads > 0)
        omp_set_num_threads(threads);
    return before;
}

void own_leave(OwnCaller before)
{
    omp_set_num_threads(before.threads);
    omp_set_dynamic(before.dynamic);
    uselocale(before.locale);
}

bool own_call(int threads, void (*work)(void *context), void *context, Error *error)
{
    const OwnCaller before = own_enter(threads);
    const bool had_memory = memory_guard(work, context, error);
    own_leave(before);
    return had_memory;
}

int own_threads_count(int threads)
{
    const OwnCaller before = own_enter(threads);
    const int count = threads_settle(0);
    own_leave(before);
    return count;
}

void convzoo_softmax(const float *logits, int rows, int classes, float *probabilities)
{
    for (; rows > 0; rows--, logits += classes, probabilities += classes) {
        float most = logits[0];
        double sum = 0.0;
        for (int i = 1; i < classes; i++)
            most = logits[i] > most ? logits[i] : most;
        for (int i = 0; i < classes; i++)
            sum += exp((double)logits[i] - (double)most);
        for (int i = 0; i < classes; i++)
            probabilities[i] = (float)(exp((double)logits[i] - (double)most) / sum);
    }
}

/* 0 leaves the recipe's value, a negative one is none. */
static bool choose(const char *member, float given, bool below_one, float *value, Error *error)
{
    if (given == 0.0f)
        return true;
    if (!isfinite(given) || (below_one && given >= 1.0f))
        return error_set(error, EXIT_usage, "bad value %g: ConvzooOptimizer.%s: use %s, or 0 for the usual one", (double)given, member,
                         below_one ? "a number below 1" : "a finite number");
    *value = given < 0.0f ? 0.0f : given;
    return true;
}

/* The same where there is no training without it. */
static bool choose_some(const char *member, float given, float *value, Error *error)
{
    if (given < 0.0f)
        return error_set(error, EXIT_usage, "bad value %g: ConvzooOptimizer.%s: use a number above 0, or 0 for the usual one",
                         (double)given, member);
    return choose(member, given, false, value, error);
}

bool own_recipe(const Architecture *arch, const ConvzooOptimizer *options, TrainerOptions *recipe, Error *error)
{
    static const ConvzooOptimizer usual = { 0 };
    const ConvzooOptimizer *given = options ? options : &usual;
    OptimizerKind kind;
    if (given->name && !optimizer_parse(given->name, "--opt", &kind, error))
        return false;
    *recipe = trainer_defaults(arch, given->name ? &kind : NULL);
    OptimizerOptions *o = &recipe->optimizer;
    o->nesterov = o->nesterov && !given->no_nesterov;
    return choose_some("lr", given->lr, &recipe->lr, error) && choose_some("eps", given->eps, &o->eps, error) &&
           choose("weight_decay", given->weight_decay, false, &o->weight_decay, error) &&
           choose("momentum", given->momentum, true, &o->momentum, error) &&
           choose("beta1", given->beta1, true, &o->beta1, error) && choose("beta2", given->beta2, true, &o->beta2, error) &&
           choose("clip_norm", given->clip_norm, false, &o->clip_norm, error) &&
           choose("label_smoothing", given->label_smoothing, true, &recipe->label_smoothing, error);
}
