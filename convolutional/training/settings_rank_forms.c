/* settings_rank_forms.c - how a run by several ranks is written as text; see settings_forms.h. */

#include "settings_forms.h"

#include "names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char LOCAL[] = "local", SYNC[] = "sync", GHOST[] = "ghost:";

enum { GROUP_MOST = 65536 };

/* The field is the number of images in a group; 0: those of a rank; BN_SYNC: all. */
static bool bn_read(const char *text, void *field, Error *error)
{
    const size_t length = strlen(GHOST);
    char *end = NULL;
    const long group = !strncmp(text, GHOST, length) ? strtol(text + length, &end, 10) : 0;
    const bool ok = !strcmp(text, LOCAL) || !strcmp(text, SYNC) || (end && end != text + length && !*end && group >= 1 && group <= GROUP_MOST);
    if (!ok)
        return error_set(error, EXIT_usage, "bad value '%.100s': --bn: use local, sync, or ghost:32 for groups of 32 images", text);
    *(int *)field = strcmp(text, SYNC) ? (int)group : BN_SYNC;
    return true;
}

static const char *bn_write(const void *field, char *text, size_t size)
{
    const int group = *(const int *)field;
    if (group > 0)
        snprintf(text, size, "%s%d", GHOST, group);
    else
        snprintf(text, size, "%s", group == BN_SYNC ? SYNC : LOCAL);
    return text;
}

#define X(key, about) " " #key
static const char lr_scalings[] = LR_SCALINGS(X);
#undef X

static bool lr_scaling_read(const char *text, void *field, Error *error)
{
    return setting_word_read("lr-scaling", lr_scalings + 1, text, field, error);
}

static const char *lr_scaling_write(const void *field, char *text, size_t size)
{
    return names_word(lr_scalings + 1, *(const int *)field, text, size);
}

#define WIRES "f32 bf16"      /* in the order of WireType */

static bool wire_read(const char *text, void *field, Error *error)
{
    return setting_word_read("gradient-type", WIRES, text, field, error);
}

static const char *wire_write(const void *field, char *text, size_t size)
{
    return names_word(WIRES, *(const int *)field, text, size);
}

#define X(name) const SettingForm form_##name = { name##_read, name##_write };
SETTING_RANK_FORMS(X)
#undef X
