/* plan_cache.c - see plan_cache.h. */

#include "plan_cache.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "clock.h"
#include "disk.h"
#include "files.h"
#include "folder.h"
#include "measure.h"
#include "json_made.h"
#include "plan_text.h"
#include "threads.h"

/* Goes up when kernels change so much that old measurements mislead. */
enum { GENERATION = 2 };

enum { PATH_ROOM = 1024, KEY_ROOM = 1280, FILE_MOST = 16 << 20 };

/* ---- the key ---- */

static void processor_name(char *name, size_t size)
{
    char line[256];
    snprintf(name, size, "processor");
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        const char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) || !value)
            continue;
        snprintf(name, size, "%.*s", (int)strcspn(value + 2, "\n"), value + 2);
        break;
    }
    if (file)
        fclose(file);
}

static Network *build(const void *context)
{
    const PlanSubject *s = context;
    Error error = { 0 };
    Network *network = architecture_network(s->arch, s->image, &s->options, &error);
    CHECK(network, "%s was built before: %s", s->arch->key, error.text);
    return network;
}

/* Of every layer's kind and sizes: options that change any of them get a plan of their own. */
static unsigned long hash_layers(const PlanSubject *s)
{
    Network *network = build(s);
    uLong hash = crc32(0, NULL, 0);
    for (int i = 0; i < network_module_count(network); i++) {
        const Module *module = network_module(network, i);
        hash = crc32(hash, (const Bytef *)module->ops->kind, (uInt)strlen(module->ops->kind));
        hash = crc32(hash, (const Bytef *)&module->out->shape, sizeof module->out->shape);
    }
    for (int i = 0; i < network_param_count(network); i++) {
        const Param *param = network_param(network, i);
        hash = crc32(hash, (const Bytef *)param->dims, (uInt)((size_t)param->rank * sizeof *param->dims));
    }
    network_free(network);
    return hash;
}

static void key_of(const PlanSubject *s, const Plan *plan, char *key, size_t size)
{
    char processor[128], kernels[64], act[ACTIVATION_TEXT];
    processor_name(processor, sizeof processor);
    const int at = snprintf(key, size, "generation %d, %s, %s, %d threads, ", GENERATION, processor,
                            program_kernels(kernels, sizeof kernels), threads_settle(0));
    snprintf(key + at, size - (size_t)at, "%s %s b%d, %s %s %dx%dx%d, layers %08lx, plan %s",
             s->purpose.gradients != GRADIENTS_none ? "train" : "infer", plan->precision == PRECISION_f32 ? "f32" : "bf16", s->batch,
             s->arch->key, activation_text(s->options.act, act, sizeof act), s->image.c, s->image.h, s->image.w, hash_layers(s),
             plan_text(plan));
}

/* ---- the file ---- */

static bool cache_folder(char *path, size_t size)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = -1;
    if (cache && *cache == '/')
        length = snprintf(path, size, "%s/convzoo", cache);
    else if (home && *home)
        length = snprintf(path, size, "%s/.cache/convzoo", home);
    return length > 0 && (size_t)length < size;
}

/* All that is remembered; empty if there is none. */
static json_t *cache_read(const char *path)
{
    size_t size;
    char *text = (char *)disk_read_all(AT_FDCWD, path, path, FILE_MOST, &size, NULL);
    json_error_t reason;
    json_t *all = text ? json_loaded(json_loadb(text, size, JSON_REJECT_DUPLICATES, &reason), &reason) : NULL;
    free(text);
    if (json_is_object(all))
        return all;
    json_decref(all);
    return json_made(json_object());
}

static bool recall(const char *path, const char *key, Plan *plan)
{
    json_t *all = cache_read(path);
    const bool found = plan_recall(plan, json_string_value(json_object_get(all, key)));
    json_decref(all);
    return found;
}

static bool append_plan(const char *path, const char *key, const Plan *plan, Error *error)
{
    json_t *all = cache_read(path);
    json_put(all, key, json_string(plan_text(plan)));
    char *text = json_written(all, JSON_INDENT(2) | JSON_SORT_KEYS);
    const bool written = file_replace(path, text, strlen(text), error);
    free(text);
    json_decref(all);
    return written;
}

/* Under the folder's lock: two processes that measure at once keep both plans, and what a killed one left is cleared. */
static bool remember(const char *folder, const char *path, const char *key, const Plan *plan, Error *error)
{
    const int lock = folder_create(folder, error) ? folder_lock(folder, error) : -1;
    const bool kept = lock >= 0 && folder_remove_orphans(folder, error) && append_plan(path, key, plan, error);
    folder_unlock(lock);
    return kept;
}

/* ---- measuring ---- */

void plan_settle(Plan *plan, const PlanSubject *subject, void (*tell)(void *context, const char *text), void *context)
{
    char key[KEY_ROOM], folder[PATH_ROOM], path[PATH_ROOM + sizeof "/plans.json"] = "", text[PATH_ROOM + PLAN_MOST_LAYERS + 200];
    Error error = { .text = "there is neither XDG_CACHE_HOME nor HOME" };
    if (!plan->measured)
        return;
    key_of(subject, plan, key, sizeof key);
    const bool has_folder = cache_folder(folder, sizeof folder);
    if (has_folder)
        snprintf(path, sizeof path, "%s/plans.json", folder);
    if (has_folder && recall(path, key, plan)) {
        snprintf(text, sizeof text, "plan %s, measured before: %s", plan_text(plan), path);
    } else {
        if (tell)
            tell(context, "measuring a plan: some tens of steps");
        const double begin = seconds_now();
        *plan = plan_measure(build, subject, plan, subject->purpose, subject->batch);
        const double seconds = seconds_now() - begin;
        const bool kept = has_folder && remember(folder, path, key, plan, &error);
        snprintf(text, sizeof text, "plan %s, measured in %.1f s, %s%.1000s", plan_text(plan), seconds,
                 kept ? "remembered in " : "not remembered: ", kept ? path : error.text);
    }
    if (tell)
        tell(context, text);
}
