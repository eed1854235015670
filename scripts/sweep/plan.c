/* plan.c - what a sweep is to run, and what of it is known already; see sweep.h. */

#include "sweep.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "files.h"
#include "json_made.h"
#include "log_lines.h"
#include "text.h"

enum { PLAN_MOST = 1 << 20 };      /* bytes of plan.json */

int sweep_count(const Sweep *sweep, SweepState state)
{
    int count = 0;
    for (int i = 0; i < sweep->count; i++)
        count += sweep->runs[i].state == state;
    return count;
}

const char *sweep_state(SweepState state)
{
    static const char *const states[] = { "to do", "running", "done", "failed" };
    return states[state];
}

/* ---- what has ended ---- */

/* Failed runs are tried again: what made them fail may be mended. */
static void take_line(Sweep *sweep, const char *line, size_t length)
{
    json_t *object = json_loadb(line, length, 0, NULL);
    const char *name = json_string_value(json_object_get(object, "run"));
    for (int i = 0; name && i < sweep->count; i++) {
        SweepRun *run = &sweep->runs[i];
        if (strcmp(run->name, name))
            continue;
        const double memory = json_number_value(json_object_get(object, "memory_bytes"));
        run->seconds += json_number_value(json_object_get(object, "seconds"));
        run->memory = memory > run->memory ? memory : run->memory;
        if (json_is_true(json_object_get(object, "done")) && access(run->folder, F_OK) == 0)
            run->state = SWEEP_done;
    }
    json_decref(object);
}

static bool read_results(Sweep *sweep, Error *error)
{
    size_t size, length;
    char *path = text_format("%s/results.jsonl", sweep->folder), *text = log_read(path, &size, error);
    free(path);
    const char *at = text;
    for (const char *line; text && (line = text_line(&at, text + size, &length)) != NULL;)
        take_line(sweep, line, length);
    free(text);
    return text != NULL;
}

bool sweep_open(Sweep *sweep, uint64_t seed, Error *error)
{
    for (int choice = 0; choice < grid_choices(sweep->grid); choice++)
        if (!grid_check(sweep->grid, choice, sweep->common, error))
            return false;
    sweep->lock = -1;
    sweep->log.descriptor = -1;
    sweep->count = grid_choices(sweep->grid) * sweep->seeds;
    sweep->runs = allocate((size_t)sweep->count, sizeof *sweep->runs, "runs");
    for (int i = 0; i < sweep->count; i++) {
        SweepRun *run = &sweep->runs[i];
        run->choice = i / sweep->seeds;
        run->seed = seed + (uint64_t)(i % sweep->seeds);
        char *name = grid_name(sweep->grid, run->choice);
        run->name = text_format("%s-seed=%llu", name, (unsigned long long)run->seed);
        run->folder = text_format("%s/%s", sweep->folder, run->name);
        free(name);
    }
    return read_results(sweep, error);
}

void sweep_close(Sweep *sweep)
{
    for (int i = 0; i < sweep->count; i++) {
        free(sweep->runs[i].name);
        free(sweep->runs[i].folder);
    }
    free(sweep->runs);
    log_close(&sweep->log);
    folder_unlock(sweep->lock);
}

/* ---- the plan ---- */

/* What must be the same for runs to be compared: what all have, and what is varied; values and seeds may come later. */
static json_t *plan_json(const Sweep *sweep)
{
    json_t *settings = json_made(json_object()), *varied = json_made(json_array());
    for (int i = 0; i < settings_count(); i++)
        if (sweep->common[i] && settings_at(i)->keep != KEEP_call)
            json_object_set_new(settings, settings_at(i)->name, json_made(json_string(sweep->common[i])));
    for (int i = 0; i < sweep->grid->count; i++)
        json_append(varied, json_string(settings_at(sweep->grid->axes[i].setting)->name));
    return json_made(json_pack("{s:o, s:o}", "settings", settings, "varied", varied));
}

static bool compare_plan(const Sweep *sweep, const json_t *plan, const char *path, Error *error)
{
    size_t size;
    json_t *before = NULL;
    char *text = (char *)disk_read_all(AT_FDCWD, path, path, PLAN_MOST, &size, error);
    if (!text)
        return false;
    before = json_loadb(text, size, 0, NULL);
    free(text);
    bool ok = before || error_set(error, EXIT_input, "damaged: %s: no JSON: use another --output", path);
    const json_t *old = json_object_get(before, "settings"), *new = json_object_get(plan, "settings");
    for (int i = 0; ok && i < settings_count(); i++) {
        const char *name = settings_at(i)->name, *was = json_string_value(json_object_get(old, name)), *is = json_string_value(json_object_get(new, name));
        if (was != is && (!was || !is || strcmp(was, is)))
            ok = error_set(error, EXIT_usage, "another sweep: %s: --%s was %s and is %s: use the same, or another --output", sweep->folder, name,
                           was ? was : "not given", is ? is : "not given");
    }
    if (ok && !json_equal(json_object_get(before, "varied"), json_object_get(plan, "varied")))
        ok = error_set(error, EXIT_usage, "another sweep: %s: it varies other settings: use the same --arch and --set, or another --output", sweep->folder);
    json_decref(before);
    return ok;
}

bool sweep_claim(Sweep *sweep, Error *error)
{
    bool there;
    char *path = text_format("%s/plan.json", sweep->folder), *logs = text_format("%s/logs", sweep->folder);
    char *results = text_format("%s/results.jsonl", sweep->folder);
    json_t *plan = plan_json(sweep);
    bool ok = folder_create(logs, error) && (sweep->lock = folder_lock(sweep->folder, error)) >= 0 && file_there(path, &there, error);
    if (ok && there) {
        ok = compare_plan(sweep, plan, path, error) && folder_remove_orphans(sweep->folder, error);      /* of one that was killed */
    } else if (ok) {
        char *text = json_written(plan, JSON_INDENT(2)), *orphan = text_format("%s.tmp", path);
        unlink(orphan);
        ok = file_replace(path, text, strlen(text), error);
        free(orphan);
        free(text);
    }
    ok = ok && log_open(&sweep->log, results, UINT64_MAX, error);
    json_decref(plan);
    free(path);
    free(logs);
    free(results);
    return ok;
}
