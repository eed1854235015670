/* checkpoint_match.c - see checkpoint_match.h. */

#include "checkpoint_match.h"

#include "metadata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_dims(const Param *param, const SafetensorsEntry *entry)
{
    return entry->rank == param->rank && !memcmp(entry->shape, param->dims, (size_t)param->rank * sizeof *param->dims);
}

/* Another layout may write a linear layer as a convolution: the same values in the same order, under other dimensions. */
static bool same_values(const Param *param, const SafetensorsEntry *entry)
{
    return param->rank > 0 && entry->rank > 0 && entry->shape[0] == param->dims[0] &&
           (entry->end - entry->begin) / dtype_size(entry->dtype) == param->count;
}

/* A number on its own may be written with dimensions of 1. */
static bool is_same_shape(const Param *param, const SafetensorsEntry *entry, bool other_layout)
{
    if (param->rank == 0)
        return entry->end - entry->begin == dtype_size(entry->dtype);
    return same_dims(param, entry) || (other_layout && same_values(param, entry));
}

/* A counter written as a float, by programs that convert every tensor alike, is as good as none: nothing that is computed needs it. */
static MatchKind kind_of(const Slot *slot, const SafetensorsEntry *entry, bool foreign, bool other_layout)
{
    if (!entry)
        return MATCH_missing;
    if (dtype_is_float(entry->dtype) != dtype_is_float(slot_dtype(slot)) && !(foreign && slot_is_counter(slot)))
        return MATCH_dtype;
    return is_same_shape(slot->param, entry, other_layout) ? MATCH_equal : MATCH_shape;
}

/* Files from before PyTorch 0.4.1 have no counters. Where more is missing, they are told with it. */
static void forgive_counters(CheckpointMatch *match)
{
    size_t counters = 0;
    for (size_t i = 0; i < match->slots.count; i++)
        counters += match->rows[i].kind == MATCH_missing && slot_is_counter(match->rows[i].slot);
    if (counters < match->kinds[MATCH_missing])
        return;
    for (size_t i = 0; i < match->slots.count; i++)
        if (match->rows[i].kind == MATCH_missing)
            match->rows[i].kind = MATCH_equal;
    match->kinds[MATCH_equal] += counters;
    match->kinds[MATCH_missing] = 0;
}

CheckpointMatch checkpoint_match(const Safetensors *file, Network *network, const Kept *kept, bool foreign)
{
    const Kept *wanted = kept ? kept : &kept_network;
    CheckpointMatch match = { .slots = slots_new(network, wanted) };
    const size_t slots = match.slots.count;
    char text[CHECKPOINT_NAME_ROOM];
    if (foreign)
        match.naming = checkpoint_naming_find(file, network);
    match.rows = allocate(slots + safetensors_count(file), sizeof *match.rows, "rows of a checkpoint");
    match.count = slots;
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const SafetensorsEntry *entry = safetensors_entry(file, i);
        if (foreign && checkpoint_naming_skips(entry->name))
            continue;
        const char *name = checkpoint_naming_apply(&match.naming, entry->name, text);
        const size_t slot = slots_find(&match.slots, name);
        if (slot < slots && !match.rows[slot].entry)
            match.rows[slot].entry = entry;
        else if (kept_owns(wanted, name))
            match.rows[match.count++] = (MatchRow){ .kind = MATCH_extra, .name = entry->name, .entry = entry };
    }
    for (size_t i = 0; i < slots; i++) {
        MatchRow *row = &match.rows[i];
        row->slot = &match.slots.items[i];
        row->name = row->slot->name;
        row->kind = kind_of(row->slot, row->entry, foreign, match.naming.layout != NULL);
    }
    for (size_t i = 0; i < match.count; i++)
        match.kinds[match.rows[i].kind]++;
    if (foreign)
        forgive_counters(&match);
    return match;
}

void checkpoint_match_clear(CheckpointMatch *match)
{
    free(match->rows);
    slots_free(&match->slots);
    *match = (CheckpointMatch){ 0 };
}

bool checkpoint_match_is_equal(const CheckpointMatch *match)
{
    return match->kinds[MATCH_equal] == match->count;
}

/* ---- messages ---- */

enum { MOST_SHOWN = 10, EXTRA_SHOWN = 4, TEXT_ROOM = 640 };

static const char *const kind_words[MATCH_KINDS] = {
    [MATCH_equal] = "equal", [MATCH_missing] = "missing", [MATCH_extra] = "not in the model", [MATCH_shape] = "of another shape",
    [MATCH_dtype] = "of another dtype",
};

static void row_text(const MatchRow *row, char *text, size_t size)
{
    char has[160], needs[160];
    const SafetensorsEntry *entry = row->entry;
    switch (row->kind) {
    case MATCH_equal:
    case MATCH_KINDS:
        snprintf(text, size, "'%.120s' is equal", row->name);
        break;
    case MATCH_missing:
        snprintf(text, size, "'%.120s' is missing", row->name);
        break;
    case MATCH_extra:
        snprintf(text, size, "'%.120s' is not in the model", row->name);
        break;
    case MATCH_shape:
        snprintf(text, size, "'%.120s' has shape %s, the model needs %s", row->name,
                 shape_text(entry->rank, entry->shape, has, sizeof has),
                 shape_text(row->slot->param->rank, row->slot->param->dims, needs, sizeof needs));
        break;
    case MATCH_dtype:
        snprintf(text, size, "'%.120s' has dtype %s, the model needs %s", row->name, dtype_name(entry->dtype),
                 dtype_name(slot_dtype(row->slot)));
        break;
    }
}

