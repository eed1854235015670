/* info_keys.c - the keys of a checkpoint that only some files have: another option that shapes a network costs a row here. Without its key,
 * a field is 0, which stands for what the architecture, or everyone, has. See checkpoint_text.h. */

#include "checkpoint_text.h"

#include "architectures.h"
#include "dataset.h"
#include "metadata.h"
#include "names.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct InfoKey {
    const char *key;
    enum {
        KEY_switch,      /* bool */
        KEY_size,        /* int, from 1 */
        KEY_float,       /* float */
        KEY_share,       /* double; not written from 1 on */
        KEY_real,        /* double */
        KEY_choice,      /* an enumeration, the place in `choices` */
        KEY_held_out,    /* a char array of `most` bytes: which images, as Dataset has it */
    } form;
    size_t             offset;
    double             least, most;      /* of a number; least 0: above 0 */
    const char *const *choices;          /* `most` of them: each one's name, and what else it is called */
} InfoKey;

#define AT(name) .offset = offsetof(ModelInfo, name)

static const InfoKey keys[] = {
    { "squeeze_excite", KEY_switch, AT(network.squeeze_excite) },
    { "gate_same",      KEY_switch, AT(network.gate_same) },
    { "bn_eps",         KEY_float,  AT(network.bn_eps),  .least = 1e-30, .most = 1 },
    { "depth",          KEY_size,   AT(network.depth),   .most = ARCH_DEPTH_MOST },
    { "width",          KEY_size,   AT(network.width),   .most = ARCH_WIDTH_MOST },
    { "stem",           KEY_size,   AT(network.stem),    .most = ARCH_STEM_MOST },
    { "crop",           KEY_choice, AT(fit.crop),        .most = CROPS, .choices = image_crops },
    { "interpolation",  KEY_choice, AT(fit.filter),      .most = FILTERS, .choices = image_filters },
    { "crop_pct",       KEY_share,  AT(fit.crop_pct),    .least = CROP_PCT_LEAST, .most = 1 },
    { "held_out",       KEY_held_out, AT(held_out),        .most = sizeof(((ModelInfo *)0)->held_out) },
    { "temperature",    KEY_real,   AT(temperature),     .most = 1000 },
    { "reject_below",   KEY_real,   AT(reject_below),    .most = 1 },
};
enum { KEYS = sizeof keys / sizeof *keys };

static bool put(SafetensorsWriter *writer, const InfoKey *key, const void *field, const char *path, Error *error)
{
    char name[NAMES_LONGEST];
    switch (key->form) {
    case KEY_switch:
        if (*(const bool *)field)
            safetensors_writer_metadata(writer, key->key, "true");
        return true;
    case KEY_size:
        if (*(const int *)field)
            metadata_put_number(writer, key->key, (uint64_t)*(const int *)field);
        return true;
    case KEY_choice:
        if (*(const int *)field)
            safetensors_writer_metadata(writer, key->key, names_word(key->choices[*(const int *)field], 0, name, sizeof name));
        return true;
    case KEY_held_out:
        return !*(const char *)field || metadata_put_text(writer, key->key, field, path, error);
    case KEY_float:
        return *(const float *)field <= 0 || metadata_put_real(writer, key->key, *(const float *)field, METADATA_FLOAT_DIGITS, path, error);
    case KEY_share:      /* 15 digits: a person's 0.9 stays 0.9 */
        return *(const double *)field <= 0 || *(const double *)field >= 1 ||
               metadata_put_real(writer, key->key, *(const double *)field, 15, path, error);
    case KEY_real:
        return *(const double *)field <= 0 || metadata_put_real(writer, key->key, *(const double *)field, METADATA_DOUBLE_DIGITS, path, error);
    }
    return true;
}

static bool get_switch(const Safetensors *file, const InfoKey *key, bool *on, const char *path, Error *error)
{
    const char *text = safetensors_metadata(file, key->key);
    *on = !strcmp(text, "true");
    return *on || !strcmp(text, "false") || metadata_refuse(key->key, text, "true or false", path, error);
}

static bool get_within(const Safetensors *file, const InfoKey *key, double *value, const char *path, Error *error)
{
    char expected[80];
    json_t *json = metadata_get_json(file, key->key);
    *value = json_number_value(json);
    const bool ok = json_is_number(json) && *value > 0 && *value >= key->least && *value <= key->most;
    json_decref(json);
    if (key->least > 0)
        snprintf(expected, sizeof expected, "a number from %g to %g, or no such key", key->least, key->most);
    else
        snprintf(expected, sizeof expected, "a number above 0, up to %g, or no such key", key->most);
    return ok || metadata_refuse(key->key, safetensors_metadata(file, key->key), expected, path, error);
}

static bool get_choice(const Safetensors *file, const InfoKey *key, int *place, const char *path, Error *error)
{
    char name[NAMES_LONGEST], expected[128] = "";
    const char *text = safetensors_metadata(file, key->key);
    for (int i = 0; i < (int)key->most; i++) {
        const size_t at = strlen(expected);
        if (!strcmp(text, names_word(key->choices[i], 0, name, sizeof name))) {
            *place = i;
            return true;
        }
        snprintf(expected + at, sizeof expected - at, "%s, ", name);
    }
    snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "or no such key");
    return metadata_refuse(key->key, text, expected, path, error);
}

static bool get(const Safetensors *file, const InfoKey *key, void *field, const char *path, Error *error)
{
    double value;
    if (!safetensors_metadata(file, key->key))
        return true;
    if (key->form == KEY_switch)
        return get_switch(file, key, field, path, error);
    if (key->form == KEY_size)
        return metadata_get_positive(file, key->key, (int)key->most, field, path, error);
    if (key->form == KEY_held_out)
        return metadata_get_text(file, key->key, field, (size_t)key->most, path, error) &&
               (dataset_hold_out(field, &(DataOptions){ 0 }) ||
                metadata_refuse(key->key, field, "a share and its seed such as '0.1 of seed 42', a part's name, or no such key", path, error));
    if (key->form == KEY_choice)
        return get_choice(file, key, field, path, error);
    if (!get_within(file, key, &value, path, error))
        return false;
    if (key->form == KEY_float)
        *(float *)field = (float)value;
    else
        *(double *)field = value;
    return true;
}

bool info_keys_to_text(SafetensorsWriter *writer, const ModelInfo *info, const char *path, Error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < KEYS; i++)
        ok = put(writer, &keys[i], (const char *)info + keys[i].offset, path, error);
    return ok;
}

bool info_keys_from_text(const Safetensors *file, ModelInfo *info, const char *path, Error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < KEYS; i++)
        ok = get(file, &keys[i], (char *)info + keys[i].offset, path, error);
    return ok;
}
