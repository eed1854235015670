/* freeze.c - see freeze.h. */

#include "freeze.h"

#include "parameter_groups.h"
#include "text.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static const char all_but_head[] = "all-but-head";

/* The parameter itself, or what it lies in. */
static bool matches(const char *pattern, const char *name)
{
    char *below = text_format("%s.*", pattern);
    const bool match = fnmatch(pattern, name, 0) == 0 || fnmatch(below, name, 0) == 0;
    free(below);
    return match;
}

/* How many parameters one pattern has frozen. */
static int freeze_pattern(Network *network, const char *pattern)
{
    int count = 0;
    for (int i = 0; i < network_param_count(network); i++) {
        Param *param = network_param(network, i);
        if (!param_is_trained(param))
            continue;
        if (strcmp(pattern, all_but_head) ? matches(pattern, param->name) : !parameter_in_head(network, param)) {
            param->frozen = true;
            count++;
        }
    }
    return count;
}

/* The names that a person may have meant: the first parts of the network's, up to a few. */
static const char *shown_names(const Network *network, char *text, size_t size)
{
    const char *last = "";
    *text = '\0';
    for (int i = 0; i < network_param_count(network); i++) {
        const char *name = network_param(network, i)->name;
        const size_t length = strcspn(name, "."), at = strlen(text);
        if (!strncmp(name, last, length) && last[length] == '.')
            continue;
        last = name;
        if (at + length + 8 < size)
            snprintf(text + at, size - at, "%s%.*s", at ? ", " : "", (int)length, name);
    }
    return text;
}

bool freeze_apply(Network *network, const char *patterns, Error *error)
{
    char *list = text_copy(patterns), *rest, names[400];
    bool ok = true;
    for (char *pattern = strtok_r(list, ",", &rest); ok && pattern; pattern = strtok_r(NULL, ",", &rest))
        if (freeze_pattern(network, pattern) == 0)
            ok = error_set(error, EXIT_usage, "no parameter is named '%.100s': --freeze: use all-but-head, or names or patterns of the network's: "
                           "%s", pattern, shown_names(network, names, sizeof names));
    if (ok && freeze_count(network) == network_trained_count(network))
        ok = error_set(error, EXIT_usage, "nothing is left to train: --freeze %.100s: freeze fewer parameters", patterns);
    free(list);
    if (!ok)
        freeze_lift(network);
    return ok;
}

void freeze_lift(Network *network)
{
    for (int i = 0; i < network_param_count(network); i++)
        network_param(network, i)->frozen = false;
}

size_t freeze_count(const Network *network)
{
    size_t count = 0;
    for (int i = 0; i < network_param_count(network); i++)
        count += network_param(network, i)->frozen ? network_param(network, i)->count : 0;
    return count;
}
