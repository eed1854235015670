/* checkpoint_text.c - see checkpoint_text.h.
 *
 * Numbers go through jansson, which writes and reads a decimal point whatever the locale; 17 digits give a double
 * its bits again, 9 a float. */

#include "checkpoint_text.h"

#include "architectures.h"
#include "names.h"
#include "text.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLASSES = 65536, MAX_SIDE = 16384 };      /* labels have 16 bits; datasets take images up to this side */

/* ---- writing ---- */

/* Hands over `json` as text and releases it; NULL stands for a text that is not UTF-8 or a number that is not finite. */
static bool put_json(SafetensorsWriter *writer, const char *key, json_t *json, size_t flags, const char *path, Error *error)
{
    char *text = json ? json_dumps(json, flags | JSON_ENCODE_ANY) : NULL;
    json_decref(json);
    if (!text)
        return error_set(error, EXIT_write,
                         "cannot write: %s: '%s' is not UTF-8 or not finite: nothing was written; rename it", path, key);
    safetensors_writer_metadata(writer, key, text);
    free(text);
    return true;
}

static bool put_text(SafetensorsWriter *writer, const char *key, const char *text, const char *path, Error *error)
{
    json_t *json = json_string(text);      /* NULL unless UTF-8 */
    if (!json)
        return put_json(writer, key, NULL, 0, path, error);
    json_decref(json);
    safetensors_writer_metadata(writer, key, text);
    return true;
}

static void put_number(SafetensorsWriter *writer, const char *key, uint64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    safetensors_writer_metadata(writer, key, text);
}

static bool put_floats(SafetensorsWriter *writer, const char *key, const float *values, int count, const char *path, Error *error)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        if (json_array_append_new(list, json_real(values[i])) != 0) {
            json_decref(list);
            list = NULL;
            break;
        }
    return put_json(writer, key, list, JSON_REAL_PRECISION(9), path, error);
}

static bool put_classes(SafetensorsWriter *writer, const ModelInfo *info, const char *path, Error *error)
{
    json_t *list = json_array();
    for (int i = 0; i < info->class_count; i++)
        if (json_array_append_new(list, json_string(info->classes[i])) != 0) {
            json_decref(list);
            return error_set(error, EXIT_write,
                             "cannot write: %s: class %d, '%.120s', is not UTF-8: nothing was written; rename it",
                             path, i, info->classes[i]);
        }
    return put_json(writer, "classes", list, 0, path, error);
}

/* Of a name and what else it is called, the name. */
static void put_choice(SafetensorsWriter *writer, const char *key, const char *names)
{
    char name[NAMES_LONGEST];
    safetensors_writer_metadata(writer, key, names_word(names, 0, name, sizeof name));
}

const char *calibration_text(double number, char text[32])
{
    json_t *json = json_real(number);
    char *digits = json ? json_dumps(json, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17)) : NULL;
    snprintf(text, 32, "%s", digits ? digits : "");
    free(digits);
    json_decref(json);
    return text;
}

bool info_to_text(SafetensorsWriter *writer, const ModelInfo *info, const char *path, Error *error)
{
    safetensors_writer_metadata(writer, "format", "pt");
    if (!put_text(writer, "arch", info->arch, path, error) || !put_text(writer, "act", info->act, path, error) ||
        !put_classes(writer, info, path, error) || !put_floats(writer, "mean", info->mean, info->channels, path, error) ||
        !put_floats(writer, "std", info->std, info->channels, path, error))
        return false;
    put_number(writer, "img_size", (uint64_t)info->side);
    put_number(writer, "in_chans", (uint64_t)info->channels);
    if (info->network.squeeze_excite)
        safetensors_writer_metadata(writer, "squeeze_excite", "true");
    if (info->network.gate_same)
        safetensors_writer_metadata(writer, "gate_same", "true");
    if (info->network.bn_eps > 0 && !put_json(writer, "bn_eps", json_real(info->network.bn_eps), JSON_REAL_PRECISION(9), path, error))
        return false;
    if (info->network.depth)
        put_number(writer, "depth", (uint64_t)info->network.depth);
    if (info->network.width)
        put_number(writer, "width", (uint64_t)info->network.width);
    if (info->network.stem)
        put_number(writer, "stem", (uint64_t)info->network.stem);
    if (!info->as_stored)
        safetensors_writer_metadata(writer, "exif_orientation", "applied");
    if (info->fit.crop != CROP_centre)
        put_choice(writer, "crop", image_crops[info->fit.crop]);
    if (info->fit.filter != FILTER_bilinear)
        put_choice(writer, "interpolation", image_filters[info->fit.filter]);
    if (info->fit.crop_pct > 0 && info->fit.crop_pct < 1 &&
        !put_json(writer, "crop_pct", json_real(info->fit.crop_pct), JSON_REAL_PRECISION(15), path, error))
        return false;
    char text[32];
    if (info->temperature > 0)
        safetensors_writer_metadata(writer, "temperature", calibration_text(info->temperature, text));
    if (info->reject_below > 0)
        safetensors_writer_metadata(writer, "reject_below", calibration_text(info->reject_below, text));
    return true;
}

