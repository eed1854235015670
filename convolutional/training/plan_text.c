/* plan_text.c - see plan_text.h. */

#include "plan_text.h"

#include "names.h"

#include <stdio.h>
#include <string.h>

static const char *const layout_names[] = {
    [LAYOUT_automatic] = "default", [LAYOUT_blocked] = "blocked", [LAYOUT_channels_last] = "channels-last", [LAYOUT_batch_last] = "batch-last",
};

enum { LAYOUTS = sizeof layout_names / sizeof *layout_names };

static bool is_word(const char *text, int length, const char *word)
{
    return names_match(word, text, (size_t)length);
}

/* "layers:dwwd" */
static bool set_layers(Plan *plan, const char *word, size_t length)
{
    static const char key[] = "layers:";
    const size_t start = sizeof key - 1, letters = length - start;
    if (length <= start || strncmp(word, key, start) || letters > PLAN_MOST_LAYERS ||
        strspn(word + start, "." ALGORITHMS) < letters)
        return false;
    memset(plan->layers, 0, sizeof plan->layers);
    memcpy(plan->layers, word + start, letters);
    return true;
}

static bool set_word(Plan *plan, const char *word, int length)
{
    const struct { const char *word; bool *flag; } switches[] = {
        { "measured", &plan->measured }, { "direct", &plan->direct_only }, { "no-fusion", &plan->no_fusion },
    };
    for (int i = 0; i < LAYOUTS; i++)
        if (is_word(word, length, layout_names[i])) {
            plan->layout = (LayoutPolicy)i;
            return true;
        }
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        if (is_word(word, length, switches[i].word)) {
            *switches[i].flag = true;
            return true;
        }
    return set_layers(plan, word, (size_t)length);
}

bool plan_parse(const char *text, Plan *plan, Error *error)
{
    *plan = (Plan){ 0 };
    for (const char *word = text; *word;) {
        const int length = (int)strcspn(word, ",");
        if (!set_word(plan, word, length))
            return error_set(error, EXIT_usage, "unknown plan '%.*s': --plan: use " PLAN_WORDS, length, word);
        word += length + (word[length] == ',');
    }
    return true;
}

const char *plan_text(const Plan *plan)
{
    static _Thread_local char text[PLAN_MOST_LAYERS + 64];
    snprintf(text, sizeof text, "%s%s%s%s%s%s", layout_names[plan->layout], plan->measured ? ",measured" : "",
             plan->direct_only ? ",direct" : "", plan->no_fusion ? ",no-fusion" : "", *plan->layers ? ",layers:" : "",
             plan->layers);
    return text;
}

bool plan_recall(Plan *plan, const char *text)
{
    Plan named;
    if (!text || !plan_parse(text, &named, &(Error){ 0 }) || named.measured)
        return false;
    named.precision = plan->precision;
    *plan = named;
    return true;
}

bool plan_mix_precision(Plan *plan, const char *flag, Error *error)
{
    if (!program_can_bf16())
        return error_set(error, EXIT_usage, "this processor has no bf16 instructions: %s: leave it out",
                         flag);
    plan->precision = PRECISION_mixed;
    return true;
}
