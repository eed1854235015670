/* checkpoint.c - a network's values, and a run's, to a file and back; see checkpoint.h.
 *
 * Both ways go over one list (checkpoint_slots.h), so that what is written is what is expected. */

#include "checkpoint_match.h"
#include "checkpoint_text.h"
#include "metadata.h"

#include "kernels.h"
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char optimizer_key[] = "optimizer.name", steps_key[] = "optimizer.steps";

bool run_state_is_best(const RunState *run)
{
    return run->best_top1 >= 0.0 && run->batch == 0 && run->epoch == run->best_epoch + 1;
}

/* ---- saving ---- */

static void slot_fill(const void *context, void *data)
{
    const Slot *slot = context;
    if (slot_is_counter(slot))
        memcpy(data, slot_counter(slot), sizeof(int64_t));
    else
        parameters_export(slot->network, slot_block(slot), slot->param, data);
}

static void optimizer_to_text(SafetensorsWriter *writer, const Optimizer *optimizer)
{
    safetensors_writer_metadata(writer, optimizer_key, optimizer_name(optimizer->options.kind));
    metadata_put_number(writer, steps_key, optimizer->steps);
}

/* A file that could not be loaded again must not replace one that can. */
static bool check_values(Network *network, const Kept *kept, const char *path, Error *error)
{
    const Parameters *parameters = network_parameters(network);
    bool finite = true;
    for (int b = 0; finite && b < kept->block_count; b++)
        finite = isfinite(kernel_sum_of_squares(kept_floats(&kept->blocks[b], network), kept_values(&kept->blocks[b], network)));
    if (!finite)
        return error_set(error, EXIT_diverged, "values are not finite: %s: nothing was written: start again with a lower --lr", path);
    return parameters->decayed == 0 || !program_values_are_zero(parameters->values, parameters->decayed) ||
           error_set(error, EXIT_diverged, "all weights are 0: %s: nothing was written: start again with a lower --lr or --weight-decay", path);
}

bool checkpoint_save(const char *path, const char *keep_previous, Network *network, const ModelInfo *info,
                     const Optimizer *optimizer, const RunState *run, const Kept *parts, Error *error)
{
    const Kept kept = kept_all(optimizer, parts);
    Slots slots = slots_new(network, &kept);
    SafetensorsWriter *writer = safetensors_writer_new();
    for (size_t i = 0; i < slots.count; i++) {
        const Slot *slot = &slots.items[i];
        safetensors_writer_add(writer, slot->name, slot_dtype(slot), slot->param->rank, slot->param->dims, slot_fill, slot);
    }
    bool ok = check_values(network, &kept, path, error) && info_to_text(writer, info, path, error);
    if (ok && optimizer)
        optimizer_to_text(writer, optimizer);
    ok = ok && (!run || run_to_text(writer, run, path, error)) && numbers_to_text(writer, &kept, path, error) &&
         safetensors_write(writer, path, keep_previous, error);
    safetensors_writer_free(writer);
    slots_free(&slots);
    return ok;
}

/* ---- loading ---- */

bool checkpoint_read_values(const Safetensors *file, const SafetensorsEntry *entry, size_t count, float *values, const char *path, Error *error)
{
    return safetensors_read_f32(file, entry, values, error) &&
           (isfinite(kernel_sum_of_squares(count, values)) ||
            error_set(error, EXIT_input, "values are not finite: %s: tensor '%.120s': use an older copy", path, entry->name));
}

/* Rows that are not equal are passed over. */
static bool load_row(const Safetensors *file, const MatchRow *row, float *values, bool import, const char *path, Error *error)
{
    const Slot *slot = row->slot;
    if (row->kind != MATCH_equal || !row->entry || dtype_is_float(row->entry->dtype) != dtype_is_float(slot_dtype(slot)))
        return true;                       /* a counter that the file does without stays what it is */
    if (slot_is_counter(slot)) {
        int64_t counter;
        if (!safetensors_read_i64(file, row->entry, &counter, error))
            return false;
        if (import)
            *slot_counter(slot) = counter;
        return true;
    }
    if (!checkpoint_read_values(file, row->entry, slot->param->count, values, path, error))
        return false;
    if (import)
        parameters_import(slot->network, slot_block(slot), slot->param, values);
    return true;
}

/* One of the network's own that the file has, not of what is kept beside it. */
static bool is_weight(const MatchRow *row)
{
    return row->kind == MATCH_equal && row->slot->param->role == PARAM_weight && !row->slot->block->values;
}