/* ---- reading ---- */

static bool bad_text(const char *key, const char *text, const char *expected, const char *path, Error *error)
{
    if (!text)
        return error_set(error, EXIT_input,
                         "metadata '%s' is missing: %s: expected %s; this is no checkpoint of an image classifier, "
                         "or it was written by another program: add the key", key, path, expected);
    return error_set(error, EXIT_input, "metadata '%s' is '%.120s': %s: expected %s", key, text, path, expected);
}

static bool get_text(const Safetensors *file, const char *key, char *to, size_t size, const char *path, Error *error)
{
    char expected[64];
    const char *text = safetensors_metadata(file, key);
    snprintf(expected, sizeof expected, "a text of 1 to %zu bytes", size - 1);
    if (!text || !*text || strlen(text) >= size)
        return bad_text(key, text, expected, path, error);
    strcpy(to, text);
    return true;
}

bool metadata_number(const Safetensors *file, const char *key, uint64_t most, uint64_t *number, const char *path, Error *error)
{
    const char *text = safetensors_metadata(file, key);
    char expected[64];
    uint64_t value = 0;
    bool ok = text && *text;
    for (const char *c = text; ok && *c; c++)
        ok = *c >= '0' && *c <= '9' && !__builtin_mul_overflow(value, (uint64_t)10, &value) &&
             !__builtin_add_overflow(value, (uint64_t)(*c - '0'), &value);
    snprintf(expected, sizeof expected, "a whole number up to %llu", (unsigned long long)most);
    if (!ok || value > most)
        return bad_text(key, text, expected, path, error);
    *number = value;
    return true;
}

static bool get_int(const Safetensors *file, const char *key, int most, int *number, const char *path, Error *error)
{
    uint64_t value;
    if (!metadata_number(file, key, (uint64_t)most, &value, path, error))
        return false;
    *number = (int)value;
    return *number > 0 || bad_text(key, "0", "at least 1", path, error);
}

static json_t *get_json(const Safetensors *file, const char *key)
{
    const char *text = safetensors_metadata(file, key);
    return text ? json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL) : NULL;
}

static bool get_floats(const Safetensors *file, const char *key, float *values, int count, float least,
                       const char *path, Error *error)
{
    json_t *list = get_json(file, key);
    bool ok = json_is_array(list) && json_array_size(list) == (size_t)count;
    for (int i = 0; ok && i < count; i++) {
        const json_t *value = json_array_get(list, (size_t)i);
        values[i] = (float)json_number_value(value);
        ok = json_is_number(value) && isfinite(values[i]) && values[i] >= least;
    }
    json_decref(list);
    char expected[96];
    snprintf(expected, sizeof expected, "a JSON list of %d numbers%s, as in_chans says", count, least > 0 ? " above 0" : "");
    return ok || bad_text(key, safetensors_metadata(file, key), expected, path, error);
}

/* A class that occurs twice makes labels ambiguous. */
static bool all_differ(char **classes, int count)
{
    json_t *seen = json_object();
    bool ok = true;
    for (int i = 0; ok && i < count; i++)
        ok = !json_object_get(seen, classes[i]) && json_object_set_new(seen, classes[i], json_true()) == 0;
    json_decref(seen);
    return ok;
}

