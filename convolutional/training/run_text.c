/* run_text.c - what resume needs beside tensors, as texts: a run's counters, and the numbers that its parts keep; see checkpoint_text.h. */

#include "checkpoint_text.h"
#include "metadata.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

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
            metadata_put_number(writer, field->key, *(const uint32_t *)from);
        else if (field->type == FIELD_u64)
            metadata_put_number(writer, field->key, *(const uint64_t *)from);
        else if (!metadata_put_real(writer, field->key, *(const double *)from, METADATA_DOUBLE_DIGITS, path, error))
            return false;
    }
    return metadata_put_text(writer, machine_key, run->machine, path, error) && metadata_put_text(writer, settings_key, run->settings, path, error);
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
            ok = metadata_get_real(file, field->key, (double *)to, path, error);
            continue;
        }
        ok = metadata_get_number(file, field->key, field->type == FIELD_u32 ? UINT32_MAX : UINT64_MAX, &number, path, error);
        if (field->type == FIELD_u32)
            *(uint32_t *)to = (uint32_t)number;
        else
            *(uint64_t *)to = number;
    }
    const char *settings = safetensors_metadata(file, settings_key);
    char expected[64];
    snprintf(expected, sizeof expected, "a text of up to %zu bytes", sizeof run->settings - 1);
    ok = ok && metadata_get_text(file, machine_key, run->machine, sizeof run->machine, path, error);
    if (ok && (!settings || strlen(settings) >= sizeof run->settings))
        ok = metadata_refuse(settings_key, settings, expected, path, error);
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
            metadata_put_number(writer, number->key, *number->whole);
        else
            ok = metadata_put_real(writer, number->key, *number->real, METADATA_DOUBLE_DIGITS, path, error);
    }
    return ok;
}

bool numbers_from_text(const Safetensors *file, const Kept *kept, KeptValues *values, const char *path, Error *error)
{
    bool ok = true;
    for (int i = 0; ok && i < kept->number_count; i++)
        ok = kept->numbers[i].whole ? metadata_get_number(file, kept->numbers[i].key, UINT64_MAX, &values->of[i].whole, path, error)
                                    : metadata_get_real(file, kept->numbers[i].key, &values->of[i].real, path, error);
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