/* False if it does not fit; room for "; and more" is left. */
static bool append(char *text, size_t size, const char *more)
{
    static const char last[] = "; and more";
    const size_t at = strlen(text);
    if (at + strlen(more) + 2 * sizeof last > size)
        return false;
    snprintf(text + at, size - at, "%s%s", at ? "; " : "", more);
    return true;
}

/* Up to ten, and some of the file's names among them: who sees both kinds sees how they differ. */
static void list_differences(const CheckpointMatch *match, char *text, size_t size)
{
    const size_t extra = match->kinds[MATCH_extra], kept = extra < EXTRA_SHOWN ? extra : EXTRA_SHOWN;
    size_t shown = 0;
    char one[480];
    *text = '\0';
    for (size_t i = 0; i < match->count && shown < MOST_SHOWN; i++) {
        const MatchRow *row = &match->rows[i];
        if (row->kind == MATCH_equal || (row->kind != MATCH_extra && shown + kept >= MOST_SHOWN))
            continue;
        row_text(row, one, sizeof one);
        if (!append(text, size, one))
            break;
        shown++;
    }
    if (shown < match->count - match->kinds[MATCH_equal])
        strcat(text, shown ? "; and more" : "many");
}

static void count_kinds(const CheckpointMatch *match, char *text, size_t size)
{
    *text = '\0';
    for (int kind = 0; kind < MATCH_KINDS; kind++)
        if (match->kinds[kind] || kind == MATCH_equal) {
            const size_t at = strlen(text);
            snprintf(text + at, size - at, "%s%zu %s", at ? ", " : "", match->kinds[kind], kind_words[kind]);
        }
}

/* True if only the first dimension differs, and the model has a class there for each of its logits. */
static bool is_other_classes(const MatchRow *row, const Network *network)
{
    if (row->kind != MATCH_shape)
        return false;
    const Param *param = row->slot->param;
    bool other = row->entry->rank == param->rank && param->rank > 0 && param->dims[0] == network_logits(network)->shape.c;
    for (int i = 1; other && i < param->rank; i++)
        other = row->entry->shape[i] == param->dims[i];
    return other;
}

/* The number of classes that the file is for, if that is all that differs; else 0. */
static long other_classes(const CheckpointMatch *match, const Network *network)
{
    long classes = 0;
    for (size_t i = 0; i < match->count; i++) {
        const MatchRow *row = &match->rows[i];
        if (row->kind == MATCH_equal)
            continue;
        if (!is_other_classes(row, network))
            return 0;
        classes = (long)row->entry->shape[0];
    }
    return classes;
}

/* How many classes the file names. */
static size_t names_of(const Safetensors *file)
{
    json_t *list = metadata_get_json(file, "classes");
    const size_t count = json_array_size(list);
    json_decref(list);
    return count;
}

bool checkpoint_match_refuse(const CheckpointMatch *match, const Safetensors *file, const char *path, const Network *network,
                             Error *error)
{
    char differences[TEXT_ROOM], kinds[160];
    const char *arch = safetensors_metadata(file, "arch");
    const long classes = other_classes(match, network);
    list_differences(match, differences, sizeof differences);
    count_kinds(match, kinds, sizeof kinds);
    const size_t names = classes ? names_of(file) : 0;
    if (classes && names == (size_t)network_logits(network)->shape.c)
        return error_set(error, EXIT_input, "metadata 'classes' has %zu names, the head %ld rows: %s (%.63s): nothing was loaded; correct that list",
                         names, classes, path, arch ? arch : "no arch");
    if (classes)
        return error_set(error, EXIT_input, "tensor %s: %s (%.63s): it has %ld classes, the model %d: nothing was loaded; "
                         "use the data set it was trained on", differences, path, arch ? arch : "no arch", classes,
                         network_logits(network)->shape.c);
    return error_set(error, EXIT_input, "file does not fit the model: %s (%.63s): differences %zu: %s: nothing was loaded; "
                     "of the tensors are %s; use the architecture, classes and image of the file%s", path, arch ? arch : "no arch",
                     match->count - match->kinds[MATCH_equal], differences, kinds,
                     match->kinds[MATCH_missing] && match->kinds[MATCH_extra] ? ", or rename its tensors" : "");
}

const char *checkpoint_match_note(const CheckpointMatch *match, const Safetensors *file, const char *path, char *text, size_t size)
{
    const char *source = checkpoint_naming_source(&match->naming);
    const size_t wrapped = match->naming.wrapped;
    char taken[160] = "", read[96] = "";
    if (wrapped)
        snprintf(taken, sizeof taken, "'%.*s' is taken off each name", (int)wrapped, safetensors_entry(file, 0)->name);
    if (source)
        snprintf(read, sizeof read, "%snames are read as %s", wrapped ? "; " : "", source);
    *text = '\0';
    if (wrapped || source)
        snprintf(text, size, "%s: %s%s", path, taken, read);
    return text;
}
