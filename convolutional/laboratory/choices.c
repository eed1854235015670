/* choices.c - see choices.h. */

#include "choices.h"

#include "names.h"

#include <string.h>

static const HiddenChoice hidden[] = {
#define CHOICE_HIDDEN(...) { __VA_ARGS__ },
#define CHOICE_OUTPUT(...)
#include "choices.def"
#undef CHOICE_HIDDEN
#undef CHOICE_OUTPUT
};

static const OutputChoice outputs[] = {
#define CHOICE_HIDDEN(...)
#define CHOICE_OUTPUT(...) { __VA_ARGS__ },
#include "choices.def"
#undef CHOICE_HIDDEN
#undef CHOICE_OUTPUT
};

enum { HIDDEN = sizeof hidden / sizeof *hidden, OUTPUTS = sizeof outputs / sizeof *outputs };

int choice_hidden_count(void)
{
    return HIDDEN;
}

const HiddenChoice *choice_hidden_at(int index)
{
    return &hidden[index];
}

int choice_output_count(void)
{
    return OUTPUTS;
}

const OutputChoice *choice_output_at(int index)
{
    return &outputs[index];
}

static bool fits(const char *words, const char *word)
{
    return !*words || (*word && names_match(words, word, strlen(word)));
}

const HiddenChoice *choice_hidden(const char *network, int depth, const char *norm, const char *budget)
{
    int i = 0;
    while (i < HIDDEN - 1 && !(fits(hidden[i].networks, network) && depth >= hidden[i].depth && fits(hidden[i].norms, norm) &&
                               fits(hidden[i].budgets, budget)))
        i++;
    return &hidden[i];
}

const OutputChoice *choice_output(const char *task)
{
    for (int i = 0; i < OUTPUTS; i++)
        if (names_match(outputs[i].task, task, strlen(task)))
            return &outputs[i];
    return NULL;
}
