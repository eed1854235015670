/* info_text.c - what a network is, as texts beside its weights: ModelInfo both ways; see checkpoint_text.h. */

#include "checkpoint_text.h"

#include "json_made.h"
#include "metadata.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLASSES = 65536, MAX_SIDE = 16384 };      /* labels have 16 bits; datasets take images up to this side */
enum { MAX_CLASS_BYTES = 7 << 20 };                     /* the reader takes 8 MiB of metadata in all */

/* ---- lists ---- */

static bool put_floats(SafetensorsWriter *writer, const char *key, const float *values, int count, const char *path, Error *error)
{
    json_t *list = json_made(json_array());
    for (int i = 0; i < count; i++) {
        if (!isfinite(values[i])) {
            json_decref(list);
            return metadata_put_json(writer, key, NULL, 0, path, error);
        }
        json_append(list, json_real((double)values[i]));
    }
    return metadata_put_json(writer, key, list, JSON_REAL_PRECISION(METADATA_FLOAT_DIGITS), path, error);
}

static bool get_floats(const Safetensors *file, const char *key, float *values, int count, float least,
                       const char *path, Error *error)
{
    json_t *list = metadata_get_json(file, key);
    bool ok = json_is_array(list) && json_array_size(list) == (size_t)count;
    for (int i = 0; ok && i < count; i++) {
        const json_t *value = json_array_get(list, (size_t)i);
        values[i] = (float)json_number_value(value);
        ok = json_is_number(value) && isfinite(values[i]) && values[i] >= least;
    }
    json_decref(list);
    char expected[96];
    snprintf(expected, sizeof expected, "a JSON list of %d numbers%s, as in_chans says", count, least > 0 ? " above 0" : "");
    return ok || metadata_refuse(key, safetensors_metadata(file, key), expected, path, error);
}

/* ---- the names of the classes ---- */

static bool is_class_name(const char *name)
{
    return name && *name && text_is_printable(name);
}

/* The first name that occurs a second time, -1: none. */
static int first_repeated(char *const *names, int count)
{
    json_t *seen = json_made(json_object());
    int repeated = -1;
    for (int i = 0; i < count && repeated < 0; i++) {
        if (json_object_get(seen, names[i]))
            repeated = i;
        else
            json_put(seen, names[i], json_true());
    }
    json_decref(seen);
    return repeated;
}

static size_t bytes_as_json(const char *name)
{
    size_t bytes = strlen("\"\",");
    for (; *name; name++)
        bytes += *name == '"' || *name == '\\' ? 2 : 1;
    return bytes;
}

bool class_names_check(char *const *names, int count, Error *error)
{
    size_t bytes = 2;
    for (int i = 0; i < count; i++) {
        if (!is_class_name(names[i]))
            return error_set(error, EXIT_usage, "the name of class %d is empty or cannot be printed: '%.120s': use UTF-8 without control characters", i,
                             names[i] ? names[i] : "");
        bytes += bytes_as_json(names[i]);
    }
    if (bytes > MAX_CLASS_BYTES)
        return error_set(error, EXIT_usage, "the names of %d classes take %zu bytes: a checkpoint has room for %d: shorten them", count, bytes, MAX_CLASS_BYTES);
    const int repeated = first_repeated(names, count);
    return repeated < 0 ||
           error_set(error, EXIT_usage, "two classes have one name: '%.120s', class %d and one before it: rename one", names[repeated], repeated);
}

static bool put_classes(SafetensorsWriter *writer, const ModelInfo *info, const char *path, Error *error)
{
    Error why;
    if (!class_names_check(info->classes, info->class_count, &why))
        return error_set(error, EXIT_write, "cannot write: %s: nothing was written: %s", path, why.text);
    json_t *list = json_made(json_array());
    for (int i = 0; i < info->class_count; i++)
        json_append(list, json_string(info->classes[i]));
    return metadata_put_json(writer, "classes", list, 0, path, error);
}

static bool get_classes(const Safetensors *file, ModelInfo *info, const char *path, Error *error)
{
    json_t *list = metadata_get_json(file, "classes");
    const size_t count = json_array_size(list);
    bool ok = json_is_array(list) && count >= 1 && count <= MAX_CLASSES;
    if (ok)
        info->classes = allocate(count, sizeof *info->classes, "class names");
    for (size_t i = 0; ok && i < count; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        ok = is_class_name(name);
        if (!ok)
            break;
        info->classes[info->class_count++] = text_copy(name);
    }
    json_decref(list);
    return (ok && first_repeated(info->classes, info->class_count) < 0) ||
           metadata_refuse("classes", safetensors_metadata(file, "classes"), "a JSON list of 1 to 65536 different names, printable",
                           path, error);
}

/* ---- the whole ---- */

bool info_to_text(SafetensorsWriter *writer, const ModelInfo *info, const char *path, Error *error)
{
    safetensors_writer_metadata(writer, "format", "pt");
    const bool ok = metadata_put_text(writer, "arch", info->arch, path, error) && metadata_put_text(writer, "act", info->act, path, error) &&
                    put_classes(writer, info, path, error) && put_floats(writer, "mean", info->mean, info->channels, path, error) &&
                    put_floats(writer, "std", info->std, info->channels, path, error);
    if (!ok)
        return false;
    metadata_put_number(writer, "img_size", (uint64_t)info->side);
    metadata_put_number(writer, "in_chans", (uint64_t)info->channels);
    if (!info->as_stored)
        safetensors_writer_metadata(writer, "exif_orientation", "applied");
    return info_keys_to_text(writer, info, path, error);
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
    return !text || !strcmp(text, "applied") || metadata_refuse("exif_orientation", text, "applied, or no such key", path, error);
}

bool info_from_text(const Safetensors *file, ModelInfo *info, const char *path, Error *error)
{
    *info = (ModelInfo){0};
    char format[4];
    const bool ok = check_keys(file, path, error) && metadata_get_text(file, "format", format, sizeof format, path, error) &&
                    (!strcmp(format, "pt") || metadata_refuse("format", format, "pt", path, error)) &&
                    metadata_get_text(file, "arch", info->arch, sizeof info->arch, path, error) &&
                    metadata_get_text(file, "act", info->act, sizeof info->act, path, error) &&
                    metadata_get_positive(file, "img_size", MAX_SIDE, &info->side, path, error) &&
                    metadata_get_positive(file, "in_chans", CHECKPOINT_MAX_CHANNELS, &info->channels, path, error) &&
                    (info->channels != 2 || metadata_refuse("in_chans", "2", "1 (grey) or 3 (colour)", path, error)) &&
                    get_floats(file, "mean", info->mean, info->channels, -INFINITY, path, error) &&
                    get_floats(file, "std", info->std, info->channels, 1e-30f, path, error) &&
                    get_orientation(file, &info->as_stored, path, error) &&
                    info_keys_from_text(file, info, path, error) && get_classes(file, info, path, error);
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
