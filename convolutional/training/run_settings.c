/* run_settings.c - what must not change between a run's beginning and its resumption; see run_settings.h. */

#include "run_settings.h"

#include "names.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char epochs_key[] = "epochs";

double shortest_decimal(float value)
{
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    return strtod(text, NULL);
}

static json_t *real(float value)
{
    return json_real(shortest_decimal(value));
}

static json_t *whole(uint64_t value)
{
    return json_integer((json_int_t)value);
}

void run_settings_write(const TrainerOptions *o, char *text, size_t size)
{
    static const char *const flips[] = { [FLIP_automatic] = "auto", [FLIP_on] = "on", [FLIP_off] = "off" };
    char act[64];
    const struct { const char *key; json_t *value; } rows[] = {
        { "arch",           json_string(o->arch->key) },
        { "act",            json_string(activation_text(o->act, act, sizeof act)) },
        { "dropout",        json_boolean(!o->no_dropout) },
        { "squeeze-excite", json_boolean(o->squeeze_excite) },
        { "val-split",      o->data.val_part ? json_string(o->data.val_part) : real(o->data.val_split) },
        { "limit",          whole(o->data.limit) },
        { "img-size",       whole((uint64_t)o->data.side) },
        { "in-chans",       whole((uint64_t)o->data.channels) },
        { "skip-bad",       json_boolean(o->data.skip_bad) },
        { "exif-orientation", json_boolean(!o->data.as_stored) },
        { "aug",            json_boolean(!o->no_augment) },
        { "crop-pad",       whole((uint64_t)o->crop_pad) },
        { "hflip",          json_string(flips[o->flip]) },
        { epochs_key,       whole((uint64_t)o->epochs) },
        { "batch-size",     whole((uint64_t)o->batch) },
        { "smoothing",      real(o->label_smoothing) },
        { "opt",            json_string(optimizer_name(o->optimizer.kind)) },
        { "momentum",       real(o->optimizer.momentum) },
        { "nesterov",       json_boolean(o->optimizer.nesterov) },
        { "opt-beta1",      real(o->optimizer.beta1) },
        { "opt-beta2",      real(o->optimizer.beta2) },
        { "opt-eps",        real(o->optimizer.eps) },
        { "weight-decay",   real(o->optimizer.weight_decay) },
        { "clip-grad",      real(o->optimizer.clip_norm) },
        { "sched",          json_string(schedule_name(o->schedule)) },
        { "lr",             real(o->lr) },
        { "min-lr",         real(o->min_lr) },
        { "warmup-epochs",  json_real(o->warmup_epochs) },
        { "decay-epochs",   json_real(o->decay_epochs) },
        { "decay-rate",     real(o->decay_rate) },
        { "seed",           whole(o->seed) },
        { "plan",           json_string(plan_text(&o->plan)) },
        { "amp",            json_boolean(o->plan.precision == PRECISION_mixed) },
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (json_object_set_new(object, rows[i].key, rows[i].value) != 0)      /* a row left out would match whatever was before */
            memory_exhausted("jansson");
    const size_t length = json_dumpb(object, text, size - 1, JSON_COMPACT | JSON_REAL_PRECISION(15));
    CHECK(length > 0 && length < size, "settings of %zu bytes for %zu", length, size);
    text[length] = '\0';
    json_decref(object);
}

/* Appends "key old (now new)" for every key whose value differs. */
static bool differences(json_t *before, json_t *now, char *text, size_t size)
{
    size_t at = 0;
    const char *key;
    json_t *new;
    text[0] = '\0';
    json_object_foreach(now, key, new) {
        json_t *old = json_object_get(before, key);
        if (!strcmp(key, epochs_key))
            continue;
        if (old ? json_equal(old, new) : json_is_false(new))      /* a switch that the run's program did not have yet was off */
            continue;
        char *was = old ? json_dumps(old, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)) : NULL;
        char *is = json_dumps(new, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
        if (at < size)
            at += (size_t)snprintf(text + at, size - at, "%s--%s was %s and is %s", at ? ", " : "", key, was ? was : "absent",
                                   is ? is : "?");
        free(was);
        free(is);
    }
    return at > 0;
}

bool run_settings_match(const char *before, const char *now, const char *folder, Error *error)
{
    json_error_t where;
    json_t *new = json_loads(now, 0, &where), *old = json_loads(before, JSON_REJECT_DUPLICATES, &where);
    char text[600] = "the settings are damaged";
    if (!new || (!old && json_error_code(&where) == json_error_out_of_memory))
        memory_exhausted("jansson");
    const bool same = json_is_object(old) && json_is_object(new) && !differences(old, new, text, sizeof text);
    json_decref(old);
    json_decref(new);
    return same || error_set(error, EXIT_usage, "cannot resume with other options: %s: %s: leave them out, or start a new run",
                             folder, text);
}

int run_settings_epochs(const char *settings)
{
    json_t *object = json_loads(settings, JSON_REJECT_DUPLICATES, NULL);
    const json_int_t epochs = json_integer_value(json_object_get(object, epochs_key));
    json_decref(object);
    return epochs > 0 && epochs <= INT_MAX ? (int)epochs : 0;
}

bool run_settings_as_stored(const char *settings)
{
    json_t *object = json_loads(settings, JSON_REJECT_DUPLICATES, NULL);
    const bool oriented = json_is_true(json_object_get(object, "exif-orientation"));
    json_decref(object);
    return !oriented;
}

void run_settings_plan(const char *settings, Plan *plan)
{
    json_t *object = json_loads(settings, JSON_REJECT_DUPLICATES, NULL);
    plan_recall(plan, json_string_value(json_object_get(object, "plan")));
    json_decref(object);
}

/* ---- plans ---- */

static const char *const layout_names[] = {
    [LAYOUT_automatic] = "default", [LAYOUT_blocked] = "blocked", [LAYOUT_channels_last] = "channels-last", [LAYOUT_batch_last] = "batch-last",
};

enum { LAYOUTS = sizeof layout_names / sizeof *layout_names };

static bool is_word(const char *text, int length, const char *word)
{
    return names_match(word, text, (size_t)length);
}

/* "layers:dwwd" */
static bool set_layers(Plan *plan, const char *word, size_t length)
{
    static const char key[] = "layers:";
    const size_t start = sizeof key - 1, letters = length - start;
    if (length <= start || strncmp(word, key, start) || letters > PLAN_MOST_LAYERS ||
        strspn(word + start, "." ALGORITHMS) < letters)
        return false;
    memset(plan->layers, 0, sizeof plan->layers);
    memcpy(plan->layers, word + start, letters);
    return true;
}

static bool set_word(Plan *plan, const char *word, int length)
{
    const struct { const char *word; bool *flag; } switches[] = {
        { "measured", &plan->measured }, { "direct", &plan->direct_only }, { "no-fusion", &plan->no_fusion },
    };
    for (int i = 0; i < LAYOUTS; i++)
        if (is_word(word, length, layout_names[i])) {
            plan->layout = (LayoutPolicy)i;
            return true;
        }
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        if (is_word(word, length, switches[i].word)) {
            *switches[i].flag = true;
            return true;
        }
    return set_layers(plan, word, (size_t)length);
}

bool plan_parse(const char *text, Plan *plan, Error *error)
{
    *plan = (Plan){ 0 };
    for (const char *word = text; *word;) {
        const int length = (int)strcspn(word, ",");
        if (!set_word(plan, word, length))
            return error_set(error, EXIT_usage, "unknown plan '%.*s': --plan: use " PLAN_WORDS, length, word);
        word += length + (word[length] == ',');
    }
    return true;
}

const char *plan_text(const Plan *plan)
{
    static _Thread_local char text[PLAN_MOST_LAYERS + 64];
    snprintf(text, sizeof text, "%s%s%s%s%s%s", layout_names[plan->layout], plan->measured ? ",measured" : "",
             plan->direct_only ? ",direct" : "", plan->no_fusion ? ",no-fusion" : "", *plan->layers ? ",layers:" : "",
             plan->layers);
    return text;
}

bool plan_recall(Plan *plan, const char *text)
{
    Plan named;
    if (!text || !plan_parse(text, &named, &(Error){ 0 }) || named.measured)
        return false;
    named.precision = plan->precision;
    *plan = named;
    return true;
}

bool plan_mix_precision(Plan *plan, const char *flag, Error *error)
{
    if (!program_can_bf16())
        return error_set(error, EXIT_usage, "this processor has no bf16 instructions: %s: leave it out",
                         flag);
    plan->precision = PRECISION_mixed;
    return true;
}
