/* checkpoint_start.c - see checkpoint_start.h. */

#include "checkpoint_start.h"

#include "checkpoint_match.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Start {
    const char       *path;
    Network          *network;
    const ModelInfo  *info;
    const Safetensors *file;
    CheckpointMatch   match;
    json_t           *classes;        /* the file's, a list; NULL: it names none */
    int              *source;         /* of each class: the file's row, or -1: a new one */
    int               kept;           /* classes that have one */
    bool              named;          /* the file has a name for each of its head's rows */
} Start;

static bool is_head(const Start *s, const MatchRow *row)
{
    return row->slot && row->slot->param->module == network_logits(s->network)->producer;
}

/* The head's weight. */
static const MatchRow *head_row(const Start *s)
{
    for (size_t i = 0; i < s->match.count; i++)
        if (is_head(s, &s->match.rows[i]) && s->match.rows[i].slot->param->role == PARAM_weight)
            return &s->match.rows[i];
    return NULL;
}

/* A head for any number of classes, which all of its tensors have. */
static bool is_head_of_others(const Start *s, const MatchRow *row)
{
    if (!is_head(s, row) || row->kind == MATCH_dtype)
        return false;
    const Param *param = row->slot->param;
    const MatchRow *weight = head_row(s);
    bool same = row->kind == MATCH_missing || row->entry->rank == param->rank;
    if (same && row->entry && weight && weight->entry)
        same = weight->entry->rank > 0 && row->entry->rank > 0 && row->entry->shape[0] == weight->entry->shape[0];
    for (int i = 1; same && row->entry && i < param->rank; i++)
        same = row->entry->shape[i] == param->dims[i];
    return same;
}

/* How many tensors of the body there are; 0 unless everything but the head is equal. */
static size_t body_of(const Start *s)
{
    size_t body = 0;
    for (size_t i = 0; i < s->match.count; i++) {
        const MatchRow *row = &s->match.rows[i];
        if (row->kind != MATCH_equal && !is_head_of_others(s, row))
            return 0;
        body += row->kind == MATCH_equal && !is_head(s, row);
    }
    return body;
}

static int class_index(const json_t *classes, const char *name)
{
    for (size_t i = 0; i < json_array_size(classes); i++) {
        const char *text = json_string_value(json_array_get(classes, i));
        if (text && !strcmp(text, name))
            return (int)i;
    }
    return -1;
}

/* Without names, rows are the same classes if there are as many of them. */
static void find_classes(Start *s)
{
    const MatchRow *head = head_row(s);
    const int rows = head && head->entry ? (int)head->entry->shape[0] : 0;
    s->named = json_array_size(s->classes) == (size_t)rows && rows > 0;
    for (int i = 0; i < s->info->class_count; i++) {
        s->source[i] = s->named ? class_index(s->classes, s->info->classes[i]) : rows == s->info->class_count ? i : -1;
        s->kept += s->source[i] >= 0;
    }
}

/* The rows of one of the head's parameters that are kept, into `mixed`, which holds what the network has. */
static bool mix_rows(const Start *s, const MatchRow *row, float *mixed, Error *error)
{
    const Param *param = row->slot->param;
    const size_t length = param->count / (size_t)param->dims[0], theirs = (size_t)row->entry->shape[0] * length;
    float *values = allocate(theirs, sizeof *values, "a head");
    const bool ok = checkpoint_read_values(s->file, row->entry, theirs, values, s->path, error);
    for (int i = 0; ok && i < s->info->class_count; i++)
        if (s->source[i] >= 0)
            memcpy(mixed + (size_t)i * length, values + (size_t)s->source[i] * length, length * sizeof *mixed);
    free(values);
    return ok;
}

