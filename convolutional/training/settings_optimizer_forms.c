/* settings_optimizer_forms.c - how optimisers and schedules are written as text; see settings_forms.h. */

#include "settings_forms.h"

#include "parameter_groups.h"

#include <stdio.h>
#include <string.h>

static bool optimizer_read(const char *text, void *field, Error *error)
{
    return optimizer_parse(text, "--opt", field, error);
}

static const char *optimizer_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%s", optimizer_name(*(const OptimizerKind *)field));
    return text;
}

static bool muon_other_read(const char *text, void *field, Error *error)
{
    return optimizer_parse(text, "--muon-other", field, error);
}

static const char *muon_other_write(const void *field, char *text, size_t size)
{
    return optimizer_write(field, text, size);
}

static bool schedule_read(const char *text, void *field, Error *error)
{
    return schedule_parse(text, field, error);
}

static const char *schedule_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%s", schedule_name(*(const ScheduleKind *)field));
    return text;
}

/* The field is OptimizerOptions. */
static bool betas_read(const char *text, void *field, Error *error)
{
    OptimizerOptions *optimizer = field;
    double beta1, beta2;
    if (!setting_pair_read(text, &beta1, &beta2) ||
        !(beta1 >= 0.0 && (float)beta1 < 1.0f && beta2 >= 0.0 && (float)beta2 < 1.0f))
        return error_set(error, EXIT_usage,
                         "bad value '%.100s': --opt-betas: use two numbers from 0 to below 1, such as 0.9,0.999", text);
    optimizer->beta1 = (float)beta1;
    optimizer->beta2 = (float)beta2;
    return true;
}

static const char *betas_write(const void *field, char *text, size_t size)
{
    const OptimizerOptions *optimizer = field;
    return setting_pair_write(optimizer->beta1, optimizer->beta2, text, size);
}

static bool clip_read(const char *text, void *field, Error *error)
{
    return clip_parse(text, field, error);
}

static const char *clip_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%s", clip_name(*(const ClipMode *)field));
    return text;
}

static bool groups_read(const char *text, void *field, Error *error)
{
    text = setting_is_none(text) ? "" : text;
    if (!parameter_groups_check(text, NULL, error))
        return false;
    if (strlen(text) >= OPTIMIZER_GROUPS_ROOM)
        return error_set(error, EXIT_usage, "a text of %zu characters: --param-groups: use fewer than %d", strlen(text), OPTIMIZER_GROUPS_ROOM);
    snprintf(field, OPTIMIZER_GROUPS_ROOM, "%s", text);
    return true;
}

static const char *groups_write(const void *field, char *text, size_t size)
{
    return setting_text_write(field, text, size);
}

static bool milestones_read(const char *text, void *field, Error *error)
{
    return milestones_parse(setting_is_none(text) ? "" : text, field, error);
}

static const char *milestones_write(const void *field, char *text, size_t size)
{
    return *milestones_text(field, text, size) ? text : strcpy(text, "none");
}

#define X(name) const SettingForm form_##name = { name##_read, name##_write };
SETTING_OPTIMIZER_FORMS(X)
#undef X