/* Reads every row. A network of which all weights are 0 says the same of every image. */
static bool check_rows(const Safetensors *file, const CheckpointMatch *match, float *values, const char *path, Error *error)
{
    size_t weights = 0, zeros = 0;
    for (size_t i = 0; i < match->count; i++) {
        const MatchRow *row = &match->rows[i];
        if (!load_row(file, row, values, false, path, error))
            return false;
        weights += is_weight(row);
        zeros += is_weight(row) && program_values_are_zero(values, row->slot->param->count);
    }
    return weights == 0 || zeros < weights ||
           error_set(error, EXIT_input, "all weights are 0: %s: it was written before they had values, or it is damaged: use another file", path);
}

/* First the file is only checked, so that a bad tensor leaves nothing half loaded. */
bool checkpoint_load_rows(const Safetensors *file, const CheckpointMatch *match, const char *path, Error *error)
{
    float *values = allocate(match->slots.largest, sizeof *values, "a tensor to be read");
    bool ok = check_rows(file, match, values, path, error);
    for (size_t i = 0; ok && i < match->count; i++)
        ok = load_row(file, &match->rows[i], values, true, path, error);
    free(values);
    return ok;
}

static bool load_equal(const Safetensors *file, const CheckpointMatch *match, const char *path, const Network *network, Error *error)
{
    return (checkpoint_match_is_equal(match) || checkpoint_match_refuse(match, file, path, network, error)) &&
           safetensors_check(file, error) && checkpoint_load_rows(file, match, path, error);
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
    return metadata_get_number(file, steps_key, UINT64_MAX, steps, path, error);
}

bool checkpoint_info(const char *path, ModelInfo *info, Error *error)
{
    *info = (ModelInfo){0};
    Safetensors *file = safetensors_open(path, error);
    const bool ok = file && info_from_text(file, info, path, error);
    safetensors_close(file);
    return ok;
}

bool checkpoint_set_calibration(const char *path, const ModelInfo *info, Error *error)
{
    char temperature[METADATA_REAL_TEXT], reject[METADATA_REAL_TEXT];
    const SafetensorsText texts[] = {
        { "temperature", info->temperature > 0 ? metadata_real_text(info->temperature, METADATA_DOUBLE_DIGITS, temperature) : NULL },
        { "reject_below", info->reject_below > 0 ? metadata_real_text(info->reject_below, METADATA_DOUBLE_DIGITS, reject) : NULL },
    };
    return safetensors_set_metadata(path, texts, sizeof texts / sizeof *texts, error);
}

bool checkpoint_load(const char *path, Network *network, Optimizer *optimizer, RunState *run, const Kept *parts, Error *error)
{
    Safetensors *file = safetensors_open(path, error);
    if (!file)
        return false;
    const Kept kept = kept_all(optimizer, parts);
    CheckpointMatch match = checkpoint_match(file, network, &kept, false);
    RunState state;
    KeptValues numbers;
    uint64_t steps = 0;
    const bool ok = (!optimizer || optimizer_from_text(file, optimizer, &steps, path, error)) &&
                    (!run || run_from_text(file, &state, path, error)) && numbers_from_text(file, &kept, &numbers, path, error) &&
                    load_equal(file, &match, path, network, error);
    if (ok)
        numbers_set(&kept, &numbers);
    if (ok && run)
        *run = state;
    if (ok && optimizer)
        optimizer->steps = steps;
    checkpoint_match_clear(&match);
    safetensors_close(file);
    return ok;
}

bool checkpoint_load_average(const char *path, const char *part, Network *network, Error *error)
{
    Kept kept = kept_network;
    kept.blocks[0].owner = part;
    Safetensors *file = safetensors_open(path, error);
    if (!file)
        return false;
    CheckpointMatch match = checkpoint_match(file, network, &kept, false);
    const bool ok = load_equal(file, &match, path, network, error);
    checkpoint_match_clear(&match);
    safetensors_close(file);
    return ok;
}

bool checkpoint_import(const char *path, Network *network, char *note, size_t size, Error *error)
{
    *note = '\0';
    Safetensors *file = safetensors_open(path, error);
    if (!file)
        return false;
    CheckpointMatch match = checkpoint_match(file, network, NULL, true);
    const bool ok = load_equal(file, &match, path, network, error);
    if (ok)
        checkpoint_match_note(&match, file, path, note, size);
    checkpoint_match_clear(&match);
    safetensors_close(file);
    return ok;
}