/* The head is mixed first: should it not be finite, nothing has changed. Its rows are then no longer the match's to load. */
static bool load(Start *s, Error *error)
{
    enum { HEAD_MOST = 8 };
    float *mixed[HEAD_MOST] = { NULL };
    const Param *params[HEAD_MOST];
    Parameters *parameters = network_parameters(s->network);
    int count = 0;
    bool ok = safetensors_check(s->file, error);
    for (size_t i = 0; ok && i < s->match.count; i++) {
        MatchRow *row = &s->match.rows[i];
        if (!is_head(s, row))
            continue;
        CHECK(count < HEAD_MOST, "the head has more than %d parameters", HEAD_MOST);
        const Param *param = params[count] = row->slot->param;
        mixed[count] = allocate(param->count, sizeof *mixed[count], "a head");
        parameters_export(s->network, parameters->values, param, mixed[count]);
        ok = !row->entry || mix_rows(s, row, mixed[count], error);
        row->kind = MATCH_extra;
        count++;
    }
    ok = ok && checkpoint_load_rows(s->file, &s->match, s->path, error);
    for (int i = 0; i < count; i++) {
        if (ok)
            parameters_import(s->network, parameters->values, params[i], mixed[i]);
        free(mixed[i]);
    }
    return ok;
}

/* Up to a few names of classes, of those that are kept or of the new ones. */
static const char *name_classes(const Start *s, bool kept, char *text, size_t size)
{
    enum { MOST = 5 };
    int named = 0, all = 0;
    *text = '\0';
    for (int i = 0; i < s->info->class_count; i++) {
        if ((s->source[i] >= 0) != kept || all++ >= MOST)
            continue;
        const size_t at = strlen(text);
        snprintf(text + at, size - at, "%s%.30s", named++ ? ", " : "", s->info->classes[i]);
    }
    if (all > named)
        strcat(text, " ...");
    return text;
}

static void write_note(const Start *s, size_t body, char *note, size_t size)
{
    char kept[256], fresh[256], names[256], head[640], act[192] = "";
    const char *trained_with = safetensors_metadata(s->file, "act");
    const int added = s->info->class_count - s->kept;
    checkpoint_match_note(&s->match, s->file, s->path, names, sizeof names);
    name_classes(s, true, kept, sizeof kept);
    name_classes(s, false, fresh, sizeof fresh);
    if (s->kept == 0)
        snprintf(head, sizeof head, "the head is new, for %d classes", s->info->class_count);
    else if (added == 0)
        snprintf(head, sizeof head, "the head's rows for all %d classes are kept%s", s->kept,
                 s->named ? "" : ", by number: the file does not name its classes");
    else
        snprintf(head, sizeof head, "the head's rows are kept for %d class%s (%s) and new for %d (%s)", s->kept, s->kept == 1 ? "" : "es", kept, added, fresh);
    if (trained_with && strcmp(trained_with, s->info->act))
        snprintf(act, sizeof act, "; it was trained with %.60s, this run has %.60s", trained_with, s->info->act);
    snprintf(note, size, "started from %s: %zu tensors kept; %s%s%s%s", s->path, body, head, act, *names ? "; " : "", names);
}

bool checkpoint_start_from(const char *path, Network *network, const ModelInfo *info, char *note, size_t size, Error *error)
{
    Start s = { .path = path, .network = network, .info = info };
    Safetensors *file = safetensors_open(path, error);
    if (!file)
        return false;
    s.file = file;
    s.match = checkpoint_match(file, network, NULL, true);
    const char *classes = safetensors_metadata(file, "classes");
    s.classes = classes ? json_loads(classes, JSON_REJECT_DUPLICATES, NULL) : NULL;
    s.source = allocate((size_t)info->class_count, sizeof *s.source, "classes");
    const size_t body = body_of(&s);
    bool ok = body > 0 || checkpoint_match_refuse(&s.match, file, path, network, error);
    if (ok) {
        find_classes(&s);
        ok = load(&s, error);
    }
    if (ok)
        write_note(&s, body, note, size);
    json_decref(s.classes);
    free(s.source);
    checkpoint_match_clear(&s.match);
    safetensors_close(file);
    return ok;
}
