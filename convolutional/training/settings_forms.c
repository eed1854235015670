/* settings_forms.c - see settings_forms.h. */

#include "settings_forms.h"

#include "names.h"
#include "parameter_groups.h"
#include "plan_text.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_none(const char *text)
{
    return names_match("none", text, strlen(text));
}

static bool arch_read(const char *text, void *field, Error *error)
{
    const Architecture *arch = architecture_find(text, error);
    if (arch)
        *(const Architecture **)field = arch;
    return arch != NULL;
}

static const char *arch_write(const void *field, char *text, size_t size)
{
    const Architecture *arch = *(const Architecture *const *)field;
    snprintf(text, size, "%s", arch ? arch->key : "");
    return text;
}

static bool act_read(const char *text, void *field, Error *error)
{
    return activation_parse(text, field, error);
}

/* Before a network is built, the architecture's own one has no name. */
static const char *act_write(const void *field, char *text, size_t size)
{
    const Activation *act = field;
    text[0] = '\0';
    return !act->info ? text : activation_text(*act, text, size);
}

static bool optimizer_read(const char *text, void *field, Error *error)
{
    return optimizer_parse(text, field, error);
}

static const char *optimizer_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%s", optimizer_name(*(const OptimizerKind *)field));
    return text;
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
    char *comma, *end = NULL;
    const double beta1 = strtod(text, &comma), beta2 = *comma == ',' ? strtod(comma + 1, &end) : -1.0;
    if (comma == text || *comma != ',' || end == comma + 1 || *end ||
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
    char beta1[32], beta2[32];
    text_of_float(optimizer->beta1, beta1, sizeof beta1);
    text_of_float(optimizer->beta2, beta2, sizeof beta2);
    snprintf(text, size, "%s,%s", beta1, beta2);
    return text;
}

/* The field is DataOptions: a share in val_split, or a name in val_part. */
static bool val_split_read(const char *text, void *field, Error *error)
{
    return split_hold_out(text, field, error);
}

static const char *val_split_write(const void *field, char *text, size_t size)
{
    const DataOptions *data = field;
    if (data->val_part)
        snprintf(text, size, "%s", data->val_part);
    else
        text_of_float(data->val_split, text, size);
    return text;
}

/* The field is true for what the option denies. */
static bool denied_read(const char *text, void *field, Error *error)
{
    (void)error;
    *(bool *)field = strcmp(text, "true") != 0;
    return true;
}

static const char *denied_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%s", *(const bool *)field ? "false" : "true");
    return text;
}

/* An enumeration's field: the place of the row that has the word; a row is a name and what else it is called. */
static bool choice_read(const char *option, const char *const *choices, int count, const char *text, void *field, Error *error)
{
    char all[128] = "", name[NAMES_LONGEST];
    for (int i = 0; i < count; i++) {
        const size_t at = strlen(all);
        if (names_match(choices[i], text, strlen(text))) {
            *(int *)field = i;
            return true;
        }
        snprintf(all + at, sizeof all - at, " %s", names_word(choices[i], 0, name, sizeof name));
    }
    return error_set(error, EXIT_usage, "unknown value '%.100s': --%s: use one of%s", text, option, all);
}

static const char *choice_write(const char *const *choices, const void *field, char *text, size_t size)
{
    return names_word(choices[*(const int *)field], 0, text, size);
}

static const char *const flips[] = { [FLIP_automatic] = "auto", [FLIP_on] = "on 0.5", [FLIP_off] = "off 0", [FLIP_alternating] = "alternating",
                                     [FLIP_alternating_automatic] = "auto-alternating" };

static bool hflip_read(const char *text, void *field, Error *error)
{
    return choice_read("hflip", flips, sizeof flips / sizeof *flips, text, field, error);
}

static const char *hflip_write(const void *field, char *text, size_t size)
{
    return choice_write(flips, field, text, size);
}

static bool image_crop_read(const char *text, void *field, Error *error)
{
    return choice_read("crop", image_crops, CROPS, text, field, error);
}

static const char *image_crop_write(const void *field, char *text, size_t size)
{
    return choice_write(image_crops, field, text, size);
}

static bool image_filter_read(const char *text, void *field, Error *error)
{
    return choice_read("interpolation", image_filters, FILTERS, text, field, error);
}

static const char *image_filter_write(const void *field, char *text, size_t size)
{
    return choice_write(image_filters, field, text, size);
}

static const char *const recipes[] = {
#define X(key) #key,
    RECIPES(X)
#undef X
};

