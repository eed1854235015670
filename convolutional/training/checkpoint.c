/* checkpoint.c - a network's values, and a run's, to a file and back; see checkpoint.h.
 *
 * Both ways go over one list of slots, so that what is written is what is expected:
 *
 *   <parameter>                        F32, as the network declares it; I64 [] for counters
 *   optimizer.<state>.<parameter>      F32, of trained parameters, with an optimizer */

#include "checkpoint_text.h"

#include "kernels.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char optimizer_key[] = "optimizer.name", steps_key[] = "optimizer.steps";

typedef struct Slot {
    char        *name;
    const Param *param;
    Network     *network;
    float       *state;          /* the optimizer's block; NULL: the network's own values */
} Slot;

typedef struct Slots {
    Slot  *items;
    size_t count;
    size_t largest;              /* values of the largest one */
} Slots;

static bool is_counter(const Slot *slot)
{
    return slot->param->role == PARAM_counter;
}

/* Where the values lie. A network that has none yet gets them now: not before a file was seen to fit. */
static float *slot_block(const Slot *slot)
{
    return slot->state ? slot->state : network_parameters(slot->network)->values;
}

static void slots_add(Slots *slots, Network *network, const Param *param, float *block, const char *state)
{
    char *name = state ? text_format("optimizer.%s.%s", state, param->name) : text_copy(param->name);
    slots->items[slots->count++] = (Slot){ .name = name, .param = param, .network = network, .state = block };
    slots->largest = param->count > slots->largest ? param->count : slots->largest;
}

static Slots slots_new(Network *network, const Optimizer *optimizer)
{
    const int params = network_param_count(network), states = optimizer ? optimizer->states : 0;
    Slots slots = { .items = allocate((size_t)params * (size_t)(1 + states), sizeof(Slot), "checkpoint slots") };
    for (int i = 0; i < params; i++)
        slots_add(&slots, network, network_param(network, i), NULL, NULL);
    for (int s = 0; s < states; s++)
        for (int i = 0; i < params; i++) {
            const Param *param = network_param(network, i);
            if (param->role == PARAM_weight || param->role == PARAM_plain)
                slots_add(&slots, network, param, optimizer->state[s], optimizer_state_name(optimizer->options.kind, s));
        }
    return slots;
}

static void slots_free(Slots *slots)
{
    for (size_t i = 0; i < slots->count; i++)
        free(slots->items[i].name);
    free(slots->items);
}

bool run_state_is_best(const RunState *run)
{
    return run->best_top1 >= 0.0 && run->batch == 0 && run->epoch == run->best_epoch + 1;
}

/* ---- saving ---- */

static void slot_fill(const void *context, void *data)
{
    const Slot *slot = context;
    if (is_counter(slot))
        memcpy(data, parameters_counter(slot->network, slot->param), sizeof(int64_t));
    else
        parameters_export(slot->network, slot_block(slot), slot->param, data);
}

static void optimizer_to_text(SafetensorsWriter *writer, const Optimizer *optimizer)
{
    char steps[32];
    snprintf(steps, sizeof steps, "%llu", (unsigned long long)optimizer->steps);
    safetensors_writer_metadata(writer, optimizer_key, optimizer_name(optimizer->options.kind));
    safetensors_writer_metadata(writer, steps_key, steps);
}

/* A file that could not be loaded again must not replace one that can. */
static bool check_values(Network *network, const Optimizer *optimizer, const char *path, Error *error)
{
    const Parameters *p = network_parameters(network);
    bool finite = isfinite(kernel_sum_of_squares(p->total, p->values));
    for (int s = 0; finite && optimizer && s < optimizer->states; s++)
        finite = isfinite(kernel_sum_of_squares(p->trained, optimizer->state[s]));
    return finite ||
           error_set(error, EXIT_diverged, "values are not finite: %s: nothing was written: start again with a lower --lr", path);
}