static bool get_classes(const Safetensors *file, ModelInfo *info, const char *path, Error *error)
{
    json_t *list = get_json(file, "classes");
    const size_t count = json_array_size(list);
    bool ok = json_is_array(list) && count >= 1 && count <= MAX_CLASSES;
    if (ok)
        info->classes = allocate(count, sizeof *info->classes, "class names");
    for (size_t i = 0; ok && i < count; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        ok = name && *name && text_is_printable(name);
        if (!ok)
            break;
        info->classes[info->class_count++] = text_copy(name);
    }
    json_decref(list);
    return (ok && all_differ(info->classes, info->class_count)) ||
           bad_text("classes", safetensors_metadata(file, "classes"), "a JSON list of 1 to 65536 different names, printable",
                    path, error);
}

/* Off where the key is missing. */
static bool get_switch(const Safetensors *file, const char *key, bool *on, const char *path, Error *error)
{
    const char *text = safetensors_metadata(file, key);
    *on = text && !strcmp(text, "true");
    return !text || *on || !strcmp(text, "false") || bad_text(key, text, "true or false", path, error);
}

static bool get_bn_eps(const Safetensors *file, float *eps, const char *path, Error *error)
{
    const char *text = safetensors_metadata(file, "bn_eps");
    json_t *json = get_json(file, "bn_eps");
    *eps = (float)json_number_value(json);
    const bool ok = !text || (json_is_number(json) && *eps >= 1e-30f && *eps <= 1.0f);
    json_decref(json);
    return ok || bad_text("bn_eps", text, "a number from 1e-30 to 1, or no such key", path, error);
}

/* A number that older files, and most networks, do not have: 0. */
static bool get_size(const Safetensors *file, const char *key, int most, int *value, const char *path, Error *error)
{
    *value = 0;
    return !safetensors_metadata(file, key) || get_int(file, key, most, value, path, error);
}

/* Weights that another program published say nothing of their network: all that lacks is told at once. */
static bool check_keys(const Safetensors *file, const char *path, Error *error)
{
    static const struct { const char *key, *example; } needed[] = {
        { "arch", "resnet18" }, { "act", "relu" }, { "img_size", "224" }, { "in_chans", "3" }, { "mean", "[0.485, 0.456, 0.406]" },
        { "std", "[0.229, 0.224, 0.225]" }, { "classes", "[\"cat\", \"dog\"]" }, { "format", "pt" },
    };
    char text[400] = "";
    int missing = 0;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!safetensors_metadata(file, needed[i].key)) {
            const size_t at = strlen(text);
            snprintf(text + at, sizeof text - at, "%s%s (as %s)", at ? ", " : "", needed[i].key, needed[i].example);
            missing++;
        }
    return missing < 2 ||
           error_set(error, EXIT_input, "metadata '%s' is missing, and %d more keys: %s: a checkpoint says what its network is; weights "
                     "from elsewhere need these keys, as texts: %s: add them with safetensors.torch.save_file(tensors, file, metadata)",
                     safetensors_metadata(file, "arch") ? "act" : "arch", missing - 1, path, text);
}

/* Older files lack the key: their networks saw photographs as they were stored, and still do. */
static bool get_orientation(const Safetensors *file, bool *as_stored, const char *path, Error *error)
{
    const char *text = safetensors_metadata(file, "exif_orientation");
    *as_stored = !text;
    return !text || !strcmp(text, "applied") || bad_text("exif_orientation", text, "applied, or no such key", path, error);
}

/* 0 without the key. least 0: above it. */
static bool get_positive(const Safetensors *file, const char *key, double least, double most, double *value, const char *path, Error *error)
{
    char expected[80];
    const char *text = safetensors_metadata(file, key);
    json_t *json = get_json(file, key);
    *value = json_number_value(json);
    const bool ok = !text || (json_is_number(json) && *value > 0 && *value >= least && *value <= most);
    json_decref(json);
    if (least > 0)
        snprintf(expected, sizeof expected, "a number from %g to %g, or no such key", least, most);
    else
        snprintf(expected, sizeof expected, "a number above 0, up to %g, or no such key", most);
    return ok || bad_text(key, text, expected, path, error);
}

/* The place of one of the names; 0 without the key. */
static bool get_choice(const Safetensors *file, const char *key, const char *const *choices, int count, int *place, const char *path,
                       Error *error)
{
    char name[NAMES_LONGEST], expected[128] = "";
    const char *text = safetensors_metadata(file, key);
    *place = 0;
    if (!text)
        return true;
    for (int i = 0; i < count; i++) {
        const size_t at = strlen(expected);
        if (!strcmp(text, names_word(choices[i], 0, name, sizeof name))) {
            *place = i;
            return true;
        }
        snprintf(expected + at, sizeof expected - at, "%s, ", name);
    }
    snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "or no such key");
    return bad_text(key, text, expected, path, error);
}

