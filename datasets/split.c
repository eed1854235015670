/* split.c - which images belong to train, val and test.
 *
 * A random choice of k among n images gives every class its share: the images are put in random order, then sorted by
 * class (stably), and n/k-th places are taken, so that a class of m images gives m k / n of them, rounded up or down. It
 * is a function of the labels, the seed and k alone. */

#include "formats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "names.h"
#include "random.h"
#include "text.h"

static const float VAL_SPLIT_DEFAULT = 0.1f;

enum { CHOICE_held_out, CHOICE_limit };      /* two choices from one seed are independent */

const char *split_name(Split split)
{
    static const char *const names[SPLITS] = { [SPLIT_train] = "train", [SPLIT_val] = "val", [SPLIT_test] = "test" };
    return names[split];
}

bool split_source(const Format *format, const char *path, int root, const DataOptions *options, Split split,
                  SplitSource *source, Error *error)
{
    const bool has_val = format->has(root, SPLIT_val), has_test = format->has(root, SPLIT_test);
    const bool asked = (options->val_split > 0 || options->val_part) && !(has_val && options->val_if_none);
    const bool held_out = !has_val && (asked || !has_test);

    if (has_val && asked)
        return error_set(error, EXIT_usage, "nothing to hold out: --val-split: %s has a val part of its own: leave it out",
                         *path ? name_tail(path) : format->kind);
    if (split == SPLIT_train)
        *source = (SplitSource){ SPLIT_train, held_out ? SHARE_rest : SHARE_all };
    else if (split == SPLIT_test && has_test)
        *source = (SplitSource){ SPLIT_test, SHARE_all };
    else if (has_val)
        *source = (SplitSource){ SPLIT_val, SHARE_all };
    else
        *source = held_out ? (SplitSource){ SPLIT_train, SHARE_held_out } : (SplitSource){ SPLIT_test, SHARE_all };

    if (format->has(root, source->part))
        return true;
    return error_set(error, EXIT_input,
                     "no %s part: %s (%s) has none, and the %s split needs it: use another split or complete the data",
                     split_name(source->part), name_tail(path), format->title, split_name(split));
}

/* Marks k of the images listed in `from`. */
static void mark_random(const Part *part, const uint32_t *from, uint32_t count, uint32_t k, int choice, bool *marked)
{
    uint32_t *order = allocate(count, sizeof *order, "a split"), *by_class = allocate(count, sizeof *by_class, "a split");
    uint32_t *next = allocate((size_t)part->classes + 1, sizeof *next, "a split");
    Random random = random_stream(part->options->seed, 0, (uint64_t)choice, RANDOM_split);
    random_permutation(&random, order, count);
    for (uint32_t i = 0; i < count; i++)
        next[part->labels[from[i]] + 1]++;
    for (int c = 0; c < part->classes; c++)
        next[c + 1] += next[c];
    for (uint32_t i = 0; i < count; i++)
        by_class[next[part->labels[from[order[i]]]]++] = from[order[i]];
    for (uint64_t i = 0; i < count; i++)
        if ((i + 1) * k / count > i * k / count)
            marked[by_class[i]] = true;
    free(order);
    free(by_class);
    free(next);
}

/* NULL: there is none. */
static const Section *section_of(const Part *part, const char *wanted)
{
    for (int s = 0; s < part->section_count; s++)
        if (names_match(part->sections[s].name, wanted, strlen(wanted)))
            return &part->sections[s];
    return NULL;
}

/* Marks the section called options->val_part. */
static bool mark_section(const Part *part, bool *marked, Error *error)
{
    const char *wanted = part->options->val_part;
    char choices[PART_SECTIONS * sizeof part->sections[0].name + 1] = "";
    size_t length = 0;
    for (int s = 0; s < part->section_count; s++) {
        const Section *section = &part->sections[s];
        if (names_match(section->name, wanted, strlen(wanted))) {
            for (uint32_t i = 0; i < section->count; i++)
                marked[section->first + i] = true;
            return true;
        }
        length += (size_t)snprintf(choices + length, sizeof choices - length, " %s", section->name);
    }
    if (part->section_count == 0)
        return error_set(error, EXIT_usage, "no part '%s' to hold out: %s (%s) has no named parts: use a fraction instead",
                         name_tail(wanted), name_tail(part->path), part->format->title);
    return error_set(error, EXIT_usage, "no part '%s' to hold out: %s has%s: choose one of these", name_tail(wanted),
                     name_tail(part->path), choices);
}

