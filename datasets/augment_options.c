/* augment_options.c - see augment_options.h. */

#include "augment_options.h"

#include "names.h"
#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- policies ---- */

/* A number behind letters, as in "mstd0.5"; NULL if the section is another. */
static const char *number_after(const char *section, const char *letters)
{
    const size_t length = strlen(letters);
    return !strncmp(section, letters, length) && isdigit((unsigned char)section[length]) ? section + length : NULL;
}

/* timm's sections: m magnitude, n layers, mstd its deviation, p rate of each, inc1 the increasing operations. */
static bool rand_sections(char *sections, char *text)
{
    char values[4][12] = { "10", "2", "0", "0.5" };      /* as in timm without a section */
    static const char *const letters[4] = { "m", "n", "mstd", "p" };
    bool increasing = false;
    for (char *section; (section = strsep(&sections, "-")) != NULL;) {
        const char *number = NULL;
        for (int i = 0; i < 4 && !number; i++) {
            number = number_after(section, letters[i]);
            if (number)
                snprintf(values[i], sizeof values[i], "%.11s", number);
        }
        if (!number && strcmp(section, "inc1") && strcmp(section, "inc0"))
            return false;
        increasing = number ? increasing : section[3] == '1';
    }
    snprintf(text, POLICY_SIZE, "randaugment:%s,%s,%s,%s%s", values[0], values[1], values[2], values[3], increasing ? ",increasing" : "");
    return true;
}

bool augment_policy(const char *policy, char *text, Error *error)
{
    static const struct { const char *names, *step; } named[] = {
        { "ra randaugment", "randaugment" }, { "ta ta_wide trivialaugment", "trivialaugment" }, { "augmix", "augmix" },
    };
    char sections[POLICY_SIZE];
    Pipeline one;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (names_match(named[i].names, policy, strlen(policy))) {
            snprintf(text, POLICY_SIZE, "%s", named[i].step);
            return true;
        }
    snprintf(sections, sizeof sections, "%s", policy);
    if (!strncmp(policy, "rand-", 5) && strlen(policy) < sizeof sections && rand_sections(sections + 5, text))
        return pipeline_parse(text, &one, error);
    return error_set(error, EXIT_usage, "unknown policy '%.60s': --aa: use rand-m9-n2 (with -mstd0.5, -p0.5 or -inc1), ta or augmix", policy);
}

/* ---- flags ---- */

typedef struct Composer {
    Pipeline *pipeline;
    Error    *error;
    bool      failed;
} Composer;

static void compose(Composer *composer, const char *step)
{
    composer->failed = composer->failed || !pipeline_set(composer->pipeline, step, composer->error);
}

/* "key:value", and what follows; nothing for 0. */
static void compose_value(Composer *composer, const char *key, float value, const char *rest)
{
    char number[32], step[160];
    if (value == 0.0f)
        return;
    text_of_float(value, number, sizeof number);
    snprintf(step, sizeof step, "%s:%s%s", key, number, rest);
    compose(composer, step);
}

static void compose_erase(Composer *composer, const AugmentOptions *o)
{
    char rest[48], mode[16];
    snprintf(rest, sizeof rest, ",0.02,0.33333334,%d,%s", o->erase_boxes ? o->erase_boxes : 1,
             names_word(ERASE_WORDS, o->erase_mode, mode, sizeof mode));
    compose_value(composer, "erase", o->erase, rest);
}

static void compose_mixes(Composer *composer, const AugmentOptions *o)
{
    char rate[32], rest[64];
    text_of_float(o->mix_rate, rate, sizeof rate);
    snprintf(rest, sizeof rest, ",%d@%s", o->mix_epochs, rate);
    compose_value(composer, "mixup", o->mixup, rest);
    compose_value(composer, "cutmix", o->cutmix, rest);
}

static void compose_usual(Composer *composer, const AugmentOptions *o, int crop_pad, const char *flip)
{
    const ResizedCrop *resized = &o->resized;
    char step[160], mode[16], number[32];
    snprintf(step, sizeof step, "crop:%d,%s", crop_pad, names_word(PAD_WORDS, o->pad_mode, mode, sizeof mode));
    if (!resized->automatic && resized->most > 0.0f) {
        const float numbers[] = { resized->least, resized->most, resized->narrowest, resized->widest };
        const int count = resized->widest > 0.0f ? 4 : 2;
        size_t at = (size_t)snprintf(step, sizeof step, "resizedcrop");
        for (int i = 0; i < count; i++) {
            text_of_float(numbers[i], number, sizeof number);
            at += (size_t)snprintf(step + at, sizeof step - at, "%c%s", i ? ',' : ':', number);
        }
    }
    compose(composer, step);
    if (*flip)
        compose(composer, flip);
}

bool augment_compose(const AugmentOptions *o, int crop_pad, const char *flip, Pipeline *pipeline, Error *error)
{
    char policy[POLICY_SIZE];
    Composer composer = { .pipeline = pipeline, .error = error };
    *pipeline = o->written ? o->steps : (Pipeline){ 0 };
    if (!o->written)
        compose_usual(&composer, o, crop_pad, flip);
    compose_value(&composer, "vflip", o->vflip, "");
    compose_value(&composer, "rotate", o->rotate, "");
    if (*o->policy && !augment_policy(o->policy, policy, error))
        return false;
    if (*o->policy)
        compose(&composer, policy);
    compose_value(&composer, "jitter", o->color_jitter, "");
    compose_value(&composer, "grayscale", o->grayscale, "");
    if (o->blur != 0.0f) {
        char step[48], rate[32];
        text_of_float(o->blur, rate, sizeof rate);
        snprintf(step, sizeof step, "blur@%s", rate);
        compose(&composer, step);
    }
    compose_value(&composer, "noise", o->noise, "");
    compose_erase(&composer, o);
    compose_value(&composer, "cutout", o->cutout, "");
    compose_mixes(&composer, o);
    return !composer.failed;
}