static bool get_fit(const Safetensors *file, ImageFit *fit, const char *path, Error *error)
{
    int crop, filter;
    double crop_pct;
    const bool ok = get_choice(file, "crop", image_crops, CROPS, &crop, path, error) &&
                    get_choice(file, "interpolation", image_filters, FILTERS, &filter, path, error) &&
                    get_positive(file, "crop_pct", CROP_PCT_LEAST, 1, &crop_pct, path, error);
    if (ok)
        *fit = (ImageFit){ .crop = (ImageCrop)crop, .filter = (ImageFilter)filter, .crop_pct = crop_pct };
    return ok;
}

bool info_from_text(const Safetensors *file, ModelInfo *info, const char *path, Error *error)
{
    *info = (ModelInfo){0};
    char format[4];
    const bool ok = check_keys(file, path, error) && get_text(file, "format", format, sizeof format, path, error) &&
                    (!strcmp(format, "pt") || bad_text("format", format, "pt", path, error)) &&
                    get_text(file, "arch", info->arch, sizeof info->arch, path, error) &&
                    get_text(file, "act", info->act, sizeof info->act, path, error) &&
                    get_int(file, "img_size", MAX_SIDE, &info->side, path, error) &&
                    get_int(file, "in_chans", CHECKPOINT_MAX_CHANNELS, &info->channels, path, error) &&
                    (info->channels != 2 || bad_text("in_chans", "2", "1 (grey) or 3 (colour)", path, error)) &&
                    get_floats(file, "mean", info->mean, info->channels, -INFINITY, path, error) &&
                    get_floats(file, "std", info->std, info->channels, 1e-30f, path, error) &&
                    get_switch(file, "squeeze_excite", &info->network.squeeze_excite, path, error) &&
                    get_switch(file, "gate_same", &info->network.gate_same, path, error) && get_bn_eps(file, &info->network.bn_eps, path, error) &&
                    get_size(file, "depth", ARCH_DEPTH_MOST, &info->network.depth, path, error) &&
                    get_size(file, "width", ARCH_WIDTH_MOST, &info->network.width, path, error) &&
                    get_size(file, "stem", ARCH_STEM_MOST, &info->network.stem, path, error) &&
                    get_orientation(file, &info->as_stored, path, error) && get_fit(file, &info->fit, path, error) &&
                    get_positive(file, "temperature", 0, 1000, &info->temperature, path, error) &&
                    get_positive(file, "reject_below", 0, 1, &info->reject_below, path, error) &&
                    get_classes(file, info, path, error);
    if (!ok)
        model_info_clear(info);
    return ok;
}

void model_info_clear(ModelInfo *info)
{
    for (int i = 0; i < info->class_count; i++)
        free(info->classes[i]);
    free(info->classes);
    *info = (ModelInfo){0};
}

/* ---- a run's counters ---- */

typedef struct RunField {
    const char *key;
    enum { FIELD_u32, FIELD_u64, FIELD_real } type;
    size_t      offset;
    enum { FIELD_always, FIELD_owed, FIELD_set } when;      /* owed: only while best.safetensors is owed; set: a whole number but 0 */
} RunField;

static const RunField run_fields[] = {
    { "run.step",       FIELD_u64,  offsetof(RunState, step), FIELD_always },
    { "run.epoch",      FIELD_u32,  offsetof(RunState, epoch), FIELD_always },
    { "run.batch",      FIELD_u32,  offsetof(RunState, batch), FIELD_always },
    { "run.best_top1",  FIELD_real, offsetof(RunState, best_top1), FIELD_always },
    { "run.best_epoch", FIELD_u32,  offsetof(RunState, best_epoch), FIELD_always },
    { "run.loss_sum",   FIELD_real, offsetof(RunState, loss_sum), FIELD_always },
    { "run.hits",       FIELD_u64,  offsetof(RunState, hits), FIELD_always },
    { "run.seen",       FIELD_u64,  offsetof(RunState, seen), FIELD_always },
    { "run.data_hash",  FIELD_u64,  offsetof(RunState, data_hash), FIELD_always },
    { "run.best_owed",  FIELD_u32,  offsetof(RunState, best_owed), FIELD_owed },
    { "run.kept_epoch", FIELD_u32,  offsetof(RunState, kept_epoch), FIELD_owed },
    { "run.kept_top1",  FIELD_real, offsetof(RunState, kept_top1), FIELD_owed },
    { "run.planned_steps", FIELD_u64, offsetof(RunState, planned_steps), FIELD_set },
};
enum { RUN_FIELDS = sizeof run_fields / sizeof *run_fields };
static const char settings_key[] = "run.settings", machine_key[] = "run.machine";