bool checkpoint_save(const char *path, const char *keep_previous, Network *network, const ModelInfo *info,
                     const Optimizer *optimizer, const RunState *run, Error *error)
{
    Slots slots = slots_new(network, optimizer);
    SafetensorsWriter *writer = safetensors_writer_new();
    for (size_t i = 0; i < slots.count; i++) {
        const Slot *slot = &slots.items[i];
        safetensors_writer_add(writer, slot->name, is_counter(slot) ? DTYPE_I64 : DTYPE_F32, slot->param->rank, slot->param->dims,
                               slot_fill, slot);
    }
    bool ok = check_values(network, optimizer, path, error) && info_to_text(writer, info, path, error);
    if (ok && optimizer)
        optimizer_to_text(writer, optimizer);
    ok = ok && (!run || run_to_text(writer, run, path, error)) && safetensors_write(writer, path, keep_previous, error);
    safetensors_writer_free(writer);
    slots_free(&slots);
    return ok;
}

/* ---- comparing ---- */

enum { MOST_SHOWN = 10, TEXT_ROOM = 720 };

typedef struct Differences {
    int  count;
    int  other_classes;              /* of these: the last layer's, for another number of classes */
    long classes;                    /* that number */
    char text[TEXT_ROOM];            /* the first ten */
} Differences;

static void differences_add(Differences *differences, const char *name, const char *what)
{
    if (differences->count++ < MOST_SHOWN) {
        const size_t at = strlen(differences->text);
        snprintf(differences->text + at, TEXT_ROOM - at, "%s'%.120s' %s", at ? "; " : "", name, what);
    }
}

/* True if only the first dimension differs, and the model has a class there for each of its logits. */
static bool is_other_classes(const Slot *slot, const SafetensorsEntry *entry)
{
    const Param *param = slot->param;
    bool other = entry->rank == param->rank && param->rank > 0 && param->dims[0] == network_logits(slot->network)->shape.c;
    for (int i = 1; other && i < param->rank; i++)
        other = entry->shape[i] == param->dims[i];
    return other;
}

/* A number on its own may be written with dimensions of 1. */
static bool is_same_shape(const Param *param, const SafetensorsEntry *entry)
{
    if (param->rank == 0)
        return entry->end - entry->begin == dtype_size(entry->dtype);
    return entry->rank == param->rank && !memcmp(entry->shape, param->dims, (size_t)param->rank * sizeof *param->dims);
}

static void compare_slot(Differences *differences, const Slot *slot, const SafetensorsEntry *entry)
{
    char what[400], has[160], needs[160];
    const Param *param = slot->param;
    if (!entry) {
        differences_add(differences, slot->name, "is missing");
        return;
    }
    const bool real = !is_counter(slot);
    if (dtype_is_float(entry->dtype) != real) {
        snprintf(what, sizeof what, "has dtype %s, the model needs %s", dtype_name(entry->dtype),
                 dtype_name(real ? DTYPE_F32 : DTYPE_I64));
        differences_add(differences, slot->name, what);
        return;
    }
    if (is_same_shape(param, entry))
        return;
    if (is_other_classes(slot, entry)) {
        differences->other_classes++;
        differences->classes = (long)entry->shape[0];
    }
    snprintf(what, sizeof what, "has shape %s, the model needs %s", shape_text(entry->rank, entry->shape, has, sizeof has),
             shape_text(param->rank, param->dims, needs, sizeof needs));
    differences_add(differences, slot->name, what);
}

static bool starts_with(const char *text, const char *start)
{
    return !strncmp(text, start, strlen(start));
}

static bool is_expected(const Slots *slots, const char *name, bool with_optimizer)
{
    if (starts_with(name, "ema.") || (starts_with(name, "optimizer.") && !with_optimizer))
        return true;
    for (size_t i = 0; i < slots->count; i++)
        if (!strcmp(slots->items[i].name, name))
            return true;
    return false;
}