/* Or a share of its images. */
static bool holds_section(const Part *part)
{
    return part->options->val_part && !(part->options->val_if_none && !section_of(part, part->options->val_part));
}

static float share_of(const Part *part)
{
    return part->options->val_split > 0 ? part->options->val_split : VAL_SPLIT_DEFAULT;
}

static const char SEEDED[] = " of seed ";      /* between a share and the seed that drew it */

char *split_held_out(const Part *part)
{
    char share[32];
    if (holds_section(part))      /* which there is: its images were chosen */
        return text_copy(section_of(part, part->options->val_part)->name);
    text_of_float(share_of(part), share, sizeof share);
    return text_format("%s%s%llu", share, SEEDED, (unsigned long long)part->options->seed);
}

static bool mark_held_out(const Part *part, bool *marked, Error *error)
{
    if (holds_section(part))
        return mark_section(part, marked, error);
    const uint32_t rounded = (uint32_t)lrint((double)share_of(part) * part->count);
    uint32_t *all = allocate(part->count, sizeof *all, "a split");
    for (uint32_t i = 0; i < part->count; i++)
        all[i] = i;
    mark_random(part, all, part->count, rounded ? rounded : 1, CHOICE_held_out, marked);
    free(all);
    return true;
}

static uint32_t collect(const Part *part, const bool *marked, bool wanted, uint32_t *chosen)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < part->count; i++)
        if (marked[i] == wanted)
            chosen[count++] = i;
    return count;
}

bool split_choose(const Part *part, Share share, uint32_t *chosen, uint32_t *count, Error *error)
{
    bool *marked = allocate(part->count, sizeof *marked, "a split");
    const bool good = share == SHARE_all || mark_held_out(part, marked, error);
    *count = collect(part, marked, share == SHARE_held_out, chosen);
    const uint32_t limit = part->options->limit;
    if (limit && *count > limit) {
        memset(marked, 0, part->count * sizeof *marked);
        mark_random(part, chosen, *count, limit, CHOICE_limit, marked);
        *count = collect(part, marked, true, chosen);
    }
    free(marked);
    if (!good)
        return false;
    if (*count == 0)
        return error_set(error, EXIT_input, "nothing left to train on: all %u images of %s are held out: hold out less",
                         part->count, name_tail(part->path));
    return true;
}

enum { PART_NAME_MOST = 100 };      /* bytes; they stand in the checkpoint's settings */

bool split_hold_out(const char *text, DataOptions *data, Error *error)
{
    char *end;
    if (!text)
        return true;
    const float share = strtof(text, &end);
    if (end == text && strlen(text) < PART_NAME_MOST) {
        data->val_part = text;
        return true;
    }
    if (end == text || *end || !(share > 0.0f && share < 1.0f))
        return error_set(error, EXIT_usage,
                         "bad value '%.100s': --val-split: use a share between 0 and 1, or a part's name such as data_batch_5",
                         text);
    data->val_split = share;
    return true;
}

bool dataset_hold_out(const char *held_out, DataOptions *data)
{
    char *end;
    const float share = strtof(held_out, &end);
    if (end == held_out) {
        data->val_part = held_out;
        return *held_out && strlen(held_out) < PART_NAME_MOST;
    }
    const char *seed = end + strlen(SEEDED);
    if (!(share > 0.0f && share < 1.0f) || strncmp(end, SEEDED, strlen(SEEDED)) || !*seed || seed[strspn(seed, "0123456789")])
        return false;
    data->val_split = share;
    data->seed = strtoull(seed, NULL, 10);
    return true;
}