bool run_to_text(SafetensorsWriter *writer, const RunState *run, const char *path, Error *error)
{
    for (int i = 0; i < RUN_FIELDS; i++) {
        const RunField *field = &run_fields[i];
        const char *from = (const char *)run + field->offset;
        if ((field->when == FIELD_owed && !run->best_owed) || (field->when == FIELD_set && *(const uint64_t *)from == 0))
            continue;
        if (field->type == FIELD_u32)
            put_number(writer, field->key, *(const uint32_t *)from);
        else if (field->type == FIELD_u64)
            put_number(writer, field->key, *(const uint64_t *)from);
        else if (!put_json(writer, field->key, json_real(*(const double *)from), JSON_REAL_PRECISION(17), path, error))
            return false;
    }
    return put_text(writer, machine_key, run->machine, path, error) && put_text(writer, settings_key, run->settings, path, error);
}

static bool get_real(const Safetensors *file, const char *key, double *value, const char *path, Error *error)
{
    json_t *number = get_json(file, key);
    const bool ok = json_is_number(number);      /* JSON has no infinities */
    *value = json_number_value(number);
    json_decref(number);
    return ok || bad_text(key, safetensors_metadata(file, key), "a number", path, error);
}

bool run_from_text(const Safetensors *file, RunState *run, const char *path, Error *error)
{
    *run = (RunState){0};
    bool ok = true;
    for (int i = 0; ok && i < RUN_FIELDS; i++) {
        const RunField *field = &run_fields[i];
        char *to = (char *)run + field->offset;
        uint64_t number = 0;
        if (field->when != FIELD_always && !safetensors_metadata(file, field->key))
            continue;
        if (field->type == FIELD_real) {
            ok = get_real(file, field->key, (double *)to, path, error);
            continue;
        }
        ok = metadata_number(file, field->key, field->type == FIELD_u32 ? UINT32_MAX : UINT64_MAX, &number, path, error);
        if (field->type == FIELD_u32)
            *(uint32_t *)to = (uint32_t)number;
        else
            *(uint64_t *)to = number;
    }
    const char *settings = safetensors_metadata(file, settings_key);
    ok = ok && get_text(file, machine_key, run->machine, sizeof run->machine, path, error);
    if (ok && (!settings || strlen(settings) >= sizeof run->settings))
        ok = bad_text(settings_key, settings, "a text of up to 2047 bytes", path, error);
    if (ok)
        strcpy(run->settings, settings);
    else
        *run = (RunState){0};
    return ok;
}

/* ---- what parts keep ---- */

bool numbers_to_text(SafetensorsWriter *writer, const Kept *kept, const char *path, Error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < kept->number_count; i++) {
        const KeptNumber *number = &kept->numbers[i];
        if (number->whole)
            put_number(writer, number->key, *number->whole);
        else
            ok = put_json(writer, number->key, json_real(*number->real), JSON_REAL_PRECISION(17), path, error);
    }
    return ok;
}

bool numbers_from_text(const Safetensors *file, const Kept *kept, KeptValues *values, const char *path, Error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < kept->number_count; i++)
        ok = kept->numbers[i].whole ? metadata_number(file, kept->numbers[i].key, UINT64_MAX, &values->of[i].whole, path, error)
                                    : get_real(file, kept->numbers[i].key, &values->of[i].real, path, error);
    return ok;
}

void numbers_set(const Kept *kept, const KeptValues *values)
{
    for (int i = 0; i < kept->number_count; i++)
        if (kept->numbers[i].whole)
            *kept->numbers[i].whole = values->of[i].whole;
        else
            *kept->numbers[i].real = values->of[i].real;
}