static bool compare(const Safetensors *file, const Slots *slots, const Network *network, bool with_optimizer,
                    const char *path, Error *error)
{
    Differences differences = {0};
    for (size_t i = 0; i < slots->count; i++)
        compare_slot(&differences, &slots->items[i], safetensors_find(file, slots->items[i].name));
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const char *name = safetensors_entry(file, i)->name;
        if (!is_expected(slots, name, with_optimizer))
            differences_add(&differences, name, "is not in the model");
    }
    if (differences.count == 0)
        return true;
    const char *arch = safetensors_metadata(file, "arch");
    if (differences.other_classes == differences.count)
        return error_set(error, EXIT_input, "tensor %s: %s (%.63s): it has %ld classes, the model %d: nothing was loaded; "
                         "use the data set it was trained on", differences.text, path, arch ? arch : "no arch",
                         differences.classes, network_logits(network)->shape.c);
    return error_set(error, EXIT_input, "file does not fit the model: %s (%.63s): differences %d: %s%s: nothing was loaded; "
                     "use the architecture, classes and image of the file", path, arch ? arch : "no arch", differences.count,
                     differences.text, differences.count > MOST_SHOWN ? "; and more" : "");
}

/* ---- loading ---- */

static bool load_slot(const Safetensors *file, const Slot *slot, float *values, bool import, const char *path, Error *error)
{
    const SafetensorsEntry *entry = safetensors_find(file, slot->name);
    if (is_counter(slot)) {
        int64_t counter;
        if (!safetensors_read_i64(file, entry, &counter, error))
            return false;
        if (import)
            *parameters_counter(slot->network, slot->param) = counter;
        return true;
    }
    if (!safetensors_read_f32(file, entry, values, error))
        return false;
    if (!isfinite(kernel_sum_of_squares(slot->param->count, values)))
        return error_set(error, EXIT_input, "values are not finite: %s: tensor '%.120s': use an older copy", path, slot->name);
    if (import)
        parameters_import(slot->network, slot_block(slot), slot->param, values);
    return true;
}

/* Twice over the file: the first time it is only checked, so that a bad tensor leaves nothing half loaded. */
static bool load_slots(const Safetensors *file, const Slots *slots, const char *path, Error *error)
{
    float *values = allocate(slots->largest, sizeof *values, "a tensor to be read");
    bool ok = true;
    for (int import = 0; ok && import < 2; import++)
        for (size_t i = 0; ok && i < slots->count; i++)
            ok = load_slot(file, &slots->items[i], values, import, path, error);
    free(values);
    return ok;
}

static bool optimizer_from_text(const Safetensors *file, const Optimizer *optimizer, uint64_t *steps,
                                const char *path, Error *error)
{
    const char *has = safetensors_metadata(file, optimizer_key), *needs = optimizer_name(optimizer->options.kind);
    if (!has)
        return error_set(error, EXIT_input, "no training state: %s: it holds weights alone: resume from last.safetensors", path);
    if (strcmp(has, needs))
        return error_set(error, EXIT_input, "other optimizer: %s: it was trained with %.40s, this run has %s: use --opt %.40s",
                         path, has, needs, has);
    return metadata_number(file, steps_key, UINT64_MAX, steps, path, error);
}

bool checkpoint_info(const char *path, ModelInfo *info, Error *error)
{
    *info = (ModelInfo){0};
    Safetensors *file = safetensors_open(path, error);
    const bool ok = file && info_from_text(file, info, path, error);
    safetensors_close(file);
    return ok;
}

bool checkpoint_load(const char *path, Network *network, Optimizer *optimizer, RunState *run, Error *error)
{
    Safetensors *file = safetensors_open(path, error);
    if (!file)
        return false;
    Slots slots = slots_new(network, optimizer);
    RunState state;
    uint64_t steps = 0;
    const bool ok = (!optimizer || optimizer_from_text(file, optimizer, &steps, path, error)) &&
                    (!run || run_from_text(file, &state, path, error)) &&
                    compare(file, &slots, network, optimizer != NULL, path, error) && safetensors_check(file, error) &&
                    load_slots(file, &slots, path, error);
    if (ok && run)
        *run = state;
    if (ok && optimizer)
        optimizer->steps = steps;
    slots_free(&slots);
    safetensors_close(file);
    return ok;
}