static bool recipe_read(const char *text, void *field, Error *error)
{
    return choice_read("recipe", recipes, RECIPE_COUNT, text, field, error);
}

static const char *recipe_write(const void *field, char *text, size_t size)
{
    return choice_write(recipes, field, text, size);
}

/* The field is all of TrainerOptions: steps, "true" for the usual ones, "false" for none. */
static bool aug_read(const char *text, void *field, Error *error)
{
    TrainerOptions *o = field;
    o->no_augment = names_match("false off no 0 none", text, strlen(text));
    o->augment.written = !o->no_augment && !names_match("true on yes 1", text, strlen(text));
    return !o->augment.written || pipeline_parse(text, &o->augment.steps, error);
}

static const char *aug_write(const void *field, char *text, size_t size)
{
    const TrainerOptions *o = field;
    char steps[PIPELINE_TEXT];
    snprintf(text, size, "%s", o->no_augment ? "false" : o->augment.written ? pipeline_text(&o->augment.steps, steps) : "true");
    return text;
}

/* Two numbers within the bounds, the first not above the second. */
static bool range_read(const char *option, const char *text, double least, double most, float *low, float *high, const char *example, Error *error)
{
    char *comma, *end = NULL;
    const double first = strtod(text, &comma), second = *comma == ',' ? strtod(comma + 1, &end) : -1.0;
    if (comma == text || *comma != ',' || end == comma + 1 || *end || !(first >= least && first <= second && second <= most))
        return error_set(error, EXIT_usage, "bad value '%.100s': --%s: use two numbers from %g to %g, such as %s", text, option, least, most, example);
    *low = (float)first;
    *high = (float)second;
    return true;
}

static const char *range_write(float low, float high, char *text, size_t size)
{
    char first[32], second[32];
    text_of_float(low, first, sizeof first);
    text_of_float(high, second, sizeof second);
    snprintf(text, size, "%s,%s", first, second);
    return text;
}

static bool train_sizes_read(const char *text, void *field, Error *error)
{
    return stage_sizes_parse(is_none(text) ? "" : text, field, error);
}

static const char *train_sizes_write(const void *field, char *text, size_t size)
{
    return *stage_sizes_text(field, text, size) ? text : strcpy(text, "none");
}

static bool scale_read(const char *text, void *field, Error *error)
{
    ResizedCrop *crop = field;
    crop->automatic = names_match("auto automatic", text, strlen(text));
    crop->least = crop->most = 0.0f;
    return crop->automatic || names_match("off no false none 0", text, strlen(text)) ||
           range_read("scale", text, 0.01, 1.0, &crop->least, &crop->most, "0.08,1; or off", error);
}

static const char *scale_write(const void *field, char *text, size_t size)
{
    const ResizedCrop *crop = field;
    if (!crop->automatic && crop->most > 0.0f)
        return range_write(crop->least, crop->most, text, size);
    snprintf(text, size, "%s", crop->automatic ? "auto" : "off");
    return text;
}

/* The field is the ResizedCrop. */
static bool ratio_read(const char *text, void *field, Error *error)
{
    ResizedCrop *crop = field;
    return range_read("ratio", text, 0.1, 10.0, &crop->narrowest, &crop->widest, "0.75,1.33", error);
}

static const char *ratio_write(const void *field, char *text, size_t size)
{
    const ResizedCrop *crop = field;
    return range_write(crop->narrowest, crop->widest, text, size);
}

/* An enumeration's field: the place of one of the words. */
bool setting_word_read(const char *option, const char *words, const char *text, int *place, Error *error)
{
    char word[NAMES_LONGEST];
    for (int i = 0; *names_word(words, i, word, sizeof word); i++)
        if (names_match(word, text, strlen(text))) {
            *place = i;
            return true;
        }
    return error_set(error, EXIT_usage, "unknown value '%.100s': --%s: use one of %s", text, option, words);
}

static bool pad_mode_read(const char *text, void *field, Error *error)
{
    return setting_word_read("pad-mode", PAD_WORDS, text, field, error);
}

static const char *pad_mode_write(const void *field, char *text, size_t size)
{
    return names_word(PAD_WORDS, *(const int *)field, text, size);
}

static bool erase_mode_read(const char *text, void *field, Error *error)
{
    return setting_word_read("remode", ERASE_WORDS, text, field, error);
}

static const char *erase_mode_write(const void *field, char *text, size_t size)
{
    return names_word(ERASE_WORDS, *(const int *)field, text, size);
}

static bool policy_read(const char *text, void *field, Error *error)
{
    char step[POLICY_SIZE];
    const bool none = names_match("none", text, strlen(text));
    if (!none && !augment_policy(text, step, error))
        return false;
    snprintf(field, POLICY_SIZE, "%s", none ? "" : text);
    return true;
}

static const char *policy_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%s", *(const char *)field ? (const char *)field : "none");
    return text;
}

static bool loss_read(const char *text, void *field, Error *error)
{
    return loss_parse(text, field, error);
}

static const char *loss_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%s", loss_name(*(const LossKind *)field));
    return text;
}

static bool class_weights_read(const char *text, void *field, Error *error)
{
    int place = 0;
    if (!setting_word_read("class-weights", "none auto", text, &place, error))
        return false;
    *(bool *)field = place == 1;
    return true;
}

static const char *class_weights_write(const void *field, char *text, size_t size)
{
    return names_word("none auto", *(const bool *)field, text, size);
}

static bool plan_read(const char *text, void *field, Error *error)
{
    const Precision precision = ((Plan *)field)->precision;      /* --amp's */
    const bool parsed = plan_parse(text, field, error);
    ((Plan *)field)->precision = precision;
    return parsed;
}

static const char *plan_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%s", plan_text(field));
    return text;
}

/* "30m", "1h30m", "90s"; 0: no limit. */
static bool duration_read(const char *text, void *field, Error *error)
{
    static const struct { char letter; double seconds; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    double seconds = 0.0;
    bool ok = *text != '\0';
    for (const char *at = text; ok && *at && strcmp(text, "0");) {
        char *end;
        const double number = strtod(at, &end);
        size_t unit = 0;
        while (unit < 4 && units[unit].letter != *end)
            unit++;
        ok = end != at && unit < 4 && number >= 0.0 && number <= 1e6;
        seconds += ok ? number * units[unit].seconds : 0.0;
        at = end + ok;
    }
    *(double *)field = seconds;
    return ok || error_set(error, EXIT_usage, "bad value '%.100s': use a time such as 30m, 1h30m or 90s", text);
}

static const char *duration_write(const void *field, char *text, size_t size)
{
    const double seconds = *(const double *)field;
    const bool minutes = fmod(seconds, 60.0) == 0.0;
    snprintf(text, size, "%.15g%s", minutes ? seconds / 60.0 : seconds, seconds == 0.0 ? "" : minutes ? "m" : "s");
    return text;
}

#define EARLY_METRICS "top1 loss"      /* in the order of EarlyMetric */

static bool early_metric_read(const char *text, void *field, Error *error)
{
    return setting_word_read("early-metric", EARLY_METRICS, text, field, error);
}

static const char *early_metric_write(const void *field, char *text, size_t size)
{
    return names_word(EARLY_METRICS, *(const int *)field, text, size);
}

#define LOG_WORDS "plain tb"      /* PartOptions.tensorboard or not */

static bool logger_read(const char *text, void *field, Error *error)
{
    int place = 0;
    const bool ok = setting_word_read("log", LOG_WORDS, text, &place, error);
    *(bool *)field = place == 1;
    return ok;
}

static const char *logger_write(const void *field, char *text, size_t size)
{
    return names_word(LOG_WORDS, *(const bool *)field, text, size);
}

static bool amp_read(const char *text, void *field, Error *error)
{
    (void)error;
    *(Precision *)field = !strcmp(text, "true") ? PRECISION_mixed : PRECISION_f32;
    return true;
}

static const char *amp_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%s", *(const Precision *)field == PRECISION_mixed ? "true" : "false");
    return text;
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
    text = is_none(text) ? "" : text;
    if (!parameter_groups_check(text, NULL, error))
        return false;
    if (strlen(text) >= OPTIMIZER_GROUPS_ROOM)
        return error_set(error, EXIT_usage, "a text of %zu characters: --param-groups: use fewer than %d", strlen(text), OPTIMIZER_GROUPS_ROOM);
    snprintf(field, OPTIMIZER_GROUPS_ROOM, "%s", text);
    return true;
}

static const char *groups_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%s", *(const char *)field ? (const char *)field : "none");
    return text;
}

static bool milestones_read(const char *text, void *field, Error *error)
{
    return milestones_parse(is_none(text) ? "" : text, field, error);
}

static const char *milestones_write(const void *field, char *text, size_t size)
{
    return *milestones_text(field, text, size) ? text : strcpy(text, "none");
}

#define X(name) const SettingForm form_##name = { name##_read, name##_write };
SETTING_FORMS(X)
#undef X
